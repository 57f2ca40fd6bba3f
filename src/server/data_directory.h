// Where the database, keys and the control socket lie. One running server per directory.
#pragma once

#include <expected>
#include <filesystem>
#include <optional>
#include <string>

#include "io/descriptor.h"

namespace bw::server {

// --data, else $STATE_DIRECTORY (systemd gives it), else /var/lib/bellwire for root, else
// $XDG_STATE_HOME/bellwire or ~/.local/state/bellwire.
std::filesystem::path default_data_directory();

// The socket on which a running server of this directory answers.
std::filesystem::path control_socket(const std::filesystem::path& data_directory);

// What to do about a directory, or its socket, that only another user may look into.
std::string belongs_to_another(const std::filesystem::path& path, int error);

// That, if it is so. None: this user may use the directory, or make it.
std::optional<std::string> objection_to_user(const std::filesystem::path& data_directory);

// Holds the lock from opening to destruction.
class DataDirectory {
 public:
  // Makes it (mode 0700) if absent. The error is a sentence: not writable, open to others, in use.
  static std::expected<DataDirectory, std::string> open(const std::filesystem::path& path);
  const std::filesystem::path& path() const { return path_; }

 private:
  DataDirectory(std::filesystem::path path, io::Descriptor lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}
  std::filesystem::path path_;
  io::Descriptor lock_;
};

}  // namespace bw::server
