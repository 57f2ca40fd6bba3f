// Random walks: receivers that fail as they like, a database that fails, crashes at any moment. What must
// hold afterwards: every event arrived, and the first time in the order of its call.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "webhooks/webhooks_fixture.h"

namespace bw::webhooks {
namespace {

const std::string kUrl = "http://walk.example/";

class Walk {
 public:
  explicit Walk(std::uint64_t seed) : rng_(seed), town_(seed, limits()) {
    id_ = town_.subscribe(kUrl);
    town_.receiver = [this](const Arrival& a) { return answer(a); };
  }

  void run() {
    for (int i = 0; i < 250; ++i) act();
    rough_ = false;
    town_.database_works = true;
    town_.pass(5h);  // long enough for the longest pause
  }

  void check() {
    const View view = town_.view(id_);
    EXPECT_EQ(view.pending, 0U);
    EXPECT_EQ(view.dead_letters, 0U);
    EXPECT_LE(town_.most_in_memory, limits().window + limits().deferred);
    std::map<std::string, std::vector<std::uint64_t>> first_seen;
    std::set<std::uint64_t> seen;
    for (const std::string& event : town_.ids_at(kUrl)) {
      const std::uint64_t seq = std::stoull(event.substr(1));
      if (seen.insert(seq).second) first_seen[town_.journal[seq - 1].call_id].push_back(seq);
    }
    EXPECT_EQ(seen.size(), town_.journal.size());
    for (const auto& [call, seqs] : first_seen) {
      if (!call.empty()) EXPECT_TRUE(std::ranges::is_sorted(seqs)) << call;
    }
    EXPECT_EQ(repeated_on_purpose_, 0U) << "stored as acknowledged, and yet sent again";
  }

 private:
  static Limits limits() {
    Limits l;
    l.window = 24;
    l.window_low = 12;
    l.page = 7;
    l.deferred = 6;
    return l;
  }

  http::Outcome answer(const Arrival& a) {
    const std::uint64_t seq = std::stoull(a.event_id.substr(1));
    if (stored_as_done(seq)) ++repeated_on_purpose_;
    http::Outcome out{.status = 200, .latency = 1ms * static_cast<std::int64_t>(rng_.below(300))};
    if (!rough_) return out;
    if (dead_ || seq % 29 == 3 || rng_.below(10) == 0) out.status = rng_.below(2) == 0 ? 0 : 500;
    if (out.status == 500 && rng_.below(8) == 0) {
      out.status = 429;
      out.retry_after = std::chrono::seconds(rng_.below(100));
    }
    return out;
  }

  bool stored_as_done(std::uint64_t seq) const {
    const Place& place = town_.database.at(id_).progress.place;
    if (std::ranges::any_of(place.deferred, [&](const Deferred& d) { return d.seq == seq; })) return false;
    return seq <= place.cursor || std::ranges::binary_search(place.done, seq);
  }

  void act() {
    switch (rng_.below(12)) {
      case 0:
        return town_.crash();
      case 1:
        dead_ = !dead_;
        return;
      case 2:
        town_.database_works = rng_.below(3) != 0;
        return;
      case 3:
        return town_.pass(std::chrono::minutes(rng_.below(30)));
      case 4:
      case 5:
        return town_.pass(1ms * static_cast<std::int64_t>(rng_.below(20'000)));
      default:
        for (auto n = rng_.below(6); n > 0; --n)
          town_.happens(rng_.below(6) == 0 ? "" : "call" + std::to_string(rng_.below(9)));
    }
  }

  SeededRng rng_;
  Town town_;
  SubscriptionId id_;
  bool rough_ = true;
  bool dead_ = false;
  std::size_t repeated_on_purpose_ = 0;
};

TEST(WebhooksWalk, NothingIsLostAndACallStaysInOrder) {
  for (std::uint64_t seed = 1; seed <= 15; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Walk walk(seed);
    walk.run();
    walk.check();
    if (::testing::Test::HasFailure()) break;
  }
}

}  // namespace
}  // namespace bw::webhooks
