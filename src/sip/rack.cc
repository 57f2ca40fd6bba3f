#include "sip/rack.h"

#include "sip/grammar.h"

namespace bw::sip {

std::optional<RAck> RAck::parse(std::string_view value) {
  value = trim(value);
  const std::size_t gap = value.find_first_of(" \t");
  if (gap == std::string_view::npos) return std::nullopt;
  const auto rseq = to_number<std::uint32_t>(value.substr(0, gap));
  const auto cseq = CSeq::parse(value.substr(gap));
  if (!rseq || *rseq == 0 || *rseq > 0x7FFF'FFFFU || !cseq) return std::nullopt;
  return RAck{*rseq, *cseq};
}

std::string RAck::to_string() const {
  return std::to_string(rseq) + " " + cseq.to_string();
}

}  // namespace bw::sip
