// The kinds of value a key can have, and what is said when one is wrong.
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <charconv>
#include <string>
#include <utility>

#include "base/ascii.h"
#include "base/control.h"
#include "base/nearest.h"
#include "config/detail/section.h"
#include "config/document.h"

namespace bw::config::detail {
namespace {

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_digit);
}

std::optional<std::uint32_t> to_number(std::string_view text) {
  std::uint32_t value = 0;
  if (!all_digits(text)) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string quoted(const Scalar& scalar) {
  constexpr std::size_t kShown = 60;
  return '"' + scalar.shown.substr(0, kShown) + (scalar.shown.size() > kShown ? "…\"" : "\"");
}

// RFC 9110 §5.6.2.
bool is_token(std::string_view text) {
  static constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [](char c) { return is_alnum(c) || kMarks.contains(c); });
}

namespace json = boost::json;

json::value in_json(const Secret<std::string>& secret) {
  return secret.reveal().empty() ? json::value("") : json::value(kMask);
}
json::value in_json(const std::optional<std::uint32_t>& number) {
  return number ? json::value(*number) : json::value(nullptr);
}
json::value in_json(const std::optional<TimeOfDay>& time) {
  if (!time) return nullptr;
  return json::string(fmt::format("{:02}:{:02}", time->hour, time->minute));
}
template <typename T>
json::value in_json(const std::vector<T>& values) {
  json::array all;
  for (const T& value : values) {
    if constexpr (std::same_as<T, std::string>) {
      all.emplace_back(json::string_view(value));
    } else {
      all.emplace_back(json::string(value.to_string()));
    }
  }
  return all;
}
template <typename T>
json::value in_json(const std::map<std::string, T>& values) {
  json::object all;
  for (const auto& [name, value] : values) all.emplace(name, in_json(value));
  return all;
}

}  // namespace

void Section::text(std::string_view key, std::string& out, std::size_t longest) {
  if (show(key, out)) return;
  auto scalar = find_scalar(key, longest);
  if (!scalar) return;
  if (has_control(scalar->text)) return complain(*scalar, "holds a control character", "one line of text");
  out = std::move(scalar->text);
}

void Section::secret(std::string_view key, Secret<std::string>& out) {
  if (show(key, in_json(out))) return;
  if (auto scalar = find_scalar(key)) out = Secret(std::move(scalar->text));
}

void Section::person(std::string_view key, Personal<std::string>& out, std::size_t longest) {
  std::string value = out.reveal();
  text(key, value, longest);
  out = Personal(std::move(value));
}

void Section::flag(std::string_view key, bool& out) {
  if (show(key, out)) return;
  static constexpr std::array<Word<bool>, 6> kWords{
      {{"true", true}, {"false", false}, {"yes", true}, {"no", false}, {"on", true}, {"off", false}}};
  choice<bool>(key, out, kWords);
}

std::optional<std::uint32_t> Section::whole_number(std::string_view key, std::uint32_t least,
                                                   std::uint32_t most, bool or_zero) {
  const auto scalar = find_scalar(key);
  if (!scalar) return std::nullopt;
  const auto value = to_number(scalar->text);
  if (value && ((*value >= least && *value <= most) || (or_zero && *value == 0))) return value;
  complain(*scalar, quoted(*scalar) + (value ? " is out of range" : " is not a whole number"),
           std::string(or_zero ? "0, or " : "") + std::to_string(least) + " to " + std::to_string(most));
  return std::nullopt;
}

void Section::number_or_zero(std::string_view key, std::optional<std::uint32_t>& out, std::uint32_t least,
                             std::uint32_t most) {
  if (show(key, in_json(out))) return;
  if (const auto value = whole_number(key, least, most, true)) out = value;
}

void Section::number(std::string_view key, std::uint32_t& out, std::uint32_t least, std::uint32_t most) {
  if (show(key, out)) return;
  out = whole_number(key, least, most).value_or(out);
}

void Section::number(std::string_view key, std::optional<std::uint32_t>& out, std::uint32_t least,
                     std::uint32_t most) {
  if (show(key, in_json(out))) return;
  if (const auto value = whole_number(key, least, most)) out = value;
}

