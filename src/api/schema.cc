#include "api/schema.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.h"

namespace bw::api {
namespace {

constexpr std::size_t kExtensionMin = 2;
constexpr std::size_t kExtensionMax = 10;

bool is_word(char c) {
  return is_alnum(c) || c == '.' || c == '_' || c == '-' || c == '@';
}

std::string_view sentence_of(Format format) {
  switch (format) {
    case Format::kPlain:
      return "must not hold control characters";
    case Format::kExtension:
      return "must have 2 to 10 digits";
    case Format::kWord:
      return "must be of letters, digits and . _ - @";
    case Format::kPath:
      return "must be an absolute path";
  }
  return {};
}

void take(Body& body, std::span<const Field> fields);

void take_text(Body& body, const Field& f) {
  const auto most = static_cast<std::size_t>(f.most);
  const auto given = f.required ? std::optional{body.required_text(f.name, most)} : body.text(f.name, most);
  if (!given || given->empty()) return;
  if (given->size() < static_cast<std::size_t>(f.least)) {
    body.object_to(f.name, fmt::format("{} must have at least {} characters.", f.name, f.least));
  }
  if (!has_format(*given, f.format))
    body.object_to(f.name, fmt::format("{} {}.", f.name, sentence_of(f.format)));
}

void take_one(Body& body, const Field& f) {
  const auto items = static_cast<std::size_t>(f.most);
  switch (f.type) {
    case Type::kText:
    case Type::kTime:
      return take_text(body, f);
    case Type::kInteger:
    case Type::kDecimal:
      body.number(f.name, static_cast<std::uint32_t>(f.least), static_cast<std::uint32_t>(f.most));
      return;
    case Type::kFlag:
      body.flag(f.name);
      return;
    case Type::kTexts:
      body.list(f.name, items);
      return;
    case Type::kObject:
      if (auto inner = body.object(f.name)) {
        take(*inner, f.fields);
        body.absorb(*inner);
      }
      return;
    case Type::kObjects:
      if (auto list = body.objects(f.name, items)) {
        for (Body& inner : *list) {
          take(inner, f.fields);
          body.absorb(inner);
        }
      }
      return;
    case Type::kMap:
      body.map(f.name, items);
      return;
    case Type::kAny:
      body.any(f.name);
      return;
  }
}

void take(Body& body, std::span<const Field> fields) {
  for (const Field& f : fields) {
    if (f.required && !body.has(f.name)) {
      body.object_to(f.name, fmt::format("{} is missing.", f.name), "missing_field");
    } else {
      take_one(body, f);
    }
  }
}

}  // namespace

std::string_view pattern_of(Format format) {
  switch (format) {
    case Format::kPlain:
      return R"(^[^\x00-\x1f\x7f]*$)";
    case Format::kExtension:
      return "^[0-9]{2,10}$";
    case Format::kWord:
      return "^[A-Za-z0-9._@-]*$";
    case Format::kPath:
      return R"(^/[^\x00-\x1f\x7f]*$)";
  }
  return {};
}

bool has_format(std::string_view text, Format format) {
  switch (format) {
    case Format::kPlain:
      return true;  // Body looks for control characters in every text
    case Format::kExtension:
      return text.size() >= kExtensionMin && text.size() <= kExtensionMax &&
             std::ranges::all_of(text, is_digit);
    case Format::kWord:
      return std::ranges::all_of(text, is_word);
    case Format::kPath:
      return text.starts_with('/');
  }
  return false;
}

boost::json::object without_secrets(const boost::json::object& value, std::span<const Field> fields) {
  boost::json::object copy = value;
  for (const Field& f : fields) {
    auto* held = copy.if_contains(boost::json::string_view(f.name.data(), f.name.size()));
    if (held == nullptr) continue;
    if (f.secret) {
      *held = "(secret)";
    } else if (f.type == Type::kObject && held->is_object()) {
      *held = without_secrets(held->get_object(), f.fields);
    } else if (f.type == Type::kObjects && held->is_array()) {
      for (auto& item : held->get_array()) {
        if (item.is_object()) item = without_secrets(item.get_object(), f.fields);
      }
    }
  }
  return copy;
}

std::optional<Problem> check(Body body, std::span<const Field> fields) {
  take(body, fields);
  return body.finish();
}

}  // namespace bw::api
