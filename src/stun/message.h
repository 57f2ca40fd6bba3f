// STUN messages (RFC 8489 §5) as views of the received bytes, and their writing.
//
//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  |0 0|  message type (class C)   |         message length        |
//  |                  magic cookie 0x2112A442                      |
//  |                 transaction id (96 bits)                      |
//  |             attributes: type, length, value, padding          |
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/address.h"

namespace bw::stun {

using Bytes = std::span<const std::uint8_t>;
using TransactionId = std::array<std::uint8_t, 12>;

enum class Class : std::uint8_t { kRequest = 0, kIndication = 1, kSuccess = 2, kError = 3 };
inline constexpr std::uint16_t kBinding = 1;  // the only method of ICE

// RFC 8489 §18.3, RFC 8445 §16.1. Types below 0x8000 have to be understood.
enum class Type : std::uint16_t {
  kUsername = 0x0006,
  kMessageIntegrity = 0x0008,
  kErrorCode = 0x0009,
  kUnknownAttributes = 0x000A,
  kRealm = 0x0014,
  kNonce = 0x0015,
  kMessageIntegritySha256 = 0x001C,
  kXorMappedAddress = 0x0020,
  kPriority = 0x0024,
  kUseCandidate = 0x0025,
  kFingerprint = 0x8028,
  kIceControlled = 0x8029,
  kIceControlling = 0x802A,
};

struct Limits {
  static constexpr std::size_t kBytes = 1'280;  // what is longer is no check of connectivity
  static constexpr std::size_t kAttributes = 32;
};

// A checked message. Holds a view: the bytes must outlive it.
class Message {
 public:
  // Nullopt: not STUN, attributes that do not fit, or a FINGERPRINT that is wrong.
  static std::optional<Message> parse(Bytes bytes);

  Class message_class() const { return class_; }
  std::uint16_t method() const { return method_; }
  bool is_binding_request() const { return class_ == Class::kRequest && method_ == kBinding; }
  TransactionId transaction() const;

  // The value of the first attribute of that type; what follows MESSAGE-INTEGRITY is not seen (§14.5).
  std::optional<Bytes> find(Type type) const;
  bool has(Type type) const { return find(type).has_value(); }
  std::optional<std::string_view> text(Type type) const;
  std::optional<std::uint32_t> number32(Type type) const;
  std::optional<std::uint64_t> number64(Type type) const;
  std::optional<Endpoint> mapped_address() const;        // XOR-MAPPED-ADDRESS
  std::optional<std::uint16_t> error_code() const;       // 300 to 699
  bool has_fingerprint() const { return fingerprint_; }  // it was right

  // MESSAGE-INTEGRITY of short-term credentials is there and right.
  bool is_authentic(std::string_view password) const;

  // Types that would have to be understood and are not in `known`, each once, at most eight.
  std::vector<std::uint16_t> not_in(std::span<const Type> known) const;

 private:
  struct Place {
    std::uint16_t type = 0;
    std::uint16_t at = 0;  // of the value
    std::uint16_t size = 0;
  };
  explicit Message(Bytes bytes) : bytes_(bytes) {}
  bool read_attributes();
  bool add(const Place& place);

  Bytes bytes_;
  Class class_ = Class::kRequest;
  std::uint16_t method_ = 0;
  std::array<Place, Limits::kAttributes> places_{};
  std::size_t count_ = 0;
  std::uint16_t integrity_at_ = 0;  // start of the attribute; 0: none
  bool fingerprint_ = false;
};

// Builds a message attribute by attribute; integrity() and then fingerprint() come last.
class Writer {
 public:
  Writer(Class message_class, const TransactionId& transaction, std::uint16_t method = kBinding);

  Writer& text(Type type, std::string_view value);
  Writer& flag(Type type) { return text(type, {}); }
  Writer& number32(Type type, std::uint32_t value);
  Writer& number64(Type type, std::uint64_t value);
  Writer& mapped_address(const Endpoint& address);
  Writer& error(std::uint16_t code, std::string_view reason);
  Writer& unknown_attributes(std::span<const std::uint16_t> types);
  Writer& integrity(std::string_view password);
  Writer& fingerprint();
  std::vector<std::uint8_t> take() { return std::move(bytes_); }

 private:
  void begin(Type type, std::size_t size);
  void add16(std::uint16_t value);
  void add32(std::uint32_t value);
  void pad();
  void set_length(std::size_t more);

  std::vector<std::uint8_t> bytes_;
};

}  // namespace bw::stun
