#include "sip/number.h"

#include "sip/grammar.h"

namespace bw::sip {

std::optional<std::uint32_t> parse_delta_seconds(std::string_view text) {
  text = trim(text);
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
    if (value > UINT32_MAX) value = UINT32_MAX;
  }
  return static_cast<std::uint32_t>(value);
}

std::optional<std::uint8_t> max_forwards_of(const Message& message) {
  const auto text = message.get(HeaderName::kMaxForwards);
  return text ? to_number<std::uint8_t>(*text) : std::nullopt;
}

std::optional<std::uint32_t> seconds_of(const Message& message, HeaderName id) {
  const auto text = message.get(id);
  return text ? parse_delta_seconds(*text) : std::nullopt;
}

std::optional<std::uint32_t> rseq_of(const Message& message) {
  const auto text = message.get(HeaderName::kRSeq);
  const auto number = text ? to_number<std::uint32_t>(*text) : std::nullopt;
  return number && *number >= 1 && *number <= 0x7FFF'FFFFU ? number : std::nullopt;
}

}  // namespace bw::sip
