#include "live/subscription.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>

namespace bw::live {
namespace {

using events::StoredBatch;
using events::StoredEvent;

StoredEvent event(std::uint64_t seq, std::string type = "call.started", std::string extension = "1001",
                  std::string call = "c1") {
  StoredEvent e;
  e.seq = seq;
  e.type = std::move(type);
  e.call_id = std::move(call);
  e.extensions = {std::move(extension)};
  return e;
}

StoredBatch batch(std::vector<StoredEvent> events) {
  return std::make_shared<const std::vector<StoredEvent>>(std::move(events));
}

TEST(LiveFilter, TypesExtensionAndCallMustAllFit) {
  const Viewer all{true, {}};
  const StoredEvent e = event(1, "call.ringing", "1002", "c7");
  EXPECT_TRUE(shown_to(all, {}, e));
  EXPECT_TRUE(shown_to(all, {{"call.*"}, "1002", "c7"}, e));
  EXPECT_TRUE(shown_to(all, {{"presence.changed", "*"}, "", ""}, e));
  EXPECT_FALSE(shown_to(all, {{"call.ended"}, "", ""}, e));
  EXPECT_FALSE(shown_to(all, {{}, "1001", ""}, e));
  EXPECT_FALSE(shown_to(all, {{}, "", "c8"}, e));
}

TEST(LiveFilter, AUserSeesWhatConcernsItsExtensionWhateverItAsksFor) {
  const Viewer user{false, "1001"};
  EXPECT_TRUE(shown_to(user, {}, event(1, "call.started", "1001")));
  EXPECT_FALSE(shown_to(user, {}, event(1, "call.started", "1002")));
  EXPECT_FALSE(shown_to(user, {{"*"}, "1002", ""}, event(1, "call.started", "1002")));
  EXPECT_FALSE(shown_to(Viewer{}, {}, event(1, "call.started", "")));
  StoredEvent nobodys = event(1, "security.lockout");
  nobodys.extensions.clear();
  EXPECT_FALSE(shown_to(user, {}, nobodys));
  EXPECT_FALSE(shown_to({false, ""}, {}, nobodys));
}

// A journal, its commits, and a reader whose network stalls, all by a seed.
class Scene {
 public:
  Scene(unsigned seed, Filter filter, Viewer viewer) : chance_(seed), filter_(filter), viewer_(viewer) {
    for (unsigned i = below(60); i > 0; --i) store();
    unseen_.clear();
    if (below(3) > 0) forget();
    // Also numbers that were removed, and numbers nobody gave yet.
    expected_ = below(4) > 0 ? below(static_cast<unsigned>(newest_) + 5) : newest_;
    reader_.emplace(filter_, viewer_, expected_, newest_, Limits{1 + below(20)});
    drain();
  }

