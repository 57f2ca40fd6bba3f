#include "registrar/detail/nonce.h"

#include <array>
#include <cassert>
#include <cstring>

#include "base/base64.h"

namespace bw::registrar {
namespace {

constexpr std::size_t kBytes = 24;
constexpr std::size_t kText = 32;

}  // namespace

std::uint64_t NonceMint::seal(const NonceId& id, const IpAddress& source) const {
  std::array<char, 33> text{};
  const std::int64_t issued = id.issued.since_epoch().count();
  std::memcpy(text.data(), &issued, 8);
  std::memcpy(text.data() + 8, &id.random, 8);
  const auto address = bytes_of(source);
  std::memcpy(text.data() + 16, address.data(), address.size());
  return seal_({text.data(), text.size()});
}

std::string NonceMint::issue(const IpAddress& source, Instant now) {
  const NonceId id{now, rng_.u64()};
  const std::int64_t issued = now.since_epoch().count();
  const std::uint64_t sealed = seal(id, source);
  std::array<unsigned char, kBytes> bytes{};
  std::memcpy(bytes.data(), &issued, 8);
  std::memcpy(bytes.data() + 8, &id.random, 8);
  std::memcpy(bytes.data() + 16, &sealed, 8);
  return to_base64(bytes, Base64::kUrl);
}

std::optional<NonceId> NonceMint::recognise(std::string_view nonce, const IpAddress& source) const {
  if (nonce.size() != kText) return std::nullopt;
  const auto bytes = from_base64(nonce, Base64::kUrl);
  if (!bytes || bytes->size() != kBytes) return std::nullopt;
  std::int64_t issued = 0;
  NonceId id;
  std::uint64_t sealed = 0;
  std::memcpy(&issued, bytes->data(), 8);
  std::memcpy(&id.random, bytes->data() + 8, 8);
  std::memcpy(&sealed, bytes->data() + 16, 8);
  id.issued = Instant{Duration{issued}};
  if (seal(id, source) != sealed) return std::nullopt;
  return id;
}

bool NonceCounts::use(const NonceId& id, std::uint32_t count) {
  assert(!is_forgotten(id));
  const auto it = windows_.find(id);
  if (it == windows_.end()) {
    if (windows_.size() >= capacity_) drop_oldest();
    // The one that comes may itself be the oldest: then it is used this once and never again.
    if (is_forgotten(id)) return true;
    windows_.emplace(id, Window{count, 1});
    by_age_.push(id);
    return true;
  }
  Window& window = it->second;
  if (count > window.highest) {
    const std::uint32_t ahead = count - window.highest;
    window.seen = ahead >= kWindow ? 0 : window.seen << ahead;
    window.seen |= 1U;
    window.highest = count;
    return true;
  }
  const std::uint32_t behind = window.highest - count;
  if (behind >= kWindow) return false;
  const std::uint64_t bit = std::uint64_t{1} << behind;
  if ((window.seen & bit) != 0) return false;
  window.seen |= bit;
  return true;
}

void NonceCounts::forget(Instant issued_until) {
  if (issued_until > floor_) floor_ = issued_until;
  while (!by_age_.empty() && is_forgotten(by_age_.top())) {
    windows_.erase(by_age_.top());
    by_age_.pop();
  }
}

void NonceCounts::drop_oldest() {
  if (!by_age_.empty()) forget(by_age_.top().issued);
}

}  // namespace bw::registrar
