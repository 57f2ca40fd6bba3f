#include "sip/stun_keep_alive.h"

#include <array>
#include <cstdint>

namespace bw::sip {
namespace {

//  0                   1                   2                   3
//  |0 0|     message type      |         message length        |   RFC 5389 §6
//  |                       magic cookie                        |
//  |                 transaction id (96 bits)                  |
constexpr std::size_t kHeaderBytes = 20;
constexpr std::size_t kMostBytes = 548;  // §7.1: what an IPv4 datagram surely carries
constexpr std::uint16_t kBindingRequest = 0x0001;
constexpr std::uint16_t kBindingSuccess = 0x0101;
constexpr std::uint16_t kBindingError = 0x0111;
constexpr std::uint32_t kMagicCookie = 0x2112A442;
constexpr std::uint16_t kErrorCode = 0x0009;
constexpr std::uint16_t kUnknownAttributes = 0x000A;
constexpr std::uint16_t kXorMappedAddress = 0x0020;
constexpr std::uint16_t kFingerprint = 0x8028;
constexpr std::uint32_t kFingerprintXor = 0x5354554E;
constexpr std::size_t kFingerprintBytes = 8;
constexpr std::size_t kMostUnknown = 8;

std::uint16_t read16(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(static_cast<std::uint8_t>(bytes[at]) << 8U |
                                    static_cast<std::uint8_t>(bytes[at + 1]));
}
std::uint32_t read32(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint32_t>(read16(bytes, at)) << 16U | read16(bytes, at + 2);
}
void add16(std::string& out, unsigned value) {
  out += static_cast<char>(value >> 8U & 0xFFU);
  out += static_cast<char>(value & 0xFFU);
}
void add32(std::string& out, std::uint32_t value) {
  add16(out, value >> 16U);
  add16(out, value & 0xFFFFU);
}

// §15.5: CRC-32 of ITU-T V.42.
std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char c : bytes) {
    crc ^= static_cast<std::uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1U) != 0 ? crc >> 1U ^ 0xEDB88320U : crc >> 1U;
  }
  return ~crc;
}

struct Request {
  bool fingerprint = false;
  std::array<std::uint16_t, kMostUnknown> unknown{};
  std::size_t unknown_count = 0;
};

// USERNAME, MESSAGE-INTEGRITY, REALM, NONCE: understood, and not asked for (RFC 5626 §8).
bool is_known(std::uint16_t attribute) {
  return attribute >= 0x8000 || attribute == 0x0006 || attribute == 0x0008 || attribute == 0x0014 ||
         attribute == 0x0015;
}

std::optional<Request> read_attributes(std::string_view datagram) {
  Request request;
  for (std::size_t at = kHeaderBytes; at < datagram.size();) {
    if (request.fingerprint || datagram.size() - at < 4)
      return std::nullopt;  // nothing follows a fingerprint
    const std::uint16_t type = read16(datagram, at);
    const std::size_t length = read16(datagram, at + 2);
    const std::size_t padded = (length + 3) / 4 * 4;
    if (datagram.size() - at - 4 < padded) return std::nullopt;
    if (type == kFingerprint) {
      if (length != 4 || read32(datagram, at + 4) != (crc32(datagram.substr(0, at)) ^ kFingerprintXor))
        return std::nullopt;
      request.fingerprint = true;
    } else if (!is_known(type) && request.unknown_count < kMostUnknown) {
      request.unknown.at(request.unknown_count++) = type;
    }
    at += 4 + padded;
  }
  return request;
}

// §15.2. The cookie and the transaction id hide the address from routers that rewrite what looks like one.
void add_address(std::string& out, std::string_view request, const Endpoint& from) {
  const bool v4 = from.ip.is_v4();
  add16(out, kXorMappedAddress);
  add16(out, v4 ? 8 : 20);
  add16(out, v4 ? 1 : 2);
  add16(out, from.port ^ (kMagicCookie >> 16U));
  if (v4) return add32(out, from.ip.to_v4() ^ kMagicCookie);
  const auto bytes = from.ip.bytes();
  for (std::size_t i = 0; i < bytes.size(); ++i)
    out += static_cast<char>(bytes[i] ^ static_cast<std::uint8_t>(request[4 + i]));
}

// §15.6, §15.9
void add_refusal(std::string& out, const Request& request) {
  add16(out, kErrorCode);
  add16(out, 4);
  add32(out, 420 / 100 << 8U | 420 % 100);
  add16(out, kUnknownAttributes);
  add16(out, static_cast<unsigned>(2 * request.unknown_count));
  for (std::size_t i = 0; i < request.unknown_count; ++i) add16(out, request.unknown.at(i));
  if (request.unknown_count % 2 != 0) add16(out, 0);
}

}  // namespace

bool is_stun_request(std::string_view datagram) {
  return datagram.size() >= kHeaderBytes && datagram.size() <= kMostBytes &&
         read16(datagram, 0) == kBindingRequest && read32(datagram, 4) == kMagicCookie &&
         read16(datagram, 2) == datagram.size() - kHeaderBytes && datagram.size() % 4 == 0;
}

std::optional<std::string> answer_stun(std::string_view datagram, const Endpoint& from) {
  if (!is_stun_request(datagram)) return std::nullopt;
  const auto request = read_attributes(datagram);
  if (!request) return std::nullopt;
  std::string attributes;
  if (request->unknown_count > 0) {
    add_refusal(attributes, *request);
  } else {
    add_address(attributes, datagram, from);
  }
  std::string answer;
  add16(answer, request->unknown_count > 0 ? kBindingError : kBindingSuccess);
  add16(answer, static_cast<unsigned>(attributes.size() + (request->fingerprint ? kFingerprintBytes : 0)));
  answer.append(datagram.substr(4, 16)).append(attributes);
  if (request->fingerprint) {
    const std::uint32_t check = crc32(answer) ^ kFingerprintXor;
    add16(answer, kFingerprint);
    add16(answer, 4);
    add32(answer, check);
  }
  return answer;
}

}  // namespace bw::sip
