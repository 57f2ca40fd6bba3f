// Datagrams on a media port: header, statistics and SRTP. Each packet is a length byte and its bytes.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "rtp/packet.h"
#include "rtp/reception.h"
#include "rtp/srtp.h"

namespace {

using namespace bw::rtp;

void check(bool truth) {
  if (!truth) std::abort();
}

void check_packet(const Packet& p, std::size_t size) {
  check(p.payload().size() + p.padding() + kHeaderBytes + 4U * p.csrc_count() + p.extension().size() +
            (p.has_extension() ? 4 : 0) ==
        size);
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < p.csrc_count(); ++i) sum += p.csrc(i);
  for (const std::uint8_t byte : p.payload()) sum += byte;
  for (const std::uint8_t byte : p.extension()) sum += byte;
  volatile std::uint32_t used = sum;
  (void)used;
}

// What can be sealed comes back as it was, once; and no index is sealed twice.
void check_sealing(SrtpSession& send, SrtpSession& receive, std::span<const std::uint8_t> plain) {
  alignas(4) std::array<std::uint8_t, 256 + kSrtpTailRoom> buffer{};
  std::ranges::copy(plain, buffer.begin());
  const auto sealed = send.protect_rtp(buffer, plain.size());
  if (!sealed) return;
  auto again = buffer;
  std::ranges::copy(plain, again.begin());
  check(!send.protect_rtp(again, plain.size()));
  again = buffer;
  const auto back = receive.unprotect_rtp(std::span{buffer}.first(*sealed), *sealed);
  check(back && std::ranges::equal(std::span{buffer}.first(*back), plain));
  check(!receive.unprotect_rtp(std::span{again}.first(*sealed), *sealed));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static std::array sessions{
      *SrtpSession::make(SrtpSession::Role::kReceive, SrtpSuite::kAesCm128HmacSha1_80, std::string(30, 'k')),
      *SrtpSession::make(SrtpSession::Role::kReceive, SrtpSuite::kAeadAes128Gcm, std::string(28, 'k'))};
  std::span<const std::uint8_t> rest{data, size};
  const std::string master(28, 'k');
  auto send = SrtpSession::make(SrtpSession::Role::kSend, SrtpSuite::kAeadAes128Gcm, master);
  auto receive = SrtpSession::make(SrtpSession::Role::kReceive, SrtpSuite::kAeadAes128Gcm, master);
  Reception reception{8000};
  bw::Instant now{bw::Duration{1'800'000'000'000'000'000}};
  while (rest.size() > 1) {
    const std::size_t length = std::min<std::size_t>(rest[0], rest.size() - 1);
    const auto bytes = rest.subspan(1, length);
    rest = rest.subspan(1 + length);
    now = now + bw::Duration{20'000'000};
    (void)classify(bytes);
    if (const auto p = Packet::parse(bytes)) {
      check_packet(*p, bytes.size());
      reception.on_packet(p->header(), now);
    }
    check_sealing(*send, *receive, bytes);
    for (SrtpSession& session : sessions) {
      alignas(4) std::array<std::uint8_t, 256> buffer{};
      std::ranges::copy(bytes, buffer.begin());
      check(!session.unprotect_rtp(std::span{buffer}.first(length), length));  // nobody knows the key
      std::ranges::copy(bytes, buffer.begin());
      check(!session.unprotect_rtcp(std::span{buffer}.first(length), length));
    }
  }
  check(reception.lost() + std::min(reception.received(), reception.expected()) == reception.expected());
  reception.report(1, now);
  return 0;
}
