// A dialog (RFC 3261 §12) as a plain value: tags, sequence numbers, route set, remote target.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sip/flow.h"
#include "sip/message.h"

namespace bw::sip {

enum class DialogError : std::uint8_t {
  kOutOfOrder,     // RFC 3261 §12.2.2: CSeq lower than seen: answer 500
  kNoTag,          // a response or request without the tag that makes a dialog
  kTooManyRoutes,  // more Record-Route than DialogLimits allows
};

struct DialogLimits {
  static constexpr std::size_t kRoutes = 32;
};

class Dialog {
 public:
  // RFC 3261 §12.1.1: we answer `request` with a To tag of `local_tag`. `contact`: our Contact value.
  static std::expected<Dialog, DialogError> as_uas(const Message& request, std::string_view local_tag,
                                                   std::string_view contact, bool secure);
  // A From without tag (RFC 2543 peers) is a remote tag of nothing, as §12.1.1 says.
  // RFC 3261 §12.1.2: `response` (101-299 with a To tag) to our `request`.
  static std::expected<Dialog, DialogError> as_uac(const Message& request, const Message& response);

  const std::string& call_id() const { return call_id_; }
  const std::string& local_tag() const { return local_tag_; }
  const std::string& remote_tag() const { return remote_tag_; }

  // A request inside the dialog with the next CSeq: Request-URI and Route per §12.2.1.1 (strict routers too),
  // From, To, Call-ID, CSeq, Max-Forwards 70, Contact. No Via: the transaction layer adds it.
  Message make_request(Method method);
  // §13.2.2.4: the ACK to a 2xx of the INVITE with this CSeq number.
  Message make_ack(std::uint32_t invite_cseq) const;
  // A response to `request` with our tag in To, Record-Route copied where a dialog is made, Contact if
  // 1xx/2xx.
  Message make_response(const Message& request, int status, std::string_view reason = {}) const;

  // §12.2.2: checks and records the CSeq of a request of the peer (ACK and CANCEL are always in order).
  std::expected<void, DialogError> accept(const Message& request);
  // Target refresh (§12.2): takes the Contact of an INVITE or UPDATE request or of its 2xx.
  void refresh_target(const Message& message);
  // After a 2xx whose route set differs from the early dialog's (§13.2.2.4). Too many routes: kept as it was.
  void refresh_route_set(const Message& response);

  // The URI whose host is the next hop: first Route, else the remote target. A view into the dialog.
  std::string_view next_hop() const;
  const std::string& remote_target() const { return remote_target_; }
  std::uint32_t local_cseq() const { return local_cseq_; }
  bool secure() const { return secure_; }

  // Is `message` (request from the peer, or response to us) of this dialog?
  bool matches(const Message& message) const;
  std::size_t memory_bytes() const;

 private:
  Message start_request(Method method, std::uint32_t cseq) const;

  std::string call_id_, local_tag_, remote_tag_;
  std::string local_uri_, remote_uri_;  // whole From/To values without their tags
  std::string remote_target_, contact_;
  std::vector<std::string> route_set_;
  std::uint32_t local_cseq_ = 0;
  std::optional<std::uint32_t> remote_cseq_;
  bool secure_ = false;
};

// Response made straight from a request outside any dialog (§8.2.6): Via, From, To, Call-ID, CSeq copied;
// `to_tag` added to To unless it has one (pass empty for 100).
Message make_response(const Message& request, int status, std::string_view to_tag,
                      std::string_view reason = {});

}  // namespace bw::sip
