#include "api/query.h"

#include <fmt/format.h>

#include <charconv>
#include <set>

#include "base/control.h"
#include "base/hex.h"
#include "base/utf8.h"

namespace bw::api {
namespace {

constexpr std::size_t kNamedBytes = 64;  // of an unknown name that is told back

// Calls f(name, value) for each pair until it answers true.
template <typename F>
void each_query(std::string_view query, F f) {
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view value = equals < pair.size() ? pair.substr(equals + 1) : std::string_view{};
    if (f(percent_decoded(pair.substr(0, equals), true), percent_decoded(value, true))) return;
  }
}

std::optional<Problem> check_value(const Field& f, const std::string& value) {
  const auto objection = [&](std::string sentence) {
    return Problem{fmt::format("{} {}.", f.name, sentence), "bad_request", std::string(f.name)};
  };
  if (f.type == Type::kInteger) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error == std::errc{} && end == value.data() + value.size() && number >= f.least && number <= f.most) {
      return std::nullopt;
    }
    return objection(fmt::format("must be a whole number from {} to {}", f.least, f.most));
  }
  if (f.type == Type::kFlag) {
    if (value == "true" || value == "false") return std::nullopt;
    return objection("must be true or false");
  }
  if (value.size() > static_cast<std::size_t>(f.most))
    return objection(fmt::format("must have at most {} bytes", f.most));
  if (has_control(value) || valid_utf8(value, value.size()) != value)
    return objection("must be UTF-8 without control characters");
  if (!value.empty() && !has_format(value, f.format))
    return objection(fmt::format("must look like {}", pattern_of(f.format)));
  return std::nullopt;
}

}  // namespace

std::string percent_decoded(std::string_view text, bool plus_is_space) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool encoded = text[i] == '%' && i + 2 < text.size() && is_hex(text[i + 1]) && is_hex(text[i + 2]);
    if (encoded) {
      out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

std::string query_value(std::string_view query, std::string_view name) {
  std::string found;
  each_query(query, [&](const std::string& n, std::string&& v) {
    if (n != name) return false;
    found = std::move(v);
    return true;
  });
  return found;
}

std::optional<Problem> check_query(std::string_view query, std::span<const Field> fields) {
  std::optional<Problem> problem;
  std::set<std::string_view> seen;
  each_query(query, [&](const std::string& name, const std::string& value) {
    const auto field = std::ranges::find(fields, name, &Field::name);
    if (field == fields.end()) {
      std::string told;
      append_valid_utf8(told, name, kNamedBytes);
      problem = Problem{"Unknown query parameter: " + told + ".", "unknown_field", told};
    } else if (!seen.insert(field->name).second) {
      problem = Problem{fmt::format("{} is given twice.", field->name), "bad_request", name};
    } else {
      problem = check_value(*field, value);
    }
    return problem.has_value();
  });
  if (problem) return problem;
  for (const Field& f : fields) {
    if (f.required && !seen.contains(f.name))
      return Problem{fmt::format("{} is missing.", f.name), "missing_field", std::string(f.name)};
  }
  return std::nullopt;
}

}  // namespace bw::api