  void run(unsigned steps) {
    while (steps-- > 0) step();
    for (int i = 0; i < 10'000 && (pending_ || page_ || snapshot_ || !unseen_.empty()); ++i) quiet_step();
    if (lost_last_) {  // the next commit shows that one is missing
      store();
      for (int i = 0; i < 10'000 && (pending_ || page_ || snapshot_ || !unseen_.empty()); ++i) quiet_step();
    }
    check_nothing_is_missing();
  }

 private:
  unsigned below(unsigned n) { return n == 0 ? 0 : static_cast<unsigned>(chance_() % n); }

  void store() {
    const unsigned count = 1 + below(5);
    std::vector<StoredEvent> all;
    for (unsigned i = 0; i < count; ++i) {
      static constexpr const char* kTypes[] = {"call.started", "call.ended", "presence.changed"};
      all.push_back(event(++newest_, kTypes[below(3)], below(2) == 0 ? "1001" : "1002",
                          "c" + std::to_string(below(4))));
      journal_.emplace(newest_, all.back());
      everything_.emplace(newest_, all.back());
    }
    unseen_.push_back(batch(std::move(all)));
  }
  // Retention; the newest always stays.
  void forget() {
    for (unsigned i = below(50); i > 0 && journal_.size() > 1; --i) journal_.erase(journal_.begin());
  }
  // The journal as it is now; the answer may be on its way for long, and news of commits overtake it.
  void read_page() {
    const Subscription::ReadPage wish = *page_;
    Subscription::PageRead read;
    std::vector<StoredEvent> found;
    read.reached = wish.after;
    read.complete = true;
    for (auto it = journal_.upper_bound(wish.after); it != journal_.end(); ++it) {
      if (found.size() == wish.limit) {
        read.complete = false;
        break;
      }
      if (below(10) > 0 || shown_to(viewer_, filter_, it->second)) found.push_back(it->second);
      read.reached = it->first;
    }
    read.oldest = journal_.empty() ? 0 : journal_.begin()->first;
    read.newest = newest_;
    read.events = batch(std::move(found));
    answer_ = std::move(read);
  }
  void step() {
    switch (below(8)) {
      case 0:
      case 1:
        return store();
      case 2:
        return forget();
      case 3:
        if (unseen_.empty() || below(10) > 0) return;
        unseen_.erase(unseen_.begin());  // nobody told us
        lost_last_ = true;
        return;
      default:
        return quiet_step();
    }
  }
  void quiet_step() {
    if (page_ && below(2) == 0) {
      if (!answer_) return read_page();
      page_.reset();
      return give(*std::exchange(answer_, std::nullopt));
    }
    if (snapshot_ && below(2) == 0) {
      snapshot_ = false;
      return give(Subscription::SnapshotShown{});
    }
    if (pending_ && below(2) == 0) {
      pending_ = false;
      return give(Subscription::Drained{});
    }
    if (!unseen_.empty()) {
      const StoredBatch first = unseen_.front();
      unseen_.erase(unseen_.begin());
      lost_last_ = false;
      give(Subscription::Committed{first});
    }
  }
  void give(const Subscription::Input& input) {
    reader_->handle(input, {});
    drain();
  }
  void drain() {
    while (const auto out = reader_->poll()) {
      std::visit(Overloaded{
                     [&](const Subscription::ReadPage& r) { page_ = r; },
                     [&](const Subscription::Show& s) { take((*s.batch)[s.index]); },
                     [&](const Subscription::TakeSnapshot& s) {
                       snapshot_ = true;
                       expected_ = s.as_of;
                     },
                     [&](const Subscription::Leave& l) { FAIL() << l.reason; },
                 },
                 *out);
    }
  }
  void take(const StoredEvent& e) {
    pending_ = true;
    ASSERT_TRUE(shown_to(viewer_, filter_, e));
    // The next one that is wanted, and no other.
    for (std::uint64_t seq = expected_ + 1; seq < e.seq; ++seq) {
      ASSERT_FALSE(shown_to(viewer_, filter_, everything_.at(seq)))
          << seq << " was left out before " << e.seq;
    }
    ASSERT_GT(e.seq, expected_) << "shown twice";
    expected_ = e.seq;
  }
  void check_nothing_is_missing() {
    for (std::uint64_t seq = expected_ + 1; seq <= newest_; ++seq) {
      ASSERT_FALSE(shown_to(viewer_, filter_, everything_.at(seq))) << seq << " was never shown";
    }
  }

  std::mt19937 chance_;
  Filter filter_;
  Viewer viewer_;
  std::map<std::uint64_t, StoredEvent> journal_, everything_;
  std::uint64_t newest_ = 0;
  std::uint64_t expected_ = 0;  // everything wanted up to here was shown, or is part of a snapshot
  std::vector<StoredBatch> unseen_;
  std::optional<Subscription> reader_;
  std::optional<Subscription::ReadPage> page_;
  std::optional<Subscription::PageRead> answer_;
  bool snapshot_ = false;
  bool pending_ = false;
  bool lost_last_ = false;  // of the news of commits
};

TEST(LiveSubscription, NothingIsLeftOutOrRepeatedWhateverMeetsAtOneMoment) {
  for (unsigned seed = 1; seed <= 500; ++seed) {
    SCOPED_TRACE(seed);
    const Filter filter = seed % 3 == 0 ? Filter{{"call.*"}, "", "c1"} : Filter{};
    const Viewer viewer = seed % 2 == 0 ? Viewer{true, {}} : Viewer{false, "1001"};
    Scene(seed, filter, viewer).run(150);
    if (testing::Test::HasFatalFailure()) return;
  }
}

TEST(LiveSubscription, WhoIsTooLateGetsASnapshotAndThenWhatFollows) {
  Subscription reader({}, {true, {}}, 5, 90);
  const auto read = std::get<Subscription::ReadPage>(*reader.poll());
  EXPECT_EQ(read.after, 5u);
  reader.handle(Subscription::PageRead{batch({event(90)}), 90, 90, 90, true}, {});
  EXPECT_EQ(std::get<Subscription::TakeSnapshot>(*reader.poll()).as_of, 90u);
  reader.handle(Subscription::Committed{batch({event(91)})}, {});
  EXPECT_FALSE(reader.poll().has_value());
  reader.handle(Subscription::SnapshotShown{}, {});
  EXPECT_EQ(std::get<Subscription::ReadPage>(*reader.poll()).after, 90u);
  reader.handle(Subscription::PageRead{batch({event(91)}), 91, 90, 91, true}, {});
  EXPECT_EQ(std::get<Subscription::Show>(*reader.poll()).batch->front().seq, 91u);
}

TEST(LiveSubscription, WhoDoesNotReadIsSentAwayAndWantsNothingMore) {
  Subscription reader({}, {true, {}}, 6, 6);
  EXPECT_FALSE(reader.poll().has_value());
  reader.handle(Subscription::Committed{batch({event(7), event(8)})}, {});
  EXPECT_TRUE(reader.poll().has_value());
  reader.handle(Subscription::Refused{}, {});
  EXPECT_NE(std::get<Subscription::Leave>(*reader.poll()).reason.find("too slow"), std::string_view::npos);
  reader.handle(Subscription::Committed{batch({event(9)})}, {});
  EXPECT_FALSE(reader.poll().has_value());
}

}  // namespace
}  // namespace bw::live
