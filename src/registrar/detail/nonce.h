// Nonces (RFC 7616 §3.3) that cost nothing to hand out, and their counts (§3.4) once they are used.
//
//    8 bytes            8 bytes   8 bytes
//   +------------------+---------+---------------------------------------------+
//   | time of issue ns | random  | SipHash of both and of the receiver's source |   in base64url: 32
//   characters
//   +------------------+---------+---------------------------------------------+
//
// The address is sealed in so that a sender who forges somebody's address cannot fail in that one's name: it
// never sees a nonce that is good there.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/address.h"
#include "base/rng.h"
#include "base/time.h"
#include "registrar/detail/keyed_hash.h"

namespace bw::registrar {

struct NonceId {
  Instant issued;
  std::uint64_t random = 0;
  friend auto operator<=>(const NonceId&, const NonceId&) = default;
};

class NonceMint {
 public:
  explicit NonceMint(Rng& rng) : rng_(rng), seal_(rng) {}
  std::string issue(const IpAddress& source, Instant now);
  // Nothing: this process never sent it to that source.
  std::optional<NonceId> recognise(std::string_view nonce, const IpAddress& source) const;

 private:
  std::uint64_t seal(const NonceId& id, const IpAddress& source) const;

  Rng& rng_;
  KeyedHash seal_;
};

// Which counts of which nonces were used. A nonce is remembered from its first success until it is stale.
class NonceCounts {
 public:
  static constexpr std::uint32_t kWindow = 64;  // so far behind the highest count a late request may be

  explicit NonceCounts(std::size_t capacity) : capacity_(capacity) {}

  // Forgotten for good: a fresh one must be asked for, because replays could not be told any more.
  bool is_forgotten(const NonceId& id) const { return id.issued <= floor_; }
  // True once for each count of a nonce; false also for one further behind than the window.
  bool use(const NonceId& id, std::uint32_t count);
  // Everything issued up to then is forgotten.
  void forget(Instant issued_until);
  std::size_t size() const { return windows_.size(); }

 private:
  struct Window {
    std::uint32_t highest = 0;
    std::uint64_t seen = 0;  // bit n: highest - n
  };
  struct HashId {
    std::size_t operator()(const NonceId& id) const { return static_cast<std::size_t>(id.random); }
  };
  void drop_oldest();

  std::size_t capacity_;
  Instant floor_{Duration::min()};
  std::unordered_map<NonceId, Window, HashId> windows_;
  std::priority_queue<NonceId, std::vector<NonceId>, std::greater<>> by_age_;
};

}  // namespace bw::registrar
