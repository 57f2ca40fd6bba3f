#include "rtp/rtcp.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "rtp/detail/bytes.h"

namespace bw::rtp {
namespace {

using detail::get16;
using detail::get32;
using detail::put16;
using detail::put32;

constexpr std::size_t kHead = 4;
constexpr std::size_t kBlockBytes = 24;
constexpr std::size_t kSenderInfoBytes = 20;
constexpr std::uint32_t kSeconds1900To1970 = 2'208'988'800;

// Bytes before the first report block.
std::size_t blocks_at(std::uint8_t type) {
  return kHead + 4 + (type == kSenderReport ? kSenderInfoBytes : 0);
}

void write_block(const ReportBlock& b, std::span<std::uint8_t> out) {
  put32(out, 0, b.ssrc);
  const auto lost = static_cast<std::uint32_t>(std::clamp(b.lost, -0x80'0000, 0x7f'ffff)) & 0xff'ffffU;
  put32(out, 4, std::uint32_t{b.fraction_lost} << 24U | lost);
  put32(out, 8, b.highest_sequence);
  put32(out, 12, b.jitter);
  put32(out, 16, b.last_sr);
  put32(out, 20, b.delay_since_sr);
}

void write_head(std::uint8_t type, std::size_t count, std::span<std::uint8_t> packet) {
  packet[0] = static_cast<std::uint8_t>(0x80U | count);
  packet[1] = type;
  put16(packet, 2, static_cast<std::uint16_t>(packet.size() / 4 - 1));
}

}  // namespace

NtpTime NtpTime::of(Instant t) {
  const auto ns = t.since_epoch().count();
  const auto whole = ns / 1'000'000'000;
  const auto rest = static_cast<std::uint64_t>(ns % 1'000'000'000);
  return {static_cast<std::uint32_t>(whole + kSeconds1900To1970),
          static_cast<std::uint32_t>((rest << 32U) / 1'000'000'000U)};
}

std::optional<std::uint32_t> RtcpPacket::sender_ssrc() const {
  if ((type() != kSenderReport && type() != kReceiverReport) || bytes_.size() < kHead + 4)
    return std::nullopt;
  return get32(bytes_, kHead);
}

std::optional<SenderInfo> RtcpPacket::sender_info() const {
  if (type() != kSenderReport || bytes_.size() < kHead + 4 + kSenderInfoBytes) return std::nullopt;
  return SenderInfo{
      {get32(bytes_, 8), get32(bytes_, 12)}, get32(bytes_, 16), get32(bytes_, 20), get32(bytes_, 24)};
}

std::size_t RtcpPacket::report_count() const {
  if (type() != kSenderReport && type() != kReceiverReport) return 0;
  const std::size_t at = blocks_at(type());
  if (bytes_.size() < at) return 0;
  return std::min<std::size_t>(count(), (bytes_.size() - at) / kBlockBytes);
}

ReportBlock RtcpPacket::report(std::size_t index) const {
  assert(index < report_count());
  const auto b = bytes_.subspan(blocks_at(type()) + index * kBlockBytes, kBlockBytes);
  ReportBlock out;
  out.ssrc = get32(b, 0);
  out.fraction_lost = b[4];
  // 24 bits with sign: moved up, then down with the sign kept.
  out.lost = static_cast<std::int32_t>(get32(b, 4) << 8U) >> 8;
  out.highest_sequence = get32(b, 8);
  out.jitter = get32(b, 12);
  out.last_sr = get32(b, 16);
  out.delay_since_sr = get32(b, 20);
  return out;
}

std::string_view RtcpPacket::cname() const {
  if (type() != kSourceDescription || count() == 0 || bytes_.size() < kHead + 4) return {};
  auto items = bytes_.subspan(kHead + 4);
  while (items.size() >= 2 && items[0] != 0) {  // item: type, length, text; type 0 ends the chunk
    const std::size_t length = items[1];
    if (items.size() < 2 + length) return {};
    if (items[0] == 1) return {reinterpret_cast<const char*>(items.data() + 2), length};
    items = items.subspan(2 + length);
  }
  return {};
}

std::optional<std::uint32_t> RtcpPacket::bye_ssrc(std::size_t index) const {
  if (type() != kBye || index >= count() || bytes_.size() < kHead + 4 * (index + 1)) return std::nullopt;
  return get32(bytes_, kHead + 4 * index);
}

std::optional<RtcpReader> RtcpReader::open(std::span<const std::uint8_t> datagram) {
  if (datagram.size() < 2 * kHead) return std::nullopt;
  if (datagram[1] != kSenderReport && datagram[1] != kReceiverReport) return std::nullopt;
  for (auto rest = datagram; !rest.empty();) {
    if (rest.size() < kHead || rest[0] >> 6U != 2) return std::nullopt;
    const std::size_t length = 4 * (std::size_t{get16(rest, 2)} + 1);
    if (length > rest.size()) return std::nullopt;
    if ((rest[0] & 0x20U) != 0) {
      const std::size_t padding = rest[length - 1];
      if (length != rest.size() || padding == 0 || padding % 4 != 0 || padding + kHead > length) {
        return std::nullopt;
      }
    }
    rest = rest.subspan(length);
  }
  return RtcpReader{datagram};
}

std::optional<RtcpPacket> RtcpReader::next() {
  if (rest_.empty()) return std::nullopt;
  const std::size_t length = 4 * (std::size_t{get16(rest_, 2)} + 1);
  const std::size_t padding = (rest_[0] & 0x20U) != 0 ? rest_[length - 1] : 0;
  const RtcpPacket packet{rest_.first(length - padding)};
  rest_ = rest_.subspan(length);
  return packet;
}

std::size_t write_report(const OwnReport& report, std::span<std::uint8_t> out) {
  assert(report.blocks.size() <= 31 && report.cname.size() <= 255);
  const std::uint8_t type = report.sender ? kSenderReport : kReceiverReport;
  const std::size_t first = blocks_at(type) + report.blocks.size() * kBlockBytes;
  // Head, SSRC, the item and at least one zero that ends the chunk, rounded up to words (RFC 3550 §6.5).
  const std::size_t second = (kHead + 4 + 2 + report.cname.size() + 1 + 3) / 4 * 4;
  if (out.size() < first + second) return 0;
  const auto head = out.first(first);
  write_head(type, report.blocks.size(), head);
  put32(head, kHead, report.ssrc);
  if (report.sender) {
    put32(head, 8, report.sender->ntp.seconds);
    put32(head, 12, report.sender->ntp.fraction);
    put32(head, 16, report.sender->rtp_timestamp);
    put32(head, 20, report.sender->packets);
    put32(head, 24, report.sender->octets);
  }
  for (std::size_t i = 0; i < report.blocks.size(); ++i) {
    write_block(report.blocks[i], head.subspan(blocks_at(type) + i * kBlockBytes, kBlockBytes));
  }
  const auto sdes = out.subspan(first, second);
  std::ranges::fill(sdes, std::uint8_t{0});
  write_head(kSourceDescription, 1, sdes);
  put32(sdes, kHead, report.ssrc);
  sdes[8] = 1;  // CNAME
  sdes[9] = static_cast<std::uint8_t>(report.cname.size());
  if (!report.cname.empty()) std::memcpy(sdes.data() + 10, report.cname.data(), report.cname.size());
  return first + second;
}

std::optional<Duration> round_trip(const ReportBlock& block, Instant received) {
  if (block.last_sr == 0) return std::nullopt;
  constexpr std::int32_t kMinute = 60 << 16;
  constexpr std::int32_t kRounding = 1 << 10;  // 16 ms: clocks of some phones tick so coarsely
  const auto ticks =
      static_cast<std::int32_t>(NtpTime::of(received).middle() - block.last_sr - block.delay_since_sr);
  if (ticks < -kRounding || ticks > kMinute) return std::nullopt;
  return Duration{std::int64_t{std::max(ticks, 0)} * 1'000'000'000 / 65'536};
}

}  // namespace bw::rtp
