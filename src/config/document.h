// The configuration as one JSON document: every key of the table with the value that is in force.
#pragma once

#include <boost/json/object.hpp>

#include "config/config.h"

namespace bw::config {

// Stands for a secret that is there. Absent ones are "".
inline constexpr const char* kMask = "********";

boost::json::object document(const Config& config);

}  // namespace bw::config
