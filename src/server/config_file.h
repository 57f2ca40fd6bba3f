// config.yml on disk, with the .env beside it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "config/load.h"

namespace bw::server {

// Reads and checks it. An unreadable file is a problem like any other, of line 0. No path: the defaults.
config::Loaded read_config(const std::optional<std::filesystem::path>& path);

// Every problem on its own line, then a line that counts them; empty if there is none.
std::string to_text(const std::vector<config::Problem>& problems);

}  // namespace bw::server
