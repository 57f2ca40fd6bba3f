// Requests from outside: who may ask what, and which core answers (RFC 3261 §8.2).
#include <utility>

#include "exchange/detail/system.h"
#include "sip/dialog.h"
#include "sip/name_addr.h"
#include "sip/via.h"

namespace bw::exchange {
namespace {

constexpr std::string_view kSupported = "100rel, replaces, timer, path, outbound, gruu";
constexpr std::string_view kAllow =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, PRACK, UPDATE, INFO, REFER, NOTIFY";

}  // namespace

void System::respond(sip::ServerTransactionId tx, sip::Message response, Instant now) {
  layer_.handle(sip::TransactionLayer::Input{sip::SendResponse{tx, std::move(response)}}, now);
}

void System::refuse(const sip::RequestReceived& in, int status, Instant now) {
  respond(in.id, sip::make_response(in.request, status, rng_.token(10)), now);
}

// RFC 3261 §8.2.7: what anybody can ask for without a password leaves nothing behind, neither memory nor
// repeated responses to an address that may be forged. Only who shows credentials, or belongs to a dialog,
// gets a transaction.
bool System::answer_without_state(const sip::Flow& flow, sip::Message& request, Instant now) {
  if (!sip::tag_of(request.get(sip::HeaderName::kTo).value_or("")).empty()) return false;
  const auto answer = [&](int status) {
    auto response = sip::make_response(request, status, stateless_tag(request));
    if (status == 200 || status == 405 || status == 501) response.add(sip::HeaderName::kAllow, kAllow);
    if (status == 200) {  // RFC 3261 §11.2: what a phone or monitor asks to see whether we live
      response.add(sip::HeaderName::kAccept, "application/sdp");
      response.add(sip::HeaderName::kSupported, kSupported);
    }
    answer_statelessly(flow, request, std::move(response));
    return true;
  };
  switch (request.method()) {
    case sip::Method::kInvite:
    case sip::Method::kRegister: {
      if (flow.transport == sip::Transport::kBrowser) return false;  // its page is logged in
      if (request.has(sip::HeaderName::kAuthorization)) return false;
      const auto verdict = authenticator_.verify(request, flow, *directory_, now);
      if (std::holds_alternative<registrar::Ignored>(verdict)) return true;
      const auto* wanted = std::get_if<registrar::Challenge>(&verdict);
      if (wanted == nullptr || wanted->delay > 0s) return false;
      auto response = sip::make_response(request, 401, stateless_tag(request));
      for (const auto& value : wanted->www_authenticate)
        response.add(sip::HeaderName::kWwwAuthenticate, value);
      answer_statelessly(flow, request, std::move(response));
      return true;
    }
    case sip::Method::kOptions:
      return answer(200);
    case sip::Method::kAck:
      return true;  // to nothing we know
    case sip::Method::kCancel:
      return false;
    case sip::Method::kBye:
    case sip::Method::kPrack:
    case sip::Method::kUpdate:
    case sip::Method::kInfo:
    case sip::Method::kNotify:
      return answer(481);
    case sip::Method::kRefer:
    case sip::Method::kSubscribe:
    case sip::Method::kMessage:
    case sip::Method::kPublish:
      return answer(405);
    case sip::Method::kUnknown:
      return answer(501);
  }
  return false;
}

// The same for a request and its repetitions, and for nobody to guess.
std::string System::stateless_tag(const sip::Message& request) const {
  const auto via = request.first_element(sip::HeaderName::kVia).value_or("");
  std::array<unsigned char, crypto_shorthash_BYTES> hash{};
  crypto_shorthash(hash.data(), reinterpret_cast<const unsigned char*>(via.data()), via.size(),
                   tag_key_.data());
  std::string tag;
  for (const unsigned char byte : hash) {
    tag += static_cast<char>('a' + byte % 26);
    tag += static_cast<char>('a' + byte / 26);
  }
  return tag;
}

// `response` was made from `request`; its top Via gets received and rport, and tells where it goes (§18.2.1,
// §18.2.2).
void System::answer_statelessly(const sip::Flow& flow, sip::Message& request, sip::Message response) {
  sip::Flow to = flow;
  if (const auto via = sip::Via::top(request)) {
    const std::string marked = via->with_source(flow.remote);
    response.replace_first_element(sip::HeaderName::kVia, marked);
    if (const auto back = sip::Via::parse(marked); back && !sip::is_stream(flow.transport)) {
      if (const auto address = back->response_address()) to.remote = *address;
    }
  }
  auto bytes = std::make_shared<std::string>();
  sip::write(response, *bytes);
  out.push_back(sip::Transmit{to, std::move(bytes)});
}

// Of somebody whose address may be forged: a transaction would repeat the refusal of an INVITE ten times, and
// keep that of anything else in memory for half a minute.
void System::refuse_once(sip::RequestReceived& in, sip::Message response, Instant now) {
  layer_.handle(sip::TransactionLayer::Input{sip::AbandonServer{in.id}}, now);
  answer_statelessly(in.flow, in.request, std::move(response));
}

// Answered without a transaction: what cannot be read cannot be matched either (RFC 3261 §8.2.7).
void System::answer_unreadable(const sip::Flow& flow, const sip::Message& request,
                               const sip::Rejection& why) {
  if (request.method() == sip::Method::kAck || !request.has(sip::HeaderName::kVia)) return;
  auto response = sip::make_response(request, why.status, rng_.token(10), why.status == 400 ? why.why : "");
  if (why.header != sip::HeaderName::kUnknown) response.add(why.header, why.header_value);
  auto bytes = std::make_shared<std::string>();
  sip::write(response, *bytes);
  out.push_back(sip::Transmit{flow, std::move(bytes)});
}

void System::on_request(sip::RequestReceived in, Instant now) {
  const auto to = in.request.get(sip::HeaderName::kTo).value_or("");
  if (!sip::tag_of(to).empty()) {
    if (in.id && !calls_.has_dialog(in.request))
      return refuse_once(in, sip::make_response(in.request, 481, {}), now);
    calls_.handle(calls::Calls::Input{calls::DialogRequest{in.id, in.flow, std::move(in.request)}}, now);
    return;
  }
  // Everything else without a To tag was answered without a transaction.
  const sip::Method method = in.request.method();
  if (method == sip::Method::kInvite || method == sip::Method::kRegister)
    return on_new_request(std::move(in), now);
  refuse(in, 481, now);
}

void System::on_new_request(sip::RequestReceived in, Instant now) {
  if (in.flow.transport == sip::Transport::kBrowser) return on_browser_invite(std::move(in), now);
  auto verdict = authenticator_.verify(in.request, in.flow, *directory_, now);
  if (const auto* wrong = std::get_if<registrar::Challenge>(&verdict)) return challenge(in, *wrong, now);
  if (std::holds_alternative<registrar::Ignored>(verdict)) {
    layer_.handle(sip::TransactionLayer::Input{sip::AbandonServer{in.id}}, now);
    return;
  }
  auto& who = std::get<registrar::Accepted>(verdict).extension;
  if (in.request.method() == sip::Method::kRegister) return on_register(std::move(in), who, now);
  calls_.handle(
      calls::Calls::Input{calls::InviteArrived{in.id, in.flow, std::move(in.request), std::move(who)}}, now);
}

// A session is opened by who is logged in as its extension: its calls need no further proof.
void System::on_browser_invite(sip::RequestReceived in, Instant now) {
  const auto* who = browsers_.extension_of(in.flow.connection);
  if (who == nullptr || in.request.method() != sip::Method::kInvite) return refuse(in, 403, now);
  calls_.handle(calls::Calls::Input{calls::InviteArrived{in.id, in.flow, std::move(in.request), *who}}, now);
}

void System::challenge(sip::RequestReceived& in, const registrar::Challenge& challenge, Instant now) {
  auto response = sip::make_response(in.request, 401, stateless_tag(in.request));
  for (const std::string& value : challenge.www_authenticate) {
    response.add(sip::HeaderName::kWwwAuthenticate, value);
  }
  if (!challenge.counted && challenge.delay <= 0s) return refuse_once(in, std::move(response), now);
  if (challenge.delay <= 0s || delayed_.size() >= limits_.waiting_answers)
    return respond(in.id, std::move(response), now);
  const std::uint64_t key = next_delayed_++;
  Delayed& delayed = delayed_[key];
  delayed.held = {in.id, std::move(response)};
  delays_.arm(delayed.timer, now + challenge.delay, key);
}

// The 200 waits until the binding is in the database: a phone that was told "registered" can be called after
// any crash.
void System::on_register(sip::RequestReceived in, const model::ExtensionNumber& who, Instant now) {
  auto result = registrar_.process(in.request, in.flow, who, now);
  if (sip::is_stream(in.flow.transport) && result.response.status() < 300) {
    const std::string agent{in.request.get(sip::HeaderName::kUserAgent).value_or("")};
    calls_.handle(calls::Calls::Input{calls::PhoneMoved{who, in.flow, agent}}, now);
  }
  if (result.changes.empty() || until_stored_.size() >= limits_.waiting_answers) {
    store(result.changes, {}, now);
    return respond(in.id, std::move(result.response), now);
  }
  const ports::Ticket ticket{next_ticket_++};
  until_stored_.emplace(ticket, Held{in.id, std::move(result.response)});
  store(result.changes, ticket, now);
}

}  // namespace bw::exchange
