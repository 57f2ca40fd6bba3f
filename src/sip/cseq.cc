#include "sip/cseq.h"

#include "sip/grammar.h"

namespace bw::sip {

std::optional<CSeq> CSeq::parse(std::string_view value) {
  value = trim(value);
  const std::size_t gap = value.find_first_of(" \t");
  if (gap == std::string_view::npos) return std::nullopt;
  const auto number = to_number<std::uint32_t>(value.substr(0, gap));
  const std::string_view name = trim(value.substr(gap));
  if (!number || *number > 0x7FFF'FFFFU || !is_token(name)) return std::nullopt;
  return CSeq{*number, method_from(name), name};
}

std::string CSeq::to_string() const {
  std::string out = std::to_string(number);
  out += ' ';
  out += method_name;
  return out;
}

}  // namespace bw::sip
