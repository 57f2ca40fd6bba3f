// What other areas need of the extensions.
#pragma once

#include <string>

#include "api/body.h"

namespace bw::api {

Problem no_such_extension(const std::string& number);

}  // namespace bw::api
