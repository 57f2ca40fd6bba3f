// Test kit: clients right and wrong, at several addresses, and the authenticator they meet.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include "registrar/authenticator.h"
#include "sip/auth_header.h"
#include "sip/digest.h"

namespace bw::registrar {

inline const Instant kStart{1'700'000'000s};
inline const Endpoint kHome{IpAddress::v4(0xC6336401), 5060};      // 198.51.100.1: not trusted
inline const Endpoint kAttacker{IpAddress::v4(0xCB007107), 5060};  // 203.0.113.7: not trusted
inline const Endpoint kDesk{IpAddress::v4(0x0A000005), 5060};      // 10.0.0.5: trusted

inline sip::Flow flow_from(const Endpoint& remote) {
  return {.transport = sip::Transport::kUdp, .connection = {}, .local = {}, .remote = remote};
}

inline model::Settings default_settings() {
  model::Settings settings;
  settings.trusted_networks = {*Network::parse("10.0.0.0/8")};
  settings.rate_limit = {.max_attempts = 5, .window = 300s, .lockout = 900s};
  settings.nonce_lifetime = 300s;
  return settings;
}

// What a client computes and writes; every field can be bent by a test.
struct Attempt {
  std::string username = "1001";
  std::string password = "correct horse";
  std::string method = "REGISTER";
  std::string request_uri = "sip:bellwire.example";
  std::string uri = "sip:bellwire.example";
  std::string nonce = {};
  std::string nc = "00000001";
  std::string cnonce = "0a4f113b";
  std::string qop = "auth";
  std::string algorithm = "MD5";
  std::string realm = "bellwire";
  std::string response = {};  // empty: the right one for all the above
};

class AuthenticatorTest : public testing::Test {
 protected:
  AuthenticatorTest() {
    for (const char* number : {"1001", "1002"}) add_extension(number);
    model::Extension blank;
    blank.number = model::ExtensionNumber{"1003"};  // created, but no password was ever set
    directory.extensions.emplace("1003", blank);
  }

  void add_extension(const std::string& number) {
    model::Extension extension;
    extension.number = model::ExtensionNumber{number};
    const auto ha1 = [&](sip::DigestHash hash) {
      return Secret{std::string{digest.ha1(hash, number, model::kRealm, "correct horse").view()}};
    };
    extension.credentials = {ha1(sip::DigestHash::kMd5), ha1(sip::DigestHash::kSha256)};
    directory.extensions.emplace(number, extension);
  }

  void configure(const model::Settings& settings) {
    auth.configure(std::make_shared<const model::Settings>(settings));
  }

  static sip::Message message(const std::string& method, const std::string& uri, const std::string& user) {
    sip::Message m = sip::Message::request(method, uri);
    m.add(sip::HeaderName::kFrom, fmt::format("<sip:{}@bellwire.example>;tag=1", user));
    m.add(sip::HeaderName::kTo, fmt::format("<sip:{}@bellwire.example>", user));
    return m;
  }

  sip::Message signed_request(Attempt a) {
    if (a.response.empty()) {
      const auto hash = a.algorithm == "SHA-256" ? sip::DigestHash::kSha256 : sip::DigestHash::kMd5;
      const auto ha1 = digest.ha1(hash, a.username, model::kRealm, a.password);
      a.response = digest
                       .response(hash, ha1.view(),
                                 {.method = a.method,
                                  .uri = a.uri,
                                  .nonce = a.nonce,
                                  .nc = a.nc,
                                  .cnonce = a.cnonce,
                                  .qop = a.qop})
                       .view();
    }
    sip::Message m = message(a.method, a.request_uri, a.username);
    sip::Credentials c{.username = a.username,
                       .realm = a.realm,
                       .nonce = a.nonce,
                       .uri = a.uri,
                       .response = a.response,
                       .algorithm = a.algorithm,
                       .cnonce = a.cnonce,
                       .opaque = {},
                       .qop = a.qop,
                       .nc = a.nc};
    m.add(sip::HeaderName::kAuthorization, c.to_string());
    return m;
  }

  Verdict ask(const Endpoint& from, const std::string& user = "1001") {
    return auth.verify(message("REGISTER", "sip:bellwire.example", user), flow_from(from), directory, now);
  }
  std::string fresh_nonce(const Endpoint& from) {
    const Verdict verdict = ask(from);
    const auto* challenge = std::get_if<Challenge>(&verdict);
    return challenge == nullptr ? "" : nonce_of(*challenge);
  }
  static std::string nonce_of(const Challenge& challenge) {
    return std::string{sip::Challenge::parse(challenge.www_authenticate.front())->nonce};
  }
  Verdict send(const Endpoint& from, const Attempt& a) {
    return auth.verify(signed_request(a), flow_from(from), directory, now);
  }
  // Challenge and answer, as a phone does it.
  Verdict attempt(const Endpoint& from, Attempt a) {
    a.nonce = fresh_nonce(from);
    return a.nonce.empty() ? Verdict{Ignored{}} : send(from, a);
  }
  Verdict guess(const Endpoint& from, const std::string& user = "1001") {
    return attempt(from, {.username = user, .password = "wrong"});
  }

  static bool accepted(const Verdict& v, std::string_view as = "1001") {
    const auto* a = std::get_if<Accepted>(&v);
    return a != nullptr && a->extension.view() == as;
  }
  static bool challenged(const Verdict& v, bool stale) {
    const auto* c = std::get_if<Challenge>(&v);
    return c != nullptr && c->stale == stale;
  }
  static bool ignored(const Verdict& v) { return std::holds_alternative<Ignored>(v); }
  static Duration delay_of(const Verdict& v) { return std::get<Challenge>(v).delay; }

  sip::DigestComputer digest;
  SeededRng rng{42};
  model::Directory directory;
  Authenticator auth{rng, std::make_shared<const model::Settings>(default_settings())};
  Instant now = kStart;
};

}  // namespace bw::registrar
