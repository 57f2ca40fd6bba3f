#include "server/config_change.h"

#include <algorithm>
#include <set>

#include "config/change.h"
#include "config/document.h"
#include "server/config_file.h"
#include "server/log_file.h"

namespace bw::server {
namespace {

namespace json = boost::json;

api::ConfigurationOutcome refused(int status, std::string code, std::string sentence) {
  api::ConfigurationOutcome outcome;
  outcome.refused = ports::Refused{status, std::move(code), std::move(sentence)};
  return outcome;
}

// Without its line: that is one of a file which nobody has seen.
api::ConfigurationProblem told(const config::Problem& p) {
  std::string sentence = p.message;
  if (!p.nearest.empty()) sentence += "; did you mean \"" + p.nearest + "\"?";
  if (!p.allowed.empty()) sentence += " (allowed: " + p.allowed + ')';
  return {p.key, std::move(sentence), p.severity == config::Severity::kWarning};
}

void tell(const std::vector<config::Problem>& problems, api::ConfigurationOutcome& outcome) {
  for (const config::Problem& p : problems) outcome.problems.push_back(told(p));
}

json::value value_at(const json::object& document, std::string_view path) {
  const json::object* at = &document;
  for (;;) {
    const auto dot = path.find('.');
    const json::value* held = at->if_contains(path.substr(0, dot));
    if (held == nullptr || dot == path.npos) return held == nullptr ? json::value{} : *held;
    at = held->if_object();
    if (at == nullptr) return {};
    path.remove_prefix(dot + 1);
  }
}

// The keys below which two documents differ; lists as a whole.
void compare(const json::object& a, const json::object& b, const std::string& path,
             std::vector<std::string>& keys) {
  for (const auto& entry : b) {
    const std::string at = path + std::string(entry.key());
    const json::value* held = a.if_contains(entry.key());
    if (held != nullptr && *held == entry.value()) continue;
    if (held != nullptr && held->is_object() && entry.value().is_object()) {
      compare(held->get_object(), entry.value().get_object(), at + '.', keys);
    } else {
      keys.push_back(at);
    }
  }
}

struct Files {
  explicit Files(const ConfigChangeScope& scope)
      : config(*scope.setup.config_file),
        previous(scope.data_directory / "config.previous.yml"),
        written(scope.data_directory / "config.written.yml") {}
  std::filesystem::path config;
  std::filesystem::path previous;  // what undo brings back
  std::filesystem::path written;  // what the last change wrote: undo must not lose what somebody edited since
};

// `outcome` holds already what changed.
api::ConfigurationOutcome put_in_force(const ConfigChangeScope& scope, const Files& files,
                                       const std::string& before, const std::string& after,
                                       api::ConfigurationOutcome outcome) {
  for (const auto& [path, text] : {std::pair{&files.previous, &before}, {&files.config, &after}}) {
    if (const auto why_not = write_text(*path, *text)) return refused(409, "not_writable", *why_not);
  }
  api::ReloadOutcome reloaded = scope.reload();
  if (!reloaded.applied) {
    static_cast<void>(write_text(files.config, before));
    outcome.problems.clear();
    for (std::string& p : reloaded.problems) outcome.problems.push_back({"", std::move(p)});
    return outcome;
  }
  static_cast<void>(write_text(files.written, after));
  outcome.applied = true;
  outcome.needs_restart = std::move(reloaded.needs_restart);
  return outcome;
}

void note_changes(const json::object& before, const json::object& after, api::ConfigurationOutcome& outcome) {
  for (const std::string& key : outcome.changed) {
    outcome.before[key] = value_at(before, key);
    outcome.after[key] = value_at(after, key);
  }
}

bool lies_in(const std::filesystem::path& file, const std::filesystem::path& directory) {
  std::error_code error;
  const auto whole = std::filesystem::weakly_canonical(directory, error);
  if (error || whole.empty()) return false;
  const auto [end, ignored] = std::ranges::mismatch(whole, file);
  return end == whole.end();
}

// Whoever may change the configuration need not be one who may write any file of the machine. Links are
// followed before it is looked where they lead.
std::optional<std::string> objection_to_path(const ConfigChangeScope& scope, const std::string& path,
                                             bool is_log) {
  if (path.empty()) return std::nullopt;
  std::error_code error;
  const auto file = std::filesystem::weakly_canonical(scope.data_directory / path, error);
  std::vector<std::filesystem::path> allowed{scope.data_directory};
  if (is_log) allowed.insert(allowed.end(), scope.log_directories.begin(), scope.log_directories.end());
  const bool inside =
      !error && std::ranges::any_of(allowed, [&](const auto& directory) { return lies_in(file, directory); });
  const auto kind = std::filesystem::status(file, error).type();
  const bool is_file = kind == std::filesystem::file_type::regular ||
                       (kind == std::filesystem::file_type::not_found &&
                        std::filesystem::is_directory(file.parent_path(), error));
  if (inside && is_file && (!is_log || file.extension() == ".log")) return std::nullopt;
  std::string places;
  for (const auto& directory : allowed) places += (places.empty() ? "" : " or ") + directory.string();
  return std::string(is_log ? "over the API a log file must end in .log and lie in "
                            : "over the API the database must lie in ") +
         places + "; any other place can be named in the file itself";
}

// What would be written, of the paths that change.
void object_to_paths(const ConfigChangeScope& scope, const config::Config& next,
                     const std::vector<std::string>& changed, api::ConfigurationOutcome& outcome) {
  struct Written {
    const char* key;
    const std::string& path;
    bool is_log;
  };
  for (const auto& [key, path, is_log] :
       {Written{"logging.file", next.logging.file, true},
        Written{"security.audit.log_file", next.security.audit.log_file, true},
        Written{"database.path", next.database.path, false}}) {
    if (std::ranges::none_of(changed, [&](const std::string& c) {
          return c == key || std::string_view(key).starts_with(c + '.');
        }))
      continue;
    if (auto why = objection_to_path(scope, path, is_log)) outcome.problems.push_back({key, std::move(*why)});
  }
}

std::optional<api::ConfigurationOutcome> objection(const ConfigChangeScope& scope) {
  if (scope.setup.config_file) return std::nullopt;
  return refused(409, "no_file",
                 "The server was started without a configuration file: start it with --config FILE.");
}

}  // namespace

std::vector<std::string> differing_keys(const json::object& before, const json::object& after) {
  std::vector<std::string> keys;
  compare(before, after, "", keys);
  return keys;
}

std::vector<std::filesystem::path> log_directories(const config::Config& config,
                                                   const std::filesystem::path& data_directory) {
  std::vector<std::filesystem::path> found;
  for (const std::string* file : {&config.logging.file, &config.security.audit.log_file}) {
    if (!file->empty())
      found.push_back(std::filesystem::absolute(log_file_in(data_directory, *file)).parent_path());
  }
  return found;
}

api::ConfigurationOutcome change_configuration(const ConfigChangeScope& scope, const json::object& wanted) {
  if (auto no = objection(scope)) return std::move(*no);
  const Files files(scope);
  const auto text = read_text(files.config);
  if (!text) return refused(409, "no_file", files.config.string() + " cannot be read.");
  const config::Loaded now = check_text(files.config, *text);
  if (!now.usable())
    return refused(409, "bad_configuration", "The file has errors already; mend it first (bellwire check).");
  const json::object in_force = config::document(now.config);
  config::Change change = config::change(*text, in_force, wanted);
  api::ConfigurationOutcome outcome;
  tell(change.problems, outcome);
  // What the loader has to say comes at once with the rest, as far as there is a text to load.
  const config::Loaded next = check_text(files.config, change.text);
  tell(next.problems, outcome);
  if (!change.problems.empty() || !next.usable()) return outcome;
  const std::size_t warnings = outcome.problems.size();
  object_to_paths(scope, next.config, change.keys, outcome);
  if (outcome.problems.size() > warnings) return outcome;
  outcome.changed = std::move(change.keys);
  note_changes(in_force, config::document(next.config), outcome);
  outcome.applied = outcome.changed.empty();
  if (outcome.applied) return outcome;
  return put_in_force(scope, files, *text, change.text, std::move(outcome));
}

api::ConfigurationOutcome undo_configuration(const ConfigChangeScope& scope) {
  if (auto no = objection(scope)) return std::move(*no);
  const Files files(scope);
  const auto text = read_text(files.config);
  const auto previous = read_text(files.previous);
  if (!text || !previous) return refused(409, "nothing_to_undo", "Nothing was changed that could be undone.");
  if (read_text(files.written) != text)
    return refused(409, "edited_since", "The file was edited since the last change; undo would lose that.");
  const config::Loaded next = check_text(files.config, *previous);
  api::ConfigurationOutcome outcome;
  tell(next.problems, outcome);
  if (!next.usable()) return outcome;
  const json::object before = config::document(scope.setup.config);
  const json::object after = config::document(next.config);
  compare(before, after, "", outcome.changed);
  note_changes(before, after, outcome);
  return put_in_force(scope, files, *text, *previous, std::move(outcome));
}

}  // namespace bw::server
