#include "config/load.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/control.h"
#include "config/detail/read.h"

namespace bw::config {
namespace {

void read_root(const detail::Tree& tree, detail::Reading& reading, Config& out) {
  if (tree.nodes.empty()) return;
  const detail::Node& root = tree.nodes.front();
  if (root.kind == detail::Node::Kind::kNull) return;
  if (root.kind != detail::Node::Kind::kMap) {
    reading.report(root.place, "", "must be a mapping (key: value)");
    return;
  }
  detail::Section section(reading, root, "", true);
  detail::read_config(section, out);
  section.done();
}

}  // namespace

bool Loaded::usable() const {
  return std::ranges::none_of(problems, [](const Problem& p) { return p.severity == Severity::kError; });
}

std::string to_text(const Problem& problem) {
  std::string out = problem.file;
  if (problem.line > 0) out += ':' + std::to_string(problem.line);
  if (problem.line > 0 && problem.column > 0) out += ':' + std::to_string(problem.column);
  out += problem.severity == Severity::kError ? ": error: " : ": warning: ";
  if (!problem.key.empty()) out += problem.key + ": ";
  out += problem.message;
  if (!problem.nearest.empty()) out += "; did you mean \"" + problem.nearest + "\"?";
  if (!problem.allowed.empty()) out += " (allowed: " + problem.allowed + ')';
  return without_controls(out);  // keys come from the file and go to the operator's terminal
}

Loaded load(std::string_view yaml_text, std::string_view file_name, const Environment& env,
            const Limits& limits) {
  Loaded out;
  detail::Tree tree = detail::parse_tree(yaml_text, limits);
  out.problems = std::move(tree.problems);
  if (tree.complete) {
    detail::Reading reading(tree, env, limits, out.problems);
    read_root(tree, reading, out.config);
    detail::check(reading, out.config);
    detail::warn_unsupported(reading, out.config);
    for (const char* key :
         {"api.tls_cert_file", "api.tls_key_file", "security.tls_cert_file", "security.tls_key_file"}) {
      if (const auto place = reading.given(key)) out.file_lines.emplace(key, place->line);
    }
  }
  for (Problem& problem : out.problems) problem.file = file_name;
  std::ranges::sort(out.problems, {},
                    [](const Problem& p) { return std::tie(p.line, p.column, p.key, p.message); });
  return out;
}

}  // namespace bw::config
