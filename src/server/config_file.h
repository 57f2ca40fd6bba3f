// config.yml on disk, with the .env beside it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "config/load.h"

namespace bw::server {

// None: it cannot be read.
std::optional<std::string> read_text(const std::filesystem::path& path);
// In one step, so that a reader finds the old text or the new one; readable by whom it was before, at first
// by its owner alone. The text says why not.
std::optional<std::string> write_text(const std::filesystem::path& path, std::string_view text);
// `text` as if it stood in the file.
config::Loaded check_text(const std::filesystem::path& path, std::string_view text);

// Reads and checks it. An unreadable file is a problem like any other, of line 0. No path: the defaults.
config::Loaded read_config(const std::optional<std::filesystem::path>& path);

// Every problem on its own line, then a line that counts them; empty if there is none.
std::string to_text(const std::vector<config::Problem>& problems);

}  // namespace bw::server
