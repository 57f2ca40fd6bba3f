// The containers of the transaction layer against the plain ones of the standard library.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "base/rng.h"
#include "sip/detail/hash_index.h"
#include "sip/detail/slab.h"
#include "sip/detail/timers.h"

namespace bw::sip::detail {
namespace {

TEST(HashIndex, AgreesWithAMapAlsoWhenHashesCrowd) {
  for (const std::uint64_t spread : {std::uint64_t{40}, std::uint64_t{1} << 40U}) {
    SeededRng rng{spread};
    HashIndex index;
    std::map<std::uint64_t, std::uint32_t> truth;
    for (int step = 0; step < 40'000; ++step) {
      // Few hashes, a table's length apart: long chains with others in between.
      const std::uint64_t hash = rng.below(spread) * (rng.below(2) == 0 ? 1 : 64);
      const auto slot = static_cast<std::uint32_t>(step);
      if (rng.below(2) == 0) {
        EXPECT_EQ(index.insert(hash, slot), truth.emplace(hash, slot).second);
      } else {
        index.erase(hash);
        truth.erase(hash);
      }
      const std::uint64_t other = rng.below(spread);
      const auto found = truth.find(other);
      ASSERT_EQ(index.find(other), found == truth.end() ? std::nullopt : std::optional{found->second});
      ASSERT_EQ(index.count(), truth.size());
    }
    for (const auto& [hash, slot] : truth) ASSERT_EQ(index.find(hash), slot);
  }
}

TEST(Slab, KeepsAddressesAndTellsTenantsApart) {
  struct Thing : SlabEntry {
    std::string text;
  };
  Slab<Thing> slab;
  std::set<Thing*> all;
  for (int i = 0; i < 1000; ++i) all.insert(&slab.take());
  EXPECT_EQ(all.size(), 1000U);
  EXPECT_EQ(slab.count(), 1000U);
  Thing& first = slab.at(0);
  EXPECT_TRUE(all.contains(&first));
  first.text = "old";
  const std::uint32_t generation = first.generation;
  slab.give_back(first);
  EXPECT_FALSE(slab.is_live(0));
  Thing& next = slab.take();
  EXPECT_EQ(&next, &first);
  EXPECT_EQ(next.text, "");
  EXPECT_NE(next.generation, generation);
  EXPECT_FALSE(slab.is_live(1'000'000));
}

TEST(Timers, FireInOrderWhateverTheirKind) {
  constexpr Span kLengths[] = {Span::kT4, Span::k64T1, Span::kC, Span::kD};
  constexpr Duration kSpans[] = {5s, 32s, 180s, 32s};
  SeededRng rng{5};
  Timers timers;
  std::array<Progress, 300> all;
  std::map<std::pair<std::uint32_t, bool>, Instant> truth;  // slot and whether it is the ending one
  Instant now{1s};
  for (int step = 0; step < 50'000; ++step) {
    const auto slot = static_cast<std::uint32_t>(rng.below(all.size()));
    switch (rng.below(6)) {
      case 0:
      case 1: {
        const std::size_t kind = rng.below(4);
        timers.arm_end(all[slot], kLengths[kind], now + kSpans[kind], {slot, Event::kTimerB, false});
        truth[{slot, true}] = now + kSpans[kind];
        break;
      }
      case 2: {
        const Instant at = now + Duration{rng.below(4'000'000'000)};
        timers.arm_repeat(all[slot], at, {slot, Event::kTimerA, false});
        truth[{slot, false}] = at;
        break;
      }
      case 3:
        timers.cancel_end(all[slot]);
        truth.erase({slot, true});
        break;
      case 4:
        timers.cancel_repeat(all[slot]);
        truth.erase({slot, false});
        break;
      default: {
        now = now + Duration{rng.below(2'000'000'000)};
        Instant last;
        while (const auto key = timers.pop_due(now)) {
          const bool ends = key->fires == Event::kTimerB;
          const auto found = truth.find({key->slot, ends});
          ASSERT_NE(found, truth.end());
          ASSERT_LE(found->second, now);
          ASSERT_GE(found->second, last);
          last = found->second;
          truth.erase(found);
        }
        break;
      }
    }
    std::optional<Instant> earliest;
    for (const auto& [key, at] : truth) earliest = earliest ? std::min(*earliest, at) : at;
    ASSERT_EQ(timers.next(), earliest);
  }
}

TEST(Timers, KeepTheirOrderEvenIfTimeRunsBackwards) {
  Timers timers;
  std::array<Progress, 4> all;
  const int seconds[] = {30, 10, 20, 10};
  for (std::uint32_t i = 0; i < 4; ++i) {
    timers.arm_end(all[i], Span::k64T1, Instant{std::chrono::seconds{seconds[i]}}, {i, Event::kTimerB, true});
  }
  std::string order;
  while (const auto key = timers.pop_due(Instant{100s})) order += std::to_string(key->slot);
  EXPECT_EQ(order, "1320");
}

}  // namespace
}  // namespace bw::sip::detail
