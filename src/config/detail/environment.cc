#include "config/detail/environment.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/ascii.h"

namespace bw::config {
namespace {

bool is_name(std::string_view text) {
  const auto starts = [](char c) { return c == '_' || is_alpha(c); };
  const auto goes_on = [&](char c) { return starts(c) || is_digit(c); };
  return !text.empty() && starts(text.front()) && std::ranges::all_of(text, goes_on);
}

// With the carriage returns of files from Windows, which bw::trimmed() keeps.
std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// The value of a .env line; none if a quote is not closed.
std::optional<std::string> unquoted(std::string_view text) {
  if (text.empty()) return std::string{};
  const char quote = text.front();
  if (quote != '"' && quote != '\'') {
    // A comment needs a space before it: '#' is common in passwords.
    return std::string(trimmed(text.substr(0, std::min(text.find(" #"), text.find("\t#")))));
  }
  std::string out;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == quote) {
      const auto rest = trimmed(text.substr(i + 1));
      if (!rest.empty() && rest.front() != '#') return std::nullopt;
      return out;
    }
    if (quote == '"' && text[i] == '\\' && i + 1 < text.size()) {
      ++i;
      out += text[i] == 'n' ? '\n' : text[i] == 't' ? '\t' : text[i];
      continue;
    }
    out += text[i];
  }
  return std::nullopt;
}

}  // namespace

DotEnv parse_dotenv(std::string_view text, std::string_view file_name, const Limits& limits) {
  DotEnv out;
  const auto complain = [&](int line, std::string_view message) {
    if (out.problems.size() >= limits.problems) return;
    Problem p{.file = std::string(file_name), .line = line, .column = 1};
    p.message = message;
    p.allowed = "NAME=value";
    out.problems.push_back(std::move(p));
  };
  if (text.size() > limits.file_bytes) {
    complain(0, "too large");
    return out;
  }
  for (int line = 1; !text.empty(); ++line) {
    const auto end = text.find('\n');
    std::string_view content = trimmed(text.substr(0, end));
    text = end == text.npos ? std::string_view{} : text.substr(end + 1);
    if (content.empty() || content.front() == '#') continue;
    if (content.starts_with("export ")) content = trimmed(content.substr(7));
    const auto equals = content.find('=');
    const auto name = trimmed(content.substr(0, equals));
    if (equals == content.npos || !is_name(name)) {
      complain(line, "not an assignment");
      continue;
    }
    auto value = unquoted(trimmed(content.substr(equals + 1)));
    if (!value) {
      complain(line, "a quote that is not closed");
      continue;
    }
    out.values.insert_or_assign(std::string(name), std::move(*value));
  }
  return out;
}

namespace detail {

Expansion expand(std::string_view raw, const Environment& env, const Limits& limits) {
  using Kind = Expansion::Kind;
  Expansion out;
  for (;;) {
    const auto start = raw.find("${");
    out.text += raw.substr(0, start);
    if (out.text.size() > limits.value_bytes) return {.kind = Kind::kTooLong};
    if (start == raw.npos) return out;
    raw.remove_prefix(start + 2);
    const auto close = raw.find('}');
    if (close == raw.npos) return {.kind = Kind::kMalformed};
    const std::string_view inside = raw.substr(0, close);
    raw.remove_prefix(close + 1);
    const auto separator = inside.find(":-");
    const std::string_view name = inside.substr(0, separator);
    const bool nested = inside.find("${") != inside.npos;
    if (!is_name(name) || nested) return {.kind = Kind::kMalformed};
    const auto found = env.find(name);
    // As in a shell, ":-" also replaces a variable that is set but empty.
    const bool use_default = separator != inside.npos && (found == env.end() || found->second.empty());
    if (!use_default && found == env.end()) {
      return {.kind = Kind::kMissing, .name = std::string(name)};
    }
    out.text += use_default ? inside.substr(separator + 2) : std::string_view(found->second);
    out.from_environment = true;
  }
}

}  // namespace detail
}  // namespace bw::config
