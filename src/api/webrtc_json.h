// Browser sessions and what is pushed to their pages, as JSON.
#pragma once

#include <boost/json/object.hpp>
#include <string_view>

#include "ports/browser.h"

namespace bw::api {

boost::json::object to_json(const ports::BrowserSession& session);
boost::json::object to_json(const ports::IceServers& ice);
// "webrtc.incoming" and so on.
std::string_view type_of(const ports::BrowserPush& push);
// The message of the live stream.
boost::json::object to_json(const ports::BrowserPush& push);

}  // namespace bw::api
