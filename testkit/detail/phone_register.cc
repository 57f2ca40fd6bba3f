// Registration of a phone (RFC 3261 §10, RFC 5626 §4.1).
#include <fmt/format.h>

#include "testkit/detail/pending.h"
#include "testkit/phone_text.h"
#include "testkit/stage.h"

namespace bw::testkit {
void Phone::belongs_to(Endpoint server, std::string domain) {
  server_ = server;
  domain_ = std::move(domain);
}

void Phone::registers() {
  if (on_) send_register(habits_.register_expires, false);
}

void Phone::unregisters(bool all_contacts) {
  if (on_) send_register(0, all_contacts);
}

void Phone::send_register(std::uint32_t expires, bool all_contacts) {
  if (register_call_id_.empty()) {
    register_call_id_ = stage_.rng().token(12) + "@" + ip_.to_string();
    register_cseq_ = 0;
  }
  const sip::Flow flow = flow_to_server();
  if (sip::is_stream(flow.transport) && !flow.connection) {  // nobody there: tries again
    registration_status_ = 503;
    later(5s, [this] { registers(); });
    return;
  }
  sip::Message m = sip::Message::request(sip::Method::kRegister, fmt::format("sip:{}", domain_));
  m.add(sip::HeaderName::kMaxForwards, "70");
  m.add(sip::HeaderName::kFrom, fmt::format("<sip:{}@{}>;tag={}", number_, domain_, stage_.rng().token(8)));
  m.add(sip::HeaderName::kTo, fmt::format("<sip:{}@{}>", number_, domain_));
  m.add(sip::HeaderName::kCallId, register_call_id_);
  m.add(sip::HeaderName::kCSeq, fmt::format("{} REGISTER", ++register_cseq_));
  if (all_contacts) {
    m.add(sip::HeaderName::kContact, "*");
  } else {
    std::string value = contact();
    if (!habits_.instance.empty())
      value += fmt::format(R"(;+sip.instance="<{}>";reg-id=1)", habits_.instance);
    m.add(sip::HeaderName::kContact, value);
  }
  m.add(sip::HeaderName::kExpires, fmt::format("{}", expires));
  m.add(sip::HeaderName::kSupported, "path, outbound");
  m.add(sip::HeaderName::kUserAgent, "Testkit " + name_);
  send(std::move(m), flow, 0);
}

void Phone::on_register_response(const sip::Message& response) {
  registration_status_ = response.status();
  if (response.status() == 423) {
    habits_.register_expires =
        leading_number(response.get(sip::HeaderName::kMinExpires).value_or("")).value_or(3600);
    return registers();
  }
  if (response.status() >= 300) {
    registered_ = false;
    return;
  }
  std::uint32_t granted = 0;
  for (const auto value : response.elements(sip::HeaderName::kContact)) {
    if (value.find(contact().substr(0, contact().size() - 1)) == value.npos) continue;
    granted = leading_number(parameter(value, "expires")).value_or(habits_.register_expires);
  }
  registered_ = granted > 0;
  const std::uint32_t round = ++register_round_;
  if (!registered_) return;
  later(std::chrono::seconds{granted} / 2, [this, round] {
    if (round == register_round_) registers();
  });
}

void Phone::sends_raw(std::string bytes) {
  if (!on_) return;
  const auto shared = std::make_shared<const std::string>(std::move(bytes));
  if (!sip::is_stream(habits_.transport)) return stage_.network().send(endpoint(), server_, shared);
  stage_.network().send_stream(flow_to_server().connection, endpoint(), shared);
}

}  // namespace bw::testkit
