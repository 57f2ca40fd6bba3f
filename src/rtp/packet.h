// RTP packets as views of the received bytes (RFC 3550 §5.1).
//
//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  |V=2|P|X|  CC   |M|     PT      |       sequence number         |
//  |                           timestamp                           |
//  |                             SSRC                              |
//  |                    CSRC (0 to 15 of them)                     |
//  |     profile (if X)            |   length in words (if X)      |
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace bw::rtp {

inline constexpr std::size_t kHeaderBytes = 12;

// What a datagram on a media port is, by its first bytes (RFC 7983, RFC 5761 §4).
enum class Kind : std::uint8_t { kRtp, kRtcp, kStun, kDtls, kOther };
Kind classify(std::span<const std::uint8_t> datagram);

struct Header {
  bool marker = false;
  std::uint8_t payload_type = 0;  // 0…127
  std::uint16_t sequence = 0;
  std::uint32_t timestamp = 0;
  std::uint32_t ssrc = 0;
};

// A checked packet. Holds a view: the bytes must outlive it.
class Packet {
 public:
  // Nullopt unless version is 2 and header, CSRCs, extension and padding fit the length.
  static std::optional<Packet> parse(std::span<const std::uint8_t> bytes);

  const Header& header() const { return header_; }
  std::uint8_t csrc_count() const { return csrc_count_; }
  std::uint32_t csrc(std::size_t index) const;  // index < csrc_count()
  bool has_extension() const { return extension_words_ >= 0; }
  std::uint16_t extension_profile() const { return extension_profile_; }
  std::span<const std::uint8_t> extension() const;  // without its four bytes of head
  std::span<const std::uint8_t> payload() const { return bytes_.subspan(payload_at_, payload_bytes_); }
  std::size_t padding() const { return bytes_.size() - payload_at_ - payload_bytes_; }

 private:
  std::span<const std::uint8_t> bytes_;
  Header header_;
  std::uint8_t csrc_count_ = 0;
  std::int32_t extension_words_ = -1;
  std::uint16_t extension_profile_ = 0;
  std::size_t payload_at_ = 0;
  std::size_t payload_bytes_ = 0;
};

// ---- in place; `packet` has at least kHeaderBytes ----
void set_marker(std::span<std::uint8_t> packet, bool marker);
void set_payload_type(std::span<std::uint8_t> packet, std::uint8_t payload_type);
void set_sequence(std::span<std::uint8_t> packet, std::uint16_t sequence);
void set_timestamp(std::span<std::uint8_t> packet, std::uint32_t timestamp);
void set_ssrc(std::span<std::uint8_t> packet, std::uint32_t ssrc);
// A header without CSRCs, extension or padding into the first twelve bytes.
void write_header(const Header& header, std::span<std::uint8_t> packet);

}  // namespace bw::rtp
