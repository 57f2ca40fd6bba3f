// Handlers of /api/extensions.
#pragma once

#include <string>

#include "api/router.h"

namespace bw::api {

void list_extensions(Services& services, Exchange&& exchange);
void add_extension(Services& services, Exchange&& exchange);
void show_extension(Services& services, Exchange&& exchange);
void change_extension(Services& services, Exchange&& exchange);
void remove_extension(Services& services, Exchange&& exchange);

Problem no_such_extension(const std::string& number);

}  // namespace bw::api
