#include "sip/contact.h"

#include "sip/grammar.h"
#include "sip/number.h"

namespace bw::sip {

std::optional<Contact> Contact::parse(std::string_view element) {
  if (trim(element) == "*") return Contact{true, {}};
  const auto address = NameAddr::parse(element);
  if (!address) return std::nullopt;
  return Contact{false, *address};
}

std::optional<std::uint32_t> Contact::expires() const {
  const auto text = address.params.get("expires");
  return text ? parse_delta_seconds(*text) : std::nullopt;
}

std::uint16_t Contact::q() const {
  const auto text = address.params.get("q");
  return text ? parse_qvalue(*text).value_or(1000) : std::uint16_t{1000};
}

std::string_view Contact::instance() const {
  std::string_view text = address.params.get("+sip.instance").value_or(std::string_view{});
  if (text.size() >= 2 && text.starts_with('"') && text.ends_with('"'))
    text = text.substr(1, text.size() - 2);
  if (text.size() >= 2 && text.starts_with('<') && text.ends_with('>'))
    text = text.substr(1, text.size() - 2);
  return text;
}

std::optional<std::uint32_t> Contact::reg_id() const {
  const auto text = address.params.get("reg-id");
  const auto id = text ? to_number<std::uint32_t>(*text) : std::nullopt;
  // RFC 5626 §4.2: 1 to 2^31-1.
  return id && *id >= 1 && *id <= 0x7FFF'FFFFU ? id : std::nullopt;
}

std::optional<std::uint16_t> parse_qvalue(std::string_view text) {
  if (text.empty() || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  unsigned value = text[0] == '1' ? 1000 : 0;
  if (text.size() == 1) return static_cast<std::uint16_t>(value);
  if (text[1] != '.' || text.size() > 5) return std::nullopt;
  unsigned weight = 100;
  for (const char c : text.substr(2)) {
    if (!is_digit(c)) return std::nullopt;
    value += weight * static_cast<unsigned>(c - '0');
    weight /= 10;
  }
  if (value > 1000) return std::nullopt;
  return static_cast<std::uint16_t>(value);
}

}  // namespace bw::sip
