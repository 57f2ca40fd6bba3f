#include "sip/detail/matching.h"

#include "sip/grammar.h"
#include "sip/name_addr.h"

namespace bw::sip::detail {
namespace {

void append_lower(std::string& out, std::string_view text) {
  for (const char c : text) out.push_back(to_lower(c));
}

}  // namespace

std::string_view to_sentence(BadRequest why) {
  switch (why) {
    case BadRequest::kNoVia:
      return "Via is missing or malformed";
    case BadRequest::kNoCallId:
      return "Call-ID is missing";
    case BadRequest::kNoFrom:
      return "From is missing";
    case BadRequest::kNoTo:
      return "To is missing";
    case BadRequest::kNoCSeq:
      return "CSeq is missing or malformed";
    case BadRequest::kOtherMethodInCSeq:
      return "CSeq names another method";
  }
  return {};
}

std::expected<RequestFacts, BadRequest> facts_of(const Message& request) {
  RequestFacts facts;
  facts.top_via = request.first_element(HeaderName::kVia).value_or("");
  const auto via = Via::parse(facts.top_via);
  if (!via) return std::unexpected{BadRequest::kNoVia};
  facts.via = *via;
  facts.call_id = request.get(HeaderName::kCallId).value_or("");
  if (facts.call_id.empty()) return std::unexpected{BadRequest::kNoCallId};
  const auto from = request.get(HeaderName::kFrom);
  if (!from || from->empty()) return std::unexpected{BadRequest::kNoFrom};
  facts.from_tag = tag_of(*from);
  const auto to = request.get(HeaderName::kTo);
  if (!to || to->empty()) return std::unexpected{BadRequest::kNoTo};
  facts.to_tag = tag_of(*to);
  const auto cseq = CSeq::parse(request.get(HeaderName::kCSeq).value_or(""));
  if (!cseq) return std::unexpected{BadRequest::kNoCSeq};
  if (cseq->method_name != request.method_name()) return std::unexpected{BadRequest::kOtherMethodInCSeq};
  facts.cseq = *cseq;
  return facts;
}

void server_key(const RequestFacts& facts, const Message& request, bool of_invite, std::string& out) {
  // A byte that no header value holds parts the fields, so that no two sets of fields make one key.
  constexpr char kPart = '\n';
  out.clear();
  if (facts.via.has_magic_branch()) {
    out.append(facts.via.branch()).push_back(kPart);
    append_lower(out, facts.via.host);
    out.append(":").append(std::to_string(facts.via.port.value_or(0)));
  } else {
    out.append(request.request_uri()).push_back(kPart);
    out.append(facts.from_tag).push_back(kPart);
    out.append(facts.call_id).push_back(kPart);
    out.append(std::to_string(facts.cseq.number)).push_back(kPart);
    out.append(facts.top_via);
  }
  out.push_back(kPart);
  const bool invite = of_invite || request.method() == Method::kAck;
  out.append(invite ? name_of(Method::kInvite) : request.method_name());
}

void merge_key(const RequestFacts& facts, std::string& out) {
  out.assign(facts.from_tag).push_back('\n');
  out.append(facts.call_id).push_back('\n');
  out.append(std::to_string(facts.cseq.number)).append(facts.cseq.method_name);
}

void mark_source(Message& request, const RequestFacts& facts, const Flow& flow) {
  request.replace_first_element(HeaderName::kVia, facts.via.with_source(flow.remote));
}

Flow response_flow(const RequestFacts& facts, const Flow& flow) {
  if (is_stream(flow.transport) || facts.via.params.has("rport")) return flow;
  Flow to = flow;
  to.remote.port = facts.via.port.value_or(5060);
  return to;
}

std::optional<std::string_view> response_branch(const Message& response) {
  const auto via = Via::top(response);
  if (!via || via->branch().empty()) return std::nullopt;
  return via->branch();
}

std::string new_branch(Rng& rng) {
  std::string branch{Via::kMagic};
  branch += rng.token(16);
  return branch;
}

std::string own_via(const Flow& to, std::string_view sent_by, std::string_view branch) {
  const bool rport = to.transport == Transport::kUdp;  // RFC 3581 §3
  if (!sent_by.empty()) return make_via(to.transport, sent_by, branch, rport);
  return make_via(to.transport, to.local.to_string(), branch, rport);
}

}  // namespace bw::sip::detail
