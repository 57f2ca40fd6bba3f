#include "api/browser_logins.h"

#include <utility>
#include <vector>

#include "api/services.h"

namespace bw::api {
namespace {

void close(Services& services, const std::string& session) {
  services.ask(ports::AskBrowser{ports::BrowserSessionId{session}, ports::CloseBrowserSession{}},
               [](ports::Reply&&) {});
}

}  // namespace

void BrowserLogins::used(const ports::BrowserSessionId& session, const access::Principal& who) {
  logins_.insert_or_assign(session.value, who);
}

void BrowserLogins::end(Services& services, const std::function<bool(const access::Principal&)>& ended) {
  std::vector<std::string> sessions;
  for (const auto& [session, who] : logins_) {
    if (ended(who)) sessions.push_back(session);
  }
  for (const std::string& session : sessions) {
    logins_.erase(session);
    close(services, session);
  }
}

}  // namespace bw::api
