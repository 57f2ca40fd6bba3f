#include "server/data_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace bw::server {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string{} : std::string{value};
}

}  // namespace

std::filesystem::path default_data_directory() {
  const std::string given = environment("STATE_DIRECTORY");
  if (!given.empty()) return given.substr(0, given.find(':'));
  if (::geteuid() == 0) return "/var/lib/bellwire";
  const std::string state = environment("XDG_STATE_HOME");
  if (!state.empty()) return std::filesystem::path{state} / "bellwire";
  return std::filesystem::path{environment("HOME")} / ".local" / "state" / "bellwire";
}

std::filesystem::path control_socket(const std::filesystem::path& data_directory) {
  return data_directory / "bellwire.sock";
}

std::string belongs_to_another(const std::filesystem::path& path, int error) {
  return fmt::format(
      "{} belongs to another user: {}. Run the command as the user of the server, or as root: "
      "`sudo bellwire …`, `sudo -u bellwire bellwire …`.",
      path.string(), std::strerror(error));
}

std::optional<std::string> objection_to_user(const std::filesystem::path& data_directory) {
  if (::faccessat(AT_FDCWD, data_directory.c_str(), R_OK | W_OK | X_OK, AT_EACCESS) == 0) return std::nullopt;
  if (errno != EACCES && errno != EPERM) return std::nullopt;
  return belongs_to_another(data_directory, errno);
}

std::expected<DataDirectory, std::string> DataDirectory::open(const std::filesystem::path& path) {
  const auto failed = [&](std::string_view what) {
    return std::unexpected(
        fmt::format("data directory {}: {}: {}", path.string(), what, std::strerror(errno)));
  };
  std::error_code error;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return failed("cannot be made");
  struct stat s{};
  if (::stat(path.c_str(), &s) != 0) return failed("cannot be read");
  if (!S_ISDIR(s.st_mode)) {
    errno = ENOTDIR;
    return failed("cannot be used");
  }
  // Keys lie here: nobody else may look in.
  if ((s.st_mode & 0077U) != 0 && ::chmod(path.c_str(), 0700) != 0)
    return failed("is open to others, and chmod 700 failed");
  io::Descriptor lock{::open((path / "bellwire.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (!lock) return failed("is not writable");
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    return std::unexpected(
        fmt::format("data directory {}: another bellwire is running on it. `bellwire status --data {}` asks "
                    "it; stop it, or "
                    "give another directory with --data.",
                    path.string(), path.string()));
  }
  return DataDirectory{path, std::move(lock)};
}

}  // namespace bw::server
