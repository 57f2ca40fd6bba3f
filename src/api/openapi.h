// The description of the table for integrators: OpenAPI 3.1.
#pragma once

#include <boost/json/object.hpp>
#include <span>

#include "api/router.h"

namespace bw::api {

boost::json::object openapi(std::span<const Route> table);

}  // namespace bw::api
