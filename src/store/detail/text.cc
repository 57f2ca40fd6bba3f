#include "store/detail/text.h"

#include <algorithm>
#include <boost/json.hpp>

#include "base/json_text.h"
#include "base/utf8.h"

namespace bw::store::detail {
namespace {

namespace json = boost::json;

bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0; });  // ASCII without zero
}

void append_text(std::string& out, std::string_view text) {
  append_json_text(out, text, kLongestText);
}

std::optional<json::value> parse(std::string_view text) {
  boost::system::error_code error;
  json::value value = json::parse(text, error);
  if (error) return std::nullopt;
  return value;
}

std::string text_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string{};
}

double number_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  boost::system::error_code error;
  return value != nullptr && value->is_number() ? value->to_number<double>(error) : 0;
}

}  // namespace

void assign_clean(std::string& out, std::string_view text) {
  if (text.size() <= kLongestText && is_plain(text)) {
    out.assign(text);
    return;
  }
  out.clear();
  append_valid_utf8(out, text, kLongestText);
}

void assign_list(std::string& out, const std::vector<std::string>& items) {
  out = "[";
  for (const std::string& item : items) {
    if (out.size() > 1) out += ',';
    append_text(out, item);
  }
  out += ']';
}

std::optional<std::vector<std::string>> parse_list(std::string_view text) {
  const auto value = parse(text);
  if (!value || !value->is_array()) return std::nullopt;
  std::vector<std::string> out;
  for (const json::value& item : value->get_array()) {
    if (!item.is_string()) return std::nullopt;
    out.emplace_back(item.get_string());
  }
  return out;
}

void assign_extensions(std::string& out, std::span<const std::string_view> extensions) {
  out.clear();
  for (const std::string_view extension : extensions) {
    if (out.empty()) out += ' ';
    append_valid_utf8(out, extension, out.size() + kLongestText);
    out += ' ';
  }
}

std::vector<std::string> split_extensions(std::string_view column) {
  std::vector<std::string> out;
  while (column.size() > 1) {
    column.remove_prefix(1);
    out.emplace_back(column.substr(0, column.find(' ')));
    column.remove_prefix(std::min(out.back().size(), column.size()));
  }
  return out;
}

std::string extension_pattern(std::string_view extension) {
  std::string clean;
  assign_clean(clean, extension);
  std::string out = "% ";
  for (const char c : clean) {
    if (c == '%' || c == '_' || c == '!') out += '!';
    out += c;
  }
  return out + " %";
}

void assign_legs(std::string& out, const std::vector<model::LegRecord>& legs) {
  out = "[";
  for (const model::LegRecord& leg : legs) {
    out += out.size() > 1 ? R"(,{"party":)" : R"({"party":)";
    append_text(out, leg.party);
    out += R"(,"device":)";
    append_text(out, leg.device);
    out += R"(,"codec":)";
    append_text(out, leg.codec);
    out += leg.secured ? R"(,"secured":true,"mos":)" : R"(,"secured":false,"mos":)";
    append_json_number(out, leg.mos);
    out += R"(,"loss_percent":)";
    append_json_number(out, leg.loss_percent);
    out += R"(,"jitter_ms":)";
    append_json_number(out, leg.jitter_ms);
    if (leg.heard) {
      out += R"(,"heard":{"mos":)";
      append_json_number(out, leg.heard->mos);
      out += R"(,"loss_percent":)";
      append_json_number(out, leg.heard->loss_percent);
      out += R"(,"jitter_ms":)";
      append_json_number(out, leg.heard->jitter_ms);
      out += '}';
    }
    out += '}';
  }
  out += ']';
}

std::optional<std::vector<model::LegRecord>> parse_legs(std::string_view text) {
  const auto value = parse(text);
  if (!value || !value->is_array()) return std::nullopt;
  std::vector<model::LegRecord> out;
  for (const json::value& item : value->get_array()) {
    if (!item.is_object()) return std::nullopt;
    const json::object& object = item.get_object();
    const json::value* secured = object.if_contains("secured");
    out.push_back({.party = text_at(object, "party"),
                   .device = text_at(object, "device"),
                   .codec = text_at(object, "codec"),
                   .secured = secured != nullptr && secured->is_bool() && secured->get_bool(),
                   .mos = number_at(object, "mos"),
                   .loss_percent = number_at(object, "loss_percent"),
                   .jitter_ms = number_at(object, "jitter_ms")});
    const json::value* heard = object.if_contains("heard");
    if (heard == nullptr || !heard->is_object()) continue;
    const json::object& h = heard->get_object();
    out.back().heard = {number_at(h, "mos"), number_at(h, "loss_percent"), number_at(h, "jitter_ms")};
  }
  return out;
}

}  // namespace bw::store::detail
