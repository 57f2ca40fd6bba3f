#include "stun/message.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <cassert>

namespace bw::stun {
namespace {

constexpr std::size_t kHeaderBytes = 20;
constexpr std::uint32_t kMagicCookie = 0x2112A442;
constexpr std::uint32_t kFingerprintXor = 0x5354554E;
constexpr std::size_t kSha1Bytes = 20;
constexpr std::size_t kMostUnknown = 8;

std::uint16_t get16(Bytes b, std::size_t at) {
  return static_cast<std::uint16_t>(b[at] << 8U | b[at + 1]);
}
std::uint32_t get32(Bytes b, std::size_t at) {
  return std::uint32_t{get16(b, at)} << 16U | get16(b, at + 2);
}

// §14.7: CRC-32 of ITU-T V.42, here and there interrupted.
class Crc32 {
 public:
  Crc32& add(Bytes bytes) {
    for (const std::uint8_t b : bytes) crc_ = kTable[(crc_ ^ b) & 0xFFU] ^ crc_ >> 8U;
    return *this;
  }
  std::uint32_t value() const { return ~crc_; }

 private:
  static constexpr auto kTable = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t crc = i;
      for (int bit = 0; bit < 8; ++bit) crc = (crc & 1U) != 0 ? crc >> 1U ^ 0xEDB88320U : crc >> 1U;
      table[i] = crc;
    }
    return table;
  }();
  std::uint32_t crc_ = 0xFFFFFFFF;
};

// Over `bytes`, whose header must already say the length that ends with the attribute (§14.5).
std::array<std::uint8_t, kSha1Bytes> hmac_sha1(std::string_view password, Bytes bytes) {
  std::array<std::uint8_t, kSha1Bytes> out{};
  unsigned size = 0;
  HMAC(EVP_sha1(), password.data(), static_cast<int>(password.size()), bytes.data(), bytes.size(), out.data(),
       &size);
  return out;
}

}  // namespace

std::optional<Message> Message::parse(Bytes bytes) {
  if (bytes.size() < kHeaderBytes || bytes.size() > Limits::kBytes || bytes.size() % 4 != 0) return {};
  const std::uint16_t type = get16(bytes, 0);
  if (type >> 14U != 0 || get32(bytes, 4) != kMagicCookie) return {};
  if (get16(bytes, 2) != bytes.size() - kHeaderBytes) return {};
  Message m{bytes};
  // The two bits of the class lie between those of the method (§5, figure 3).
  m.class_ = static_cast<Class>((type >> 4U & 1U) | (type >> 7U & 2U));
  m.method_ = static_cast<std::uint16_t>((type & 0xFU) | (type >> 1U & 0x70U) | (type >> 2U & 0xF80U));
  if (!m.read_attributes()) return {};
  return m;
}

bool Message::read_attributes() {
  for (std::size_t at = kHeaderBytes; at < bytes_.size();) {
    if (fingerprint_) return false;  // §14.7: the last attribute
    const Place place{get16(bytes_, at), static_cast<std::uint16_t>(at + 4), get16(bytes_, at + 2)};
    const std::size_t padded = (place.size + 3U) / 4U * 4U;
    if (bytes_.size() - place.at < padded) return false;
    const auto type = static_cast<Type>(place.type);
    if (type == Type::kFingerprint) {
      const std::uint32_t right = Crc32{}.add(bytes_.first(at)).value() ^ kFingerprintXor;
      if (place.size != 4 || get32(bytes_, place.at) != right) return false;
      fingerprint_ = true;
    } else if (type == Type::kMessageIntegrity && integrity_at_ == 0) {
      if (place.size != kSha1Bytes || !add(place)) return false;
      integrity_at_ = static_cast<std::uint16_t>(at);
    } else if (integrity_at_ == 0 && !add(place)) {
      return false;
    }
    at = place.at + padded;
  }
  return true;
}

bool Message::add(const Place& place) {
  if (count_ == places_.size()) return false;
  places_[count_++] = place;
  return true;
}

TransactionId Message::transaction() const {
  TransactionId id;
  std::ranges::copy(bytes_.subspan(8, id.size()), id.begin());
  return id;
}

std::optional<Bytes> Message::find(Type type) const {
  const auto end = places_.begin() + static_cast<std::ptrdiff_t>(count_);
  const auto it = std::find_if(places_.begin(), end,
                               [type](const Place& p) { return static_cast<Type>(p.type) == type; });
  if (it == end) return {};
  return bytes_.subspan(it->at, it->size);
}

std::optional<std::string_view> Message::text(Type type) const {
  const auto value = find(type);
  if (!value) return {};
  return std::string_view{reinterpret_cast<const char*>(value->data()), value->size()};
}

std::optional<std::uint32_t> Message::number32(Type type) const {
  const auto value = find(type);
  if (!value || value->size() != 4) return {};
  return get32(*value, 0);
}

std::optional<std::uint64_t> Message::number64(Type type) const {
  const auto value = find(type);
  if (!value || value->size() != 8) return {};
  return std::uint64_t{get32(*value, 0)} << 32U | get32(*value, 4);
}

// §14.2. Cookie and transaction id hide the address from routers that rewrite what looks like one.
std::optional<Endpoint> Message::mapped_address() const {
  const auto value = find(Type::kXorMappedAddress);
  if (!value || value->size() < 8) return {};
  const auto port = static_cast<std::uint16_t>(get16(*value, 2) ^ (kMagicCookie >> 16U));
  if ((*value)[1] == 1 && value->size() == 8) {
    return Endpoint{IpAddress::v4(get32(*value, 4) ^ kMagicCookie), port};
  }
  if ((*value)[1] != 2 || value->size() != 20) return {};
  std::array<std::uint8_t, 16> ip{};
  for (std::size_t i = 0; i < ip.size(); ++i) ip[i] = (*value)[4 + i] ^ bytes_[4 + i];
  return Endpoint{IpAddress::v6(ip), port};
}

