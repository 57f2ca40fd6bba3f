#include "server/config_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace bw::server {
namespace {

std::optional<std::string> read_text(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in || std::filesystem::is_directory(path)) return std::nullopt;
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

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
  const auto env_path = path->parent_path() / ".env";
  config::DotEnv env;
  if (const auto env_text = read_text(env_path)) env = config::parse_dotenv(*env_text, env_path.string());
  config::Loaded loaded = config::load(*text, path->string(), environment_with(env.values));
  loaded.problems.insert(loaded.problems.begin(), env.problems.begin(), env.problems.end());
  return loaded;
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
