#include "base/base64.h"

namespace bw {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string_view alphabet_of(Base64 form) {
  return form == Base64::kUrl ? kUrlAlphabet : kAlphabet;
}

}  // namespace

std::string to_base64(std::span<const std::uint8_t> bytes, Base64 form) {
  const std::string_view alphabet = alphabet_of(form);
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  std::uint32_t bits = 0;
  unsigned held = 0;  // bits not written yet
  for (const std::uint8_t byte : bytes) {
    bits = bits << 8U | byte;
    for (held += 8; held >= 6; held -= 6) out += alphabet[bits >> (held - 6) & 63U];
  }
  if (held > 0) out += alphabet[bits << (6 - held) & 63U];
  while (form == Base64::kPadded && out.size() % 4 != 0) out += '=';
  return out;
}

std::string to_base64(std::string_view bytes, Base64 form) {
  return to_base64(std::span{reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, form);
}

std::optional<std::string> from_base64(std::string_view text, Base64 form) {
  const std::string_view alphabet = alphabet_of(form);
  const std::size_t length = text.size();
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  if (text.size() % 4 == 1 || (text.size() != length && length % 4 != 0)) return std::nullopt;
  std::string out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : text) {
    const auto value = alphabet.find(c);
    if (value == alphabet.npos) return std::nullopt;
    bits = bits << 6U | static_cast<std::uint32_t>(value);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    out += static_cast<char>(bits >> held & 255U);
  }
  return out;
}

}  // namespace bw