void Section::number(std::string_view key, std::uint16_t& out, std::uint16_t least, std::uint16_t most) {
  if (show(key, out)) return;
  out = static_cast<std::uint16_t>(whole_number(key, least, most).value_or(out));
}

void Section::duration(std::string_view key, std::chrono::seconds& out, std::uint32_t least,
                       std::uint32_t most) {
  if (show(key, out.count())) return;
  if (const auto value = whole_number(key, least, most)) out = std::chrono::seconds(*value);
}

void Section::time_of_day(std::string_view key, std::optional<TimeOfDay>& out) {
  if (show(key, in_json(out))) return;
  const auto scalar = find_scalar(key);
  if (!scalar) return;
  const std::string_view text = scalar->text;
  const auto colon = text.find(':');
  const auto hour = to_number(text.substr(0, colon));
  const auto minute = colon == text.npos ? std::nullopt : to_number(text.substr(colon + 1));
  const bool right = hour && minute && *hour < 24 && *minute < 60 && text.size() - colon == 3;
  if (!right) return complain(*scalar, quoted(*scalar) + " is not a time of day", "00:00 to 23:59");
  out = TimeOfDay{static_cast<std::uint8_t>(*hour), static_cast<std::uint8_t>(*minute)};
}

void Section::addresses(std::string_view key, std::vector<IpAddress>& out) {
  if (show(key, in_json(out))) return;
  const auto scalars = find_scalars(key);
  if (!scalars) return;
  std::vector<IpAddress> values;
  for (const Scalar& scalar : *scalars) {
    const auto ip = IpAddress::parse(scalar.text == "localhost" ? "127.0.0.1" : scalar.text);
    if (!ip || ip->is_multicast()) {
      complain(scalar, quoted(scalar) + " is not an address to listen on", "an IPv4 or IPv6 address");
    } else {
      values.push_back(*ip);
    }
  }
  if (!values.empty()) out = std::move(values);
}

void Section::networks(std::string_view key, std::vector<Network>& out) {
  if (show(key, in_json(out))) return;
  const auto scalars = find_scalars(key);
  if (!scalars) return;
  std::vector<Network> values;
  for (const Scalar& scalar : *scalars) {
    if (const auto network = Network::parse(scalar.text)) {
      values.push_back(*network);
    } else {
      complain(scalar, quoted(scalar) + " is not a network", "an address or a CIDR block such as 10.0.0.0/8");
    }
  }
  out = std::move(values);
}

void Section::pattern(std::string_view key, std::string& out) {
  if (show(key, out)) return;
  auto scalar = find_scalar(key, 256);
  if (!scalar) return;
  RE2::Options options(RE2::Quiet);
  options.set_max_mem(1 << 18);  // a pattern that needs more is no dial plan
  const RE2 compiled(scalar->text, options);
  if (!compiled.ok()) {
    // The library's words quote the pattern: only if that is what the file shows anyway.
    const std::string why = scalar->text == scalar->shown ? ": " + compiled.error() : std::string{};
    return complain(*scalar, quoted(*scalar) + " is not a pattern" + why, "an RE2 expression");
  }
  out = std::move(scalar->text);
}

std::optional<std::string> Section::digits(const Scalar& scalar, std::size_t shortest) {
  if (all_digits(scalar.text) && scalar.text.size() >= shortest && scalar.text.size() <= 10)
    return scalar.text;
  complain(scalar, quoted(scalar) + " is not an extension number",
           std::to_string(shortest) + " to 10 digits");
  return std::nullopt;
}

void Section::extension(std::string_view key, std::string& out, std::size_t shortest) {
  // Null is how the file says "none".
  if (out.empty() ? show(key, json::value(nullptr)) : show(key, out)) return;
  const auto scalar = find_scalar(key);
  if (!scalar) return;
  if (auto value = digits(*scalar, shortest)) out = std::move(*value);
}

void Section::extensions(std::string_view key, std::vector<std::string>& out) {
  if (show(key, in_json(out))) return;
  const auto scalars = find_scalars(key);
  if (!scalars) return;
  out.clear();
  for (const Scalar& scalar : *scalars) {
    if (auto value = digits(scalar, 1)) out.push_back(std::move(*value));
  }
}

