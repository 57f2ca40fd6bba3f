#include "server/config_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <system_error>

#include "io/descriptor.h"

namespace bw::server {
namespace {

// The process environment wins over .env, as everywhere.
config::Environment environment_with(const config::Environment& from_file) {
  config::Environment all;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view pair = *entry;
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos) all.emplace(pair.substr(0, equals), pair.substr(equals + 1));
  }
  all.insert(from_file.begin(), from_file.end());
  return all;
}

}  // namespace

std::optional<std::string> read_text(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in || std::filesystem::is_directory(path)) return std::nullopt;
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

std::optional<std::string> write_text(const std::filesystem::path& path, std::string_view text) {
  std::error_code error;
  const auto real = std::filesystem::weakly_canonical(path, error);
  const std::string target = (error ? path : real).string();
  const std::string fresh = target + ".new";
  struct ::stat before{};
  const bool exists = ::stat(target.c_str(), &before) == 0;
  const auto why = [&] { return fmt::format("{} cannot be written: {}", target, std::strerror(errno)); };
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                        exists ? before.st_mode & 0777 : 0600);
  if (fd < 0) return why();
  const io::Descriptor file(fd);
  bool done = ::fchmod(fd, exists ? before.st_mode & 0777 : 0600) == 0;
  while (done && !text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    done = written > 0;
    if (done) text.remove_prefix(static_cast<std::size_t>(written));
  }
  done = done && ::fsync(fd) == 0 && ::rename(fresh.c_str(), target.c_str()) == 0;
  if (done) return std::nullopt;
  std::string reason = why();
  ::unlink(fresh.c_str());
  return reason;
}

config::Loaded check_text(const std::filesystem::path& path, std::string_view text) {
  const auto env_path = path.parent_path() / ".env";
  config::DotEnv env;
  if (const auto env_text = read_text(env_path)) env = config::parse_dotenv(*env_text, env_path.string());
  config::Loaded loaded = config::load(text, path.string(), environment_with(env.values));
  loaded.problems.insert(loaded.problems.begin(), env.problems.begin(), env.problems.end());
  return loaded;
}

config::Loaded read_config(const std::optional<std::filesystem::path>& path) {
  if (!path) return config::load("", "defaults", environment_with({}));
  const auto text = read_text(*path);
  if (!text) {
    config::Loaded failed;
    config::Problem problem;
    problem.file = path->string();
    problem.message = fmt::format("cannot be read: {}", errno != 0 ? std::strerror(errno) : "not a file");
    failed.problems.push_back(std::move(problem));
    return failed;
  }
  return check_text(*path, *text);
}

std::string to_text(const std::vector<config::Problem>& problems) {
  if (problems.empty()) return {};
  std::string text;
  for (const config::Problem& p : problems) text += config::to_text(p) + "\n";
  const auto errors = std::ranges::count(problems, config::Severity::kError, &config::Problem::severity);
  const auto total = static_cast<std::ptrdiff_t>(problems.size());
  return text + fmt::format("{} error{}, {} warning{}\n", errors, errors == 1 ? "" : "s", total - errors,
                            total - errors == 1 ? "" : "s");
}

}  // namespace bw::server
