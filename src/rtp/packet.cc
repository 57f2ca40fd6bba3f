#include "rtp/packet.h"

#include <cassert>

#include "rtp/detail/bytes.h"

namespace bw::rtp {

using detail::get16;
using detail::get32;
using detail::put16;
using detail::put32;

Kind classify(std::span<const std::uint8_t> datagram) {
  if (datagram.empty()) return Kind::kOther;
  const std::uint8_t first = datagram[0];
  if (first < 4) return Kind::kStun;
  if (first >= 20 && first < 64) return Kind::kDtls;
  if (first < 128 || first >= 192 || datagram.size() < 2) return Kind::kOther;
  return datagram[1] >= 192 && datagram[1] < 224 ? Kind::kRtcp : Kind::kRtp;
}

std::optional<Packet> Packet::parse(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < kHeaderBytes || bytes[0] >> 6U != 2) return std::nullopt;
  Packet p;
  p.bytes_ = bytes;
  p.csrc_count_ = bytes[0] & 0x0fU;
  p.header_.marker = (bytes[1] & 0x80U) != 0;
  p.header_.payload_type = bytes[1] & 0x7fU;
  p.header_.sequence = get16(bytes, 2);
  p.header_.timestamp = get32(bytes, 4);
  p.header_.ssrc = get32(bytes, 8);
  std::size_t at = kHeaderBytes + 4 * std::size_t{p.csrc_count_};
  if (at > bytes.size()) return std::nullopt;
  if ((bytes[0] & 0x10U) != 0) {
    if (at + 4 > bytes.size()) return std::nullopt;
    p.extension_profile_ = get16(bytes, at);
    p.extension_words_ = get16(bytes, at + 2);
    at += 4 + 4 * static_cast<std::size_t>(p.extension_words_);
    if (at > bytes.size()) return std::nullopt;
  }
  std::size_t padding = 0;
  if ((bytes[0] & 0x20U) != 0) {
    padding = bytes.back();
    if (padding == 0 || at + padding > bytes.size()) return std::nullopt;
  }
  p.payload_at_ = at;
  p.payload_bytes_ = bytes.size() - at - padding;
  return p;
}

std::uint32_t Packet::csrc(std::size_t index) const {
  assert(index < csrc_count_);
  return get32(bytes_, kHeaderBytes + 4 * index);
}

std::span<const std::uint8_t> Packet::extension() const {
  if (extension_words_ < 0) return {};
  const std::size_t at = kHeaderBytes + 4 * std::size_t{csrc_count_} + 4;
  return bytes_.subspan(at, 4 * static_cast<std::size_t>(extension_words_));
}

void set_marker(std::span<std::uint8_t> packet, bool marker) {
  packet[1] = static_cast<std::uint8_t>((packet[1] & 0x7fU) | (marker ? 0x80U : 0U));
}

void set_payload_type(std::span<std::uint8_t> packet, std::uint8_t payload_type) {
  packet[1] = static_cast<std::uint8_t>((packet[1] & 0x80U) | (payload_type & 0x7fU));
}

void set_sequence(std::span<std::uint8_t> packet, std::uint16_t sequence) {
  put16(packet, 2, sequence);
}
void set_timestamp(std::span<std::uint8_t> packet, std::uint32_t timestamp) {
  put32(packet, 4, timestamp);
}
void set_ssrc(std::span<std::uint8_t> packet, std::uint32_t ssrc) {
  put32(packet, 8, ssrc);
}

void write_header(const Header& header, std::span<std::uint8_t> packet) {
  packet[0] = 0x80;
  packet[1] = static_cast<std::uint8_t>((header.marker ? 0x80U : 0U) | (header.payload_type & 0x7fU));
  set_sequence(packet, header.sequence);
  set_timestamp(packet, header.timestamp);
  set_ssrc(packet, header.ssrc);
}

}  // namespace bw::rtp
