// How messages find their transaction (RFC 3261 §17.1.3, §17.2.3), and the top Via of what comes and goes
// (§8.1.1.7, §18.2.1, RFC 3581).
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/rng.h"
#include "sip/cseq.h"
#include "sip/flow.h"
#include "sip/message.h"
#include "sip/via.h"

namespace bw::sip::detail {

// What matching needs of a request; views into it.
struct RequestFacts {
  std::string_view top_via;
  Via via;
  std::string_view call_id;
  std::string_view from_tag;
  std::string_view to_tag;
  CSeq cseq;
};

// What a request lacks so badly that no transaction can hold it; kNoVia cannot even be answered.
enum class BadRequest : std::uint8_t { kNoVia, kNoCallId, kNoFrom, kNoTo, kNoCSeq, kOtherMethodInCSeq };
std::string_view to_sentence(BadRequest why);

std::expected<RequestFacts, BadRequest> facts_of(const Message& request);

// §17.2.3 as text. With the magic cookie: branch, sent-by and method; without (RFC 2543 peers): Request-URI,
// From tag, Call-ID, CSeq number and the whole top Via. An ACK finds its INVITE; a CANCEL has a key of its
// own unless `of_invite` asks for the one it cancels.
void server_key(const RequestFacts& facts, const Message& request, bool of_invite, std::string& out);
// §8.2.2.2: what two copies of one request that came by different ways have in common.
void merge_key(const RequestFacts& facts, std::string& out);

// §18.2.1 and RFC 3581 §4: notes in the top Via where the request really came from.
void mark_source(Message& request, const RequestFacts& facts, const Flow& flow);
// §18.2.2: where its response goes. A maddr is not obeyed: it would let strangers aim our answers.
Flow response_flow(const RequestFacts& facts, const Flow& flow);

std::optional<std::string_view> response_branch(const Message& response);

std::string new_branch(Rng& rng);
// For a request of ours to `to`; an empty `sent_by` means our end of that flow.
std::string own_via(const Flow& to, std::string_view sent_by, std::string_view branch);

}  // namespace bw::sip::detail
