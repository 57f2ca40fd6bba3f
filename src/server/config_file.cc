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

#include "io/certificate.h"
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

config::Problem problem_at(const config::Loaded& loaded, const std::string& file, const std::string& key,
                           std::string message) {
  config::Problem problem{.file = file, .key = key, .message = std::move(message)};
  if (const auto line = loaded.file_lines.find(key); line != loaded.file_lines.end())
    problem.line = line->second;
  return problem;
}

// Whoever checks may be another user than the server's, which alone may read the key.
std::optional<config::Problem> objection_to_file(const config::Loaded& loaded, const std::string& file,
                                                 const std::string& key, const std::string& named) {
  const io::Descriptor opened{::open(named.c_str(), O_RDONLY | O_CLOEXEC)};
  if (opened) return std::nullopt;
  const int why = errno;
  auto problem =
      problem_at(loaded, file, key, fmt::format("{} cannot be read: {}", named, std::strerror(why)));
  if (why == EACCES) {
    problem.message += " for the user who asks; the server's has to be able to";
    problem.severity = config::Severity::kWarning;
  }
  return problem;
}

// What the text alone cannot tell of the certificates it names.
void check_certificates(const std::string& file, config::Loaded& loaded) {
  if (!loaded.config.security.enable_tls) return;
  struct Pair {
    std::string section, certificate, key;
  };
  for (const Pair& p :
       {Pair{"api", loaded.config.api.tls_cert_file, loaded.config.api.tls_key_file},
        Pair{"security", loaded.config.security.tls_cert_file, loaded.config.security.tls_key_file}}) {
    if (p.certificate.empty() || p.key.empty()) continue;
    const std::size_t before = loaded.problems.size();
    for (const auto& [key, named] :
         {std::pair{".tls_cert_file", &p.certificate}, {".tls_key_file", &p.key}}) {
      if (auto problem = objection_to_file(loaded, file, p.section + key, *named))
        loaded.problems.push_back(std::move(*problem));
    }
    if (loaded.problems.size() > before) continue;
    const auto tried = io::try_tls_files({p.certificate, p.key});
    if (tried) continue;
    const bool certificate = io::read_certificate(p.certificate).has_value();
    loaded.problems.push_back(problem_at(
        loaded, file, p.section + (certificate ? ".tls_key_file" : ".tls_cert_file"), tried.error()));
  }
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
  check_certificates(path.string(), loaded);
  return loaded;
}

config::Loaded read_config(const std::optional<std::filesystem::path>& path) {
  if (!path) return config::load("", "defaults", environment_with({}));
  const auto text = read_text(*path);
  if (!text) {
    config::Loaded failed;
    config::Problem problem;
    problem.file = path->string();
    std::error_code error;
    const bool directory = std::filesystem::is_directory(*path, error);
    problem.message = directory    ? "is a directory; name the file in it"
                      : errno != 0 ? fmt::format("cannot be read: {}", std::strerror(errno))
                                   : "cannot be read: not a file";
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
