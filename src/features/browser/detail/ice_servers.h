// What a page is told about STUN and TURN.
#pragma once

#include <string_view>

#include "base/time.h"
#include "model/browser_calling.h"
#include "ports/browser.h"

namespace bw::browser {

// With a secret, TURN credentials that end by themselves: the scheme of coturn's use-auth-secret
// (draft-uberti-behave-turn-rest-00 §2.2), for `user` and from `now` on.
ports::IceServers ice_servers(const model::BrowserCalling& settings, std::string_view user, Instant now);

}  // namespace bw::browser
