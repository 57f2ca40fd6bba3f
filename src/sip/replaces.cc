#include "sip/replaces.h"

#include <algorithm>

#include "sip/grammar.h"
#include "sip/params.h"

namespace bw::sip {
namespace {

bool is_call_id(std::string_view s) {
  const std::size_t at = s.find('@');
  const std::string_view second = at == std::string_view::npos ? std::string_view{} : s.substr(at + 1);
  const std::string_view first = s.substr(0, at);
  if (first.empty() || !all_of(first, kWordChars)) return false;
  return at == std::string_view::npos || (!second.empty() && all_of(second, kWordChars));
}

std::optional<Replaces> read(std::string_view value, std::string_view to_name, std::string_view from_name) {
  value = trim(value);
  const std::size_t semicolon = std::min(value.find(';'), value.size());
  const auto params = Params::parse(value.substr(semicolon));
  Replaces out;
  out.call_id = trim(value.substr(0, semicolon));
  if (!params || !is_call_id(out.call_id)) return std::nullopt;
  std::string_view rest = params->text;
  while (const auto p = Params::next(rest)) {
    if (iequals(p->name, to_name)) {
      if (!out.to_tag.empty()) return std::nullopt;
      out.to_tag = p->value;
    } else if (iequals(p->name, from_name)) {
      if (!out.from_tag.empty()) return std::nullopt;
      out.from_tag = p->value;
    } else if (iequals(p->name, "early-only")) {
      out.early_only = true;
    }
  }
  if (!is_token(out.to_tag) || !is_token(out.from_tag)) return std::nullopt;
  return out;
}

}  // namespace

std::optional<Replaces> Replaces::parse(std::string_view value) {
  return read(value, "to-tag", "from-tag");
}

std::optional<Replaces> Replaces::parse_target_dialog(std::string_view value) {
  return read(value, "remote-tag", "local-tag");
}

std::string Replaces::to_string() const {
  std::string out{call_id};
  out.append(";to-tag=").append(to_tag).append(";from-tag=").append(from_tag);
  if (early_only) out += ";early-only";
  return out;
}

}  // namespace bw::sip
