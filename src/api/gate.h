// What stands before the table: who is asking, how often, from which page, and whether it was asked before.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "access/access.h"
#include "access/failure_log.h"
#include "api/router.h"

namespace bw::api {

// Lives on the front thread, as long as the doors that give it requests.
class Gate {
 public:
  explicit Gate(Services& services) : services_(services) {}

  void from_network(http::Request&& request, http::Respond respond);
  // Whoever may open the control socket: an admin who needs no login.
  void from_operator(http::Request&& request, http::Respond respond);
  // Every second or so: what was counted goes to the audit log.
  void look_after();
  // The same for all of it, once no more requests come.
  void finish();

 private:
  void admit(http::Request&& request, const access::Principal& principal, http::Respond respond);
  std::optional<Problem> objection_to_page(const http::Request& request,
                                           const access::Principal& principal) const;
  http::Response to_sip(const http::Request& request) const;
  bool is_welcome(std::string_view origin, const http::Request& request) const;
  http::Respond with_headers(const http::Request& request, const access::Principal& principal,
                             http::Respond respond);

  void write_down(access::AuditEntry&& entry);

  Services& services_;
  access::FailureLog failures_;
};

}  // namespace bw::api
