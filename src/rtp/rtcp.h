// RTCP compound packets (RFC 3550 §6, validity A.2): read one by one, and our own reports written.
//
//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  |V=2|P|  count  |  packet type  |  length in words, minus one   |
//  |                              SSRC …                           |
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/time.h"

namespace bw::rtp {

// The packet types of RFC 3550 §12.1 that are read here; others are passed over.
inline constexpr std::uint8_t kSenderReport = 200;
inline constexpr std::uint8_t kReceiverReport = 201;
inline constexpr std::uint8_t kSourceDescription = 202;
inline constexpr std::uint8_t kBye = 203;

// 64 bit NTP time (RFC 3550 §4): seconds since 1900 and a binary fraction.
struct NtpTime {
  std::uint32_t seconds = 0;
  std::uint32_t fraction = 0;

  static NtpTime of(Instant t);
  std::uint32_t middle() const { return seconds << 16U | fraction >> 16U; }  // as in LSR
  friend bool operator==(const NtpTime&, const NtpTime&) = default;
};

struct ReportBlock {  // RFC 3550 §6.4.1: what one receiver says about one source
  std::uint32_t ssrc = 0;
  std::uint8_t fraction_lost = 0;      // of 256, since the previous report
  std::int32_t lost = 0;               // since the beginning, 24 bits with sign
  std::uint32_t highest_sequence = 0;  // with cycles in the upper half
  std::uint32_t jitter = 0;            // in ticks of the source's clock
  std::uint32_t last_sr = 0;           // NtpTime::middle() of the last SR; 0: none came
  std::uint32_t delay_since_sr = 0;    // in 1/65536 s
  friend bool operator==(const ReportBlock&, const ReportBlock&) = default;
};

struct SenderInfo {
  NtpTime ntp;
  std::uint32_t rtp_timestamp = 0;
  std::uint32_t packets = 0;
  std::uint32_t octets = 0;
  friend bool operator==(const SenderInfo&, const SenderInfo&) = default;
};

// One packet of a compound. A view; the accessors check type and length and give nothing if they do not fit.
class RtcpPacket {
 public:
  std::uint8_t type() const { return bytes_[1]; }
  std::uint8_t count() const { return bytes_[0] & 0x1fU; }
  std::span<const std::uint8_t> bytes() const { return bytes_; }  // padding cut off

  std::optional<std::uint32_t> sender_ssrc() const;  // of SR and RR
  std::optional<SenderInfo> sender_info() const;     // of SR
  std::size_t report_count() const;                  // blocks of SR or RR that are really there
  ReportBlock report(std::size_t index) const;       // index < report_count()
  std::string_view cname() const;                    // of the first chunk of SDES; empty if none
  std::optional<std::uint32_t> bye_ssrc(std::size_t index) const;

  // Only of what RtcpReader checked: the accessors trust the length field.
  explicit RtcpPacket(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

 private:
  std::span<const std::uint8_t> bytes_;
};

// Walks a compound packet: while (auto p = reader->next()) …
class RtcpReader {
 public:
  // Nullopt unless every packet has version 2, all lengths add up to the datagram, the first is SR or RR and
  // only the last is padded (RFC 3550 A.2).
  static std::optional<RtcpReader> open(std::span<const std::uint8_t> datagram);
  std::optional<RtcpPacket> next();

 private:
  explicit RtcpReader(std::span<const std::uint8_t> rest) : rest_(rest) {}
  std::span<const std::uint8_t> rest_;
};

struct OwnReport {
  std::uint32_t ssrc = 0;
  std::optional<SenderInfo> sender;     // SR if we sent since the last report, else RR (RFC 3550 §6.4)
  std::span<const ReportBlock> blocks;  // at most 31
  std::string_view cname;               // at most 255 bytes
};
// SR or RR followed by SDES with the CNAME; the bytes written, or 0 if `out` is too small.
std::size_t write_report(const OwnReport& report, std::span<std::uint8_t> out);

// How long a packet and its answer travel (RFC 3550 §6.4.1); nothing without an SR of ours, or when the
// figures cannot be true (negative beyond rounding, or more than a minute).
std::optional<Duration> round_trip(const ReportBlock& block, Instant received);

}  // namespace bw::rtp
