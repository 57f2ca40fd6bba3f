// What the client side and the server side of the transaction layer share: time, chance, and the way out.
#pragma once

#include <sodium.h>

#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "sip/detail/machine.h"
#include "sip/detail/timers.h"
#include "sip/message.h"
#include "sip/transaction.h"

namespace bw::sip::detail {

// SipHash under a key of this process: a stranger who chooses branches cannot choose collisions.
struct KeyedHash {
  std::array<unsigned char, crypto_shorthash_KEYBYTES> key{};

  explicit KeyedHash(Rng& rng) { rng.fill(std::as_writable_bytes(std::span{key})); }
  std::uint64_t operator()(std::string_view text) const {
    std::array<unsigned char, crypto_shorthash_BYTES> out{};
    crypto_shorthash(out.data(), reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                     key.data());
    std::uint64_t hash = 0;
    static_assert(sizeof hash == crypto_shorthash_BYTES);
    std::memcpy(&hash, out.data(), sizeof hash);
    return hash;
  }
};

// First in, first out, in one vector that is reused once it has been drained.
class Outbox {
 public:
  void put(TransactionLayer::Output output) { queue_.push_back(std::move(output)); }
  std::optional<TransactionLayer::Output> take() {
    if (next_ == queue_.size()) return std::nullopt;
    std::optional<TransactionLayer::Output> out{std::move(queue_[next_++])};
    if (next_ == queue_.size()) {
      queue_.clear();
      next_ = 0;
    }
    return out;
  }

 private:
  std::vector<TransactionLayer::Output> queue_;
  std::size_t next_ = 0;
};

using SharedBytes = std::shared_ptr<const std::string>;
// What the heap holds of them besides the text: counts and string.
inline constexpr std::size_t kBytesHead = sizeof(std::string) + 2 * sizeof(void*);

struct Turn {
  Turn(Rng& chance, TransactionTimers times, TransactionLimits most)
      : rng(chance), timers(times), limits(most), hash(chance) {}

  Rng& rng;
  const TransactionTimers timers;
  const TransactionLimits limits;
  const KeyedHash hash;
  Timers due;
  Outbox out;
  std::string scratch;  // for keys and wire forms, so that they cost no allocation

  // The wire form in a string of exactly its size, since it may be kept for 32 s.
  SharedBytes bytes_of(const Message& message) {
    scratch.clear();
    write(message, scratch);
    return std::make_shared<const std::string>(scratch);
  }
  Duration length_of(Span span) const;
};

// Arms what `state` starts and stops the rest. Answers false if the state ends at once (a lingering one on a
// stream): the caller then enters kTerminated.
bool enter_state(Turn& turn, Progress& progress, State state, TimerKey key, bool stream, Instant now);
// The repeat timer again, as the row demands.
void repeat_again(Turn& turn, Progress& progress, Act act, TimerKey key, Instant now);

}  // namespace bw::sip::detail
