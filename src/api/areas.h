// The areas of the table (router.h), one file each, and what their handlers share.
#pragma once

#include <boost/json/object.hpp>
#include <span>

#include "api/router.h"

namespace bw::api {

std::span<const Route> system_routes();
std::span<const Route> login_routes();
std::span<const Route> account_routes();
std::span<const Route> lockout_routes();
std::span<const Route> documentation_routes();
std::span<const Route> extension_routes();
std::span<const Route> call_routes();
std::span<const Route> call_control_routes();
std::span<const Route> call_record_routes();
std::span<const Route> presence_routes();
std::span<const Route> operation_routes();
std::span<const Route> webhook_routes();
std::span<const Route> live_routes();
std::span<const Route> page_routes();
std::span<const Route> webrtc_routes();

// Where a person goes who only typed the name of the server, or a slash too much: the answer to a path that
// is no operation; none: there is nothing.
std::optional<http::Response> doorstep(Services& services, const http::Request& request);

// Whether `number` takes part in the call.
bool concerns(const ports::CallView& call, std::string_view number);

// {"success": true}
boost::json::object success();
// As the only field: the answer of what has nothing to tell.
extern const Shape kDone;

}  // namespace bw::api
