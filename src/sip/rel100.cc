#include "sip/rel100.h"

#include <cassert>
#include <utility>

#include "sip/cseq.h"
#include "sip/number.h"
#include "sip/rack.h"
#include "sip/token_list.h"

namespace bw::sip {
namespace {

constexpr std::string_view k100rel = "100rel";

std::optional<CSeq> cseq_of(const Message& message) {
  return CSeq::parse(message.get(HeaderName::kCSeq).value_or(""));
}

}  // namespace

bool requires_100rel(const Message& invite) {
  return lists(invite, HeaderName::kRequire, k100rel);
}
bool supports_100rel(const Message& invite) {
  return requires_100rel(invite) || lists(invite, HeaderName::kSupported, k100rel);
}

const Message& ReliableProvisional::start(Message response, Rng& rng, Instant now, Duration t1) {
  assert(!waiting() && response.status() > 100 && response.status() < 200);
  // §3: the first between 1 and 2^31-1, then one more each; a start in the lower half never runs over.
  rseq_ = rseq_ == 0 ? static_cast<std::uint32_t>(1 + rng.below(std::uint64_t{1} << 30U)) : rseq_ + 1;
  if (!requires_100rel(response)) response.add(HeaderName::kRequire, k100rel);
  response.set(HeaderName::kRSeq, std::to_string(rseq_));
  response_ = std::move(response);
  interval_ = t1;
  next_ = now + t1;
  end_ = now + 64 * t1;
  return *response_;
}

bool ReliableProvisional::acknowledged_by(const Message& prack) {
  if (!waiting()) return false;
  const auto rack = RAck::parse(prack.get(HeaderName::kRAck).value_or(""));
  const auto cseq = cseq_of(*response_);
  if (!rack || !cseq || rack->rseq != rseq_) return false;
  if (rack->cseq.number != cseq->number || rack->cseq.method_name != cseq->method_name) return false;
  response_.reset();
  return true;
}

Deadline ReliableProvisional::deadline() const {
  if (!waiting()) return Deadline::never();
  return Deadline{next_, "a reliable provisional response again (RFC 3262 §3)"}.earliest(
      {end_, "no PRACK came (RFC 3262 §3)"});
}

ReliableProvisional::Due ReliableProvisional::tick(Instant now) {
  if (!waiting()) return Due::kNothing;
  if (now >= end_) {
    response_.reset();
    return Due::kGaveUp;
  }
  if (now < next_) return Due::kNothing;
  interval_ *= 2;
  next_ = now + interval_;
  return Due::kRepeat;
}

ProvisionalOrder::Verdict ProvisionalOrder::take(const Message& response) {
  const auto rseq = rseq_of(response);
  const bool provisional = response.status() > 100 && response.status() < 200;
  if (!provisional || !rseq || !requires_100rel(response)) return Verdict::kUnreliable;
  if (last_ == 0 || *rseq == last_ + 1) {
    last_ = *rseq;
    return Verdict::kNew;
  }
  return *rseq <= last_ ? Verdict::kRepeated : Verdict::kOutOfOrder;
}

Message make_prack(Dialog& dialog, const Message& response) {
  Message prack = dialog.make_request(Method::kPrack);
  const auto cseq = cseq_of(response);
  const auto rseq = rseq_of(response);
  if (cseq && rseq) prack.add(HeaderName::kRAck, RAck{*rseq, *cseq}.to_string());
  return prack;
}

}  // namespace bw::sip
