// Which login opened which browser session, so that the session ends with it. Another password of an
// extension ends its sessions without this: the phone system sees it in the directory.
#pragma once

#include <functional>
#include <string>
#include <unordered_map>

#include "access/principal.h"
#include "ports/browser.h"

namespace bw::api {

class Services;

// Part of the live stream, where pages are known; of the thread of the API.
class BrowserLogins {
 public:
  // Opened, or taken over: a page goes on after its person has logged in anew.
  void used(const ports::BrowserSessionId& session, const access::Principal& who);
  void closed(const ports::BrowserSessionId& session) { logins_.erase(session.value); }
  // Has the phone system close those of the logins that `ended` names.
  void end(Services& services, const std::function<bool(const access::Principal&)>& ended);

 private:
  std::unordered_map<std::string, access::Principal> logins_;  // as many as there are sessions
};

}  // namespace bw::api
