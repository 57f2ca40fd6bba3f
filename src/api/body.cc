#include "api/body.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>

#include "base/control.h"

namespace bw::api {
namespace {

namespace json = boost::json;

constexpr std::size_t kNamedBytes = 300;  // a body may hold very many unknown fields

json::string_view to_json(std::string_view s) {
  return {s.data(), s.size()};
}

}  // namespace

Body::Body(std::string_view text) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return;
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = 8;
  json::value parsed = json::parse(to_json(text), error, {}, options);
  if (error) {
    problem_ = Problem{"The body is not JSON: " + error.message() + ".", "bad_json", {}};
  } else if (!parsed.is_object()) {
    problem_ = Problem{"The body must be a JSON object.", "bad_json", {}};
  } else {
    value_ = std::move(parsed.as_object());
  }
}

Body::Body(json::object value, std::string prefix) : value_(std::move(value)), prefix_(std::move(prefix)) {}

void Body::object_to(std::string_view name, std::string sentence, std::string code) {
  if (!problem_) problem_ = Problem{std::move(sentence), std::move(code), prefix_ + std::string(name)};
}

std::optional<json::value> Body::take(std::string_view name) {
  const auto it = value_.find(to_json(name));
  if (it == value_.end()) return std::nullopt;
  json::value value = std::move(it->value());
  value_.erase(it);
  return value;
}

std::optional<std::string> Body::text(std::string_view name, std::size_t max_bytes) {
  const auto value = take(name);
  if (!value) return std::nullopt;
  const auto* text = value->if_string();
  if (text == nullptr) {
    object_to(name, fmt::format("{} must be a text.", name));
  } else if (text->size() > max_bytes) {
    object_to(name, fmt::format("{} must have at most {} bytes.", name, max_bytes));
  } else if (has_control({text->data(), text->size()})) {
    object_to(name, fmt::format("{} must not hold control characters.", name));
  } else {
    return std::string(text->data(), text->size());
  }
  return std::nullopt;
}

std::string Body::required_text(std::string_view name, std::size_t max_bytes) {
  const bool there = value_.contains(to_json(name));
  const auto given = text(name, max_bytes);
  if (!there || (given && given->empty()))
    object_to(name, fmt::format("{} is missing.", name), "missing_field");
  return given.value_or("");
}

std::optional<bool> Body::flag(std::string_view name) {
  const auto value = take(name);
  if (!value) return std::nullopt;
  if (const auto* flag = value->if_bool()) return *flag;
  object_to(name, fmt::format("{} must be true or false.", name));
  return std::nullopt;
}

std::optional<std::uint32_t> Body::number(std::string_view name, std::uint32_t least, std::uint32_t most) {
  const auto value = take(name);
  if (!value) return std::nullopt;
  const auto* number = value->if_int64();
  if (number != nullptr && *number >= least && *number <= most) return static_cast<std::uint32_t>(*number);
  object_to(name, fmt::format("{} must be a whole number from {} to {}.", name, least, most));
  return std::nullopt;
}

std::optional<std::vector<std::string>> Body::list(std::string_view name, std::size_t max_items) {
  const auto value = take(name);
  if (!value) return std::nullopt;
  const auto* array = value->if_array();
  std::vector<std::string> texts;
  bool good = array != nullptr && array->size() <= max_items;
  for (std::size_t i = 0; good && i < array->size(); ++i) {
    const auto* text = (*array)[i].if_string();
    good = text != nullptr && text->size() <= 256 && !has_control({text->data(), text->size()});
    if (good) texts.emplace_back(text->data(), text->size());
  }
  if (good) return texts;
  object_to(name, fmt::format("{} must be a list of at most {} texts.", name, max_items));
  return std::nullopt;
}

std::optional<Body> Body::object(std::string_view name) {
  const auto value = take(name);
  if (!value) return std::nullopt;
  if (const auto* object = value->if_object()) return Body{*object, prefix_ + std::string(name) + "."};
  object_to(name, fmt::format("{} must be an object.", name));
  return std::nullopt;
}

std::optional<std::vector<Body>> Body::objects(std::string_view name, std::size_t max_items) {
  const auto value = take(name);
  if (!value) return std::nullopt;
  const auto* array = value->if_array();
  const bool good = array != nullptr && array->size() <= max_items &&
                    std::ranges::all_of(*array, [](const json::value& v) { return v.is_object(); });
  if (!good) {
    object_to(name, fmt::format("{} must be a list of at most {} objects.", name, max_items));
    return std::nullopt;
  }
  std::vector<Body> bodies;
  for (std::size_t i = 0; i < array->size(); ++i)
    bodies.push_back(Body{(*array)[i].get_object(), fmt::format("{}{}[{}].", prefix_, name, i)});
  return bodies;
}

std::optional<std::vector<std::pair<std::string, std::string>>> Body::map(std::string_view name,
                                                                          std::size_t max_items) {
  const auto value = take(name);
  if (!value) return std::nullopt;
  const auto* object = value->if_object();
  std::vector<std::pair<std::string, std::string>> pairs;
  bool good = object != nullptr && object->size() <= max_items;
  if (good) {
    for (const auto& [key, item] : *object) {
      const auto* text = item.if_string();
      good = good && text != nullptr && text->size() <= 4'096 && !has_control({text->data(), text->size()});
      if (!good) break;
      pairs.emplace_back(std::string(key.data(), key.size()), std::string(text->data(), text->size()));
    }
  }
  if (good) return pairs;
  object_to(name, fmt::format("{} must be an object of at most {} texts.", name, max_items));
  return std::nullopt;
}

bool Body::has(std::string_view name) const {
  return value_.contains(to_json(name));
}

void Body::absorb(Body& inner) {
  auto problem = inner.finish();
  if (problem && !problem_) problem_ = std::move(problem);
}

std::optional<Problem> Body::finish() {
  if (problem_ || value_.empty()) return problem_;
  std::vector<std::string> unknown;
  for (const auto& field : value_)
    unknown.push_back(prefix_ + std::string(field.key().data(), field.key().size()));
  std::ranges::sort(unknown);
  std::string names;
  for (const std::string& name : unknown) {
    if (names.size() + name.size() > kNamedBytes) break;
    names += (names.empty() ? "" : ", ") + name;
  }
  const bool one = value_.size() == 1;
  return Problem{fmt::format("Unknown field{}: {}.", one ? "" : "s", names), "unknown_field", names};
}

}  // namespace bw::api