void Section::dialable(std::string_view key, std::string& out) {
  if (show(key, out)) return;
  auto scalar = find_scalar(key);
  if (!scalar) return;
  std::string_view rest = scalar->text;
  if (rest.starts_with('+')) rest.remove_prefix(1);
  const bool right = rest.size() <= 32 && rest.find_first_not_of("0123456789*#") == rest.npos;
  if (!right || (rest.empty() && !scalar->text.empty())) {
    return complain(*scalar, quoted(*scalar) + " cannot be dialled", "digits, * and #, after an optional +");
  }
  out = std::move(scalar->text);
}

void Section::url(std::string_view key, std::string& out, std::span<const std::string_view> schemes) {
  if (show(key, out)) return;
  auto scalar = find_scalar(key, 2048);
  if (!scalar) return;
  const std::string_view text = scalar->text;
  std::string allowed;
  bool right = false;
  for (const std::string_view scheme : schemes) {
    allowed += (allowed.empty() ? "" : ", ") + std::string(scheme) + "…";
    right = right || (text.starts_with(scheme) && text.size() > scheme.size());
  }
  // RFC 3986 knows neither spaces nor controls.
  right = right && !has_control(text) && text.find(' ') == text.npos;
  if (!right && !text.empty())
    return complain(*scalar, quoted(*scalar) + " is not an address of that kind", allowed);
  out = std::move(scalar->text);
}

void Section::texts(std::string_view key, std::vector<std::string>& out, std::size_t longest) {
  if (show(key, in_json(out))) return;
  auto scalars = find_scalars(key);
  if (!scalars) return;
  out.clear();
  for (Scalar& scalar : *scalars) {
    if (scalar.text.empty() || scalar.text.size() > longest || has_control(scalar.text)) {
      complain(scalar, "empty, too long, or with control characters");
    } else {
      out.push_back(std::move(scalar.text));
    }
  }
}

void Section::headers(std::string_view key, Headers& out) {
  if (show(key, in_json(out))) return;
  const auto node = find(key, Node::Kind::kMap);
  if (!node) return;
  for (const Entry& entry : reading_.node(*node).entries) {
    if (!reading_.spend(entry.place)) return;
    auto scalar = scalar_of(entry.value, entry.place, path_of(key) + '.' + entry.key);
    if (!scalar) continue;
    if (!is_token(entry.key) || has_control(scalar->text)) {
      complain(*scalar, "not a header", "a header name, and a value on one line");
      continue;
    }
    out.insert_or_assign(entry.key, Secret(std::move(scalar->text)));
  }
}

// A list of words, or a mapping of words to true and false: what is granted.
std::vector<std::string> Section::granted(const Entry& entry, const std::string& path) {
  std::vector<std::string> out;
  const Node& node = reading_.node(entry.value);
  const auto take = [&](NodeIndex value, Place place, std::string at) -> std::optional<Scalar> {
    if (!reading_.spend(place)) return std::nullopt;
    return scalar_of(value, place, std::move(at));
  };
  if (node.kind == Node::Kind::kList) {
    for (const NodeIndex item : node.items) {
      if (auto scalar = take(item, reading_.node(item).place, path)) out.push_back(std::move(scalar->text));
    }
  } else if (node.kind == Node::Kind::kMap) {
    for (const Entry& e : node.entries) {
      const auto scalar = take(e.value, e.place, path + '.' + e.key);
      if (scalar && edit_distance(scalar->text, "true") == 0) out.push_back(e.key);
    }
  } else if (node.kind == Node::Kind::kScalar) {
    if (auto scalar = take(entry.value, entry.place, path)) out.push_back(std::move(scalar->text));
  }
  return out;
}

void Section::grants(std::string_view key, std::map<std::string, std::vector<std::string>>& out) {
  if (show(key, in_json(out))) return;
  const auto node = find(key, Node::Kind::kMap);
  if (!node) return;
  for (const Entry& entry : reading_.node(*node).entries) {
    out[entry.key] = granted(entry, path_of(key) + '.' + entry.key);
  }
}

void Section::ignored(std::string_view key) {
  ask(key);
}

}  // namespace bw::config::detail
