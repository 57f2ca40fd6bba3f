// Test kit: one phone of extension 1001 and the registrar it talks to.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "registrar/registrar.h"
#include "sip/contact.h"

namespace bw::registrar {

using model::BindingChange;
using Kind = model::BindingChange::Kind;
using sip::HeaderName;

inline const Instant kNow{1'289'690'940s};  // Sat, 13 Nov 2010 23:29:00 GMT
inline const Endpoint kPhone{IpAddress::v4(0xC6336401), 5060};
inline const model::ExtensionNumber k1001{"1001"};
inline constexpr std::string_view kInstance = "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6";

inline sip::Flow udp(const Endpoint& remote = kPhone) {
  return {.transport = sip::Transport::kUdp, .connection = {}, .local = {}, .remote = remote};
}
inline sip::Flow tcp(std::uint64_t connection) {
  return {.transport = sip::Transport::kTcp, .connection = {connection}, .local = {}, .remote = kPhone};
}

// One REGISTER as a phone writes it; lines are added as they stand.
struct Reg {
  std::vector<std::string> contacts;
  std::string call_id = "call-1";
  std::uint32_t cseq = 1;
  std::vector<std::string> lines = {};
  std::string to = "<sip:1001@bellwire.example>";
  int vias = 1;

  sip::Message message() const {
    std::string text = "REGISTER sip:bellwire.example SIP/2.0\r\n";
    for (int i = 0; i < vias; ++i)
      text += fmt::format("Via: SIP/2.0/UDP h{}.example;branch=z9hG4bK{}\r\n", i, i);
    text += fmt::format("From: <sip:1001@bellwire.example>;tag=a\r\nTo: {}\r\nCall-ID: {}\r\n", to, call_id);
    text += fmt::format("CSeq: {} REGISTER\r\nMax-Forwards: 70\r\n", cseq);
    for (const auto& contact : contacts) text += "Contact: " + contact + "\r\n";
    for (const auto& line : lines) text += line + "\r\n";
    return *sip::parse(text + "Content-Length: 0\r\n\r\n");
  }
};

inline std::string with_instance(std::string_view uri, std::string_view more = "",
                                 std::string_view instance = kInstance) {
  return fmt::format("<{}>;+sip.instance=\"<{}>\"{}", uri, instance, more);
}

class RegistrarTest : public testing::Test {
 protected:
  RegistrarTest() { settings.connection_grace = 10s; }
  ~RegistrarTest() override { EXPECT_TRUE(registrar.check_invariants()); }

  void configure() { registrar.configure(std::make_shared<const model::Settings>(settings)); }
  int send(const Reg& reg, const sip::Flow& flow = udp()) {
    auto result = registrar.process(reg.message(), flow, k1001, now);
    response = std::move(result.response);
    changes = std::move(result.changes);
    return response.status();
  }
  // A following request of the same phone.
  int next(std::vector<std::string> contacts, std::vector<std::string> lines = {},
           const sip::Flow& flow = udp()) {
    return send({.contacts = std::move(contacts), .cseq = ++cseq, .lines = std::move(lines)}, flow);
  }
  std::vector<std::string> listed() const {
    std::vector<std::string> out;
    for (const auto element : response.elements(HeaderName::kContact)) {
      out.emplace_back(sip::Contact::parse(element)->address.uri);
    }
    return out;
  }
  std::vector<std::string> reachable() const {
    std::vector<std::string> out;
    for (const auto* b : registrar.contacts("1001", now)) out.push_back(b->contact);
    return out;
  }
  std::vector<Kind> kinds() const {
    std::vector<Kind> out;
    for (const auto& c : changes) out.push_back(c.kind);
    return out;
  }
  sip::Contact listed_contact(std::size_t i = 0) const {
    return *sip::Contact::parse(response.elements(HeaderName::kContact).at(i));
  }
  using Uris = std::vector<std::string>;
  using Kinds = std::vector<Kind>;

  SeededRng rng{7};
  model::Settings settings;
  Registrar registrar{rng, std::make_shared<const model::Settings>()};
  Instant now = kNow;
  std::uint32_t cseq = 100;
  sip::Message response;
  model::ChangeSet changes;
};

}  // namespace bw::registrar