std::optional<std::uint16_t> Message::error_code() const {
  const auto value = find(Type::kErrorCode);
  if (!value || value->size() < 4) return {};
  const unsigned hundreds = (*value)[2] & 7U;
  const unsigned rest = (*value)[3];
  if (hundreds < 3 || hundreds > 6 || rest > 99) return {};
  return static_cast<std::uint16_t>(hundreds * 100 + rest);
}

bool Message::is_authentic(std::string_view password) const {
  if (integrity_at_ == 0) return false;
  std::array<std::uint8_t, Limits::kBytes> covered;
  std::copy_n(bytes_.begin(), integrity_at_, covered.begin());
  const std::size_t length = integrity_at_ + 4 + kSha1Bytes - kHeaderBytes;
  covered[2] = static_cast<std::uint8_t>(length >> 8U);
  covered[3] = static_cast<std::uint8_t>(length);
  const auto right = hmac_sha1(password, Bytes{covered}.first(integrity_at_));
  return CRYPTO_memcmp(right.data(), bytes_.data() + integrity_at_ + 4, kSha1Bytes) == 0;
}

std::vector<std::uint16_t> Message::not_in(std::span<const Type> known) const {
  std::vector<std::uint16_t> unknown;
  for (const Place& place : std::span{places_}.first(count_)) {
    if (place.type >= 0x8000 || unknown.size() == kMostUnknown) continue;
    if (std::ranges::find(known, static_cast<Type>(place.type)) != known.end()) continue;
    if (std::ranges::find(unknown, place.type) == unknown.end()) unknown.push_back(place.type);
  }
  return unknown;
}

Writer::Writer(Class message_class, const TransactionId& transaction, std::uint16_t method) {
  const unsigned c = static_cast<unsigned>(message_class);
  const unsigned type =
      (method & 0xFU) | (method & 0x70U) << 1U | (method & 0xF80U) << 2U | (c & 1U) << 4U | (c & 2U) << 7U;
  bytes_.reserve(128);
  add16(static_cast<std::uint16_t>(type));
  add16(0);
  add32(kMagicCookie);
  bytes_.insert(bytes_.end(), transaction.begin(), transaction.end());
}

Writer& Writer::text(Type type, std::string_view value) {
  begin(type, value.size());
  bytes_.insert(bytes_.end(), value.begin(), value.end());
  pad();
  return *this;
}

Writer& Writer::number32(Type type, std::uint32_t value) {
  begin(type, 4);
  add32(value);
  return *this;
}

Writer& Writer::number64(Type type, std::uint64_t value) {
  begin(type, 8);
  add32(static_cast<std::uint32_t>(value >> 32U));
  add32(static_cast<std::uint32_t>(value));
  return *this;
}

Writer& Writer::mapped_address(const Endpoint& address) {
  const bool v4 = address.ip.is_v4();
  begin(Type::kXorMappedAddress, v4 ? 8 : 20);
  add16(v4 ? 1 : 2);
  add16(static_cast<std::uint16_t>(address.port ^ (kMagicCookie >> 16U)));
  if (v4) {
    add32(address.ip.to_v4() ^ kMagicCookie);
  } else {
    const auto& ip = address.ip.bytes();
    for (std::size_t i = 0; i < ip.size(); ++i) {
      bytes_.push_back(static_cast<std::uint8_t>(ip[i] ^ bytes_[4 + i]));
    }
  }
  return *this;
}

Writer& Writer::error(std::uint16_t code, std::string_view reason) {
  begin(Type::kErrorCode, 4 + reason.size());
  add16(0);
  add16(static_cast<std::uint16_t>(code / 100 << 8U | code % 100));
  bytes_.insert(bytes_.end(), reason.begin(), reason.end());
  pad();
  return *this;
}

Writer& Writer::unknown_attributes(std::span<const std::uint16_t> types) {
  begin(Type::kUnknownAttributes, types.size() * 2);
  for (const std::uint16_t type : types) add16(type);
  pad();
  return *this;
}

Writer& Writer::integrity(std::string_view password) {
  set_length(4 + kSha1Bytes);
  const auto code = hmac_sha1(password, bytes_);
  begin(Type::kMessageIntegrity, code.size());
  bytes_.insert(bytes_.end(), code.begin(), code.end());
  return *this;
}

Writer& Writer::fingerprint() {
  set_length(8);
  const std::uint32_t crc = Crc32{}.add(bytes_).value();
  return number32(Type::kFingerprint, crc ^ kFingerprintXor);
}

void Writer::begin(Type type, std::size_t size) {
  assert(size <= Limits::kBytes);
  set_length(4 + (size + 3) / 4 * 4);
  add16(static_cast<std::uint16_t>(type));
  add16(static_cast<std::uint16_t>(size));
}

void Writer::add16(std::uint16_t value) {
  bytes_.push_back(static_cast<std::uint8_t>(value >> 8U));
  bytes_.push_back(static_cast<std::uint8_t>(value));
}

void Writer::add32(std::uint32_t value) {
  add16(static_cast<std::uint16_t>(value >> 16U));
  add16(static_cast<std::uint16_t>(value));
}

void Writer::pad() {
  while (bytes_.size() % 4 != 0) bytes_.push_back(0);
}

// The length as it will be when `more` bytes have been added.
void Writer::set_length(std::size_t more) {
  const std::size_t length = bytes_.size() - kHeaderBytes + more;
  bytes_[2] = static_cast<std::uint8_t>(length >> 8U);
  bytes_[3] = static_cast<std::uint8_t>(length);
}

}  // namespace bw::stun
