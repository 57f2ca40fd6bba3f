// The same promises on both databases.
#include "store/webhooks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <soci/soci.h>

#include "store/detail/session.h"
#include "store/detail/statement.h"
#include "store/detail/webhook_json.h"
#include "store/test_databases.h"

namespace bw::store {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using webhooks::SubscriptionId;

constexpr Instant kAt{Duration{1'700'000'000'123'456'789}};

webhooks::Subscription hook(const char* id) {
  webhooks::Subscription s;
  s.id = SubscriptionId(id);
  s.url = "http://a.example/?x='";
  s.events = {"call.*", "extension.registered"};
  s.extensions = {"1001"};
  s.headers = {{"Authorization", Secret(std::string("Bearer token"))}};
  s.secret = Secret(std::string("a-new-secret"));
  s.former = Secret(std::string("a-former-secret"));
  s.former_until = kAt;
  s.standing = webhooks::Standing::kPaused;
  s.reason = "Nothing but failures.";
  s.created_at = kAt;
  return s;
}

class WebhookStore : public testing::TestWithParam<Dialect> {
 protected:
  Store open() { return Store::open(database.target(), test::key_of(1)).value(); }
  test::Database database{GetParam()};
};

webhooks::Snapshot snapshot(const char* id) {
  webhooks::Snapshot s{.subscription = SubscriptionId(id)};
  s.progress.place = {
      .cursor = 7, .done = {9, 11}, .deferred = {{5, "c:x", 3, kAt, kAt + 1s}, {8, "c:x", 0, {}, {}}}};
  s.progress.replay = webhooks::Place{.cursor = 1, .until = 4};
  s.progress.successes = 12;
  s.progress.failures = 13;
  s.progress.last_sent = kAt;
  s.progress.failing_since = kAt + 2s;
  s.with_dead = true;
  s.progress.dead = {{3, "id", "call.ended", "c:y", kAt, "why"}};
  s.log = {{"id", "call.ended", 3, 2, kAt, 500, "The receiver answered 500.", 12ms, "oops \"quoted\""}};
  return s;
}

TEST_P(WebhookStore, WhatIsKeptComesBackAfterARestart) {
  {
    Store store = open();
    WebhookTables tables(store);
    ASSERT_TRUE(tables.keep({.save = {hook("wh_1"), hook("wh_2")}, .cursor = 40}));
    ASSERT_TRUE(tables.save(std::vector{snapshot("wh_1")}));
  }
  Store store = open();
  const auto loaded = WebhookTables(store).load().value();
  ASSERT_THAT(loaded, SizeIs(2));
  const webhooks::Subscription& s = loaded[0].subscription;
  const webhooks::Subscription given = hook("wh_1");
  EXPECT_EQ(s.url, given.url);
  EXPECT_EQ(s.events, given.events);
  EXPECT_EQ(s.extensions, given.extensions);
  EXPECT_EQ(s.headers, given.headers);
  EXPECT_EQ(s.secret, given.secret);
  EXPECT_EQ(s.former, given.former);
  EXPECT_EQ(s.former_until, given.former_until);
  EXPECT_EQ(s.standing, given.standing);
  EXPECT_EQ(s.reason, given.reason);
  EXPECT_EQ(s.created_at, given.created_at);
  const webhooks::Progress& p = loaded[0].progress;
  const webhooks::Snapshot saved = snapshot("wh_1");
  EXPECT_EQ(p.place, saved.progress.place);
  EXPECT_EQ(p.replay, saved.progress.replay);
  EXPECT_EQ(p.successes, 12U);
  EXPECT_EQ(p.last_sent, saved.progress.last_sent);
  EXPECT_EQ(p.failing_since, saved.progress.failing_since);
  ASSERT_THAT(p.dead, SizeIs(1));
  EXPECT_EQ(p.dead[0].error, "why");
  ASSERT_THAT(loaded[0].log, SizeIs(1));
  EXPECT_EQ(loaded[0].log[0].excerpt, "oops \"quoted\"");
  EXPECT_EQ(loaded[1].progress.place.cursor, 40U);
}

TEST_P(WebhookStore, AChangeKeepsThePlaceAndARemovalLeavesNothing) {
  Store store = open();
  WebhookTables tables(store);
  ASSERT_TRUE(tables.keep({.save = {hook("wh_1")}, .cursor = 1}));
  ASSERT_TRUE(tables.save(std::vector{snapshot("wh_1")}));
  webhooks::Subscription changed = hook("wh_1");
  changed.standing = webhooks::Standing::kActive;
  ASSERT_TRUE(tables.keep({.save = {changed}, .cursor = 99}));
  EXPECT_EQ(tables.load().value()[0].progress.place.cursor, 7U);
  EXPECT_EQ(tables.load().value()[0].subscription.standing, webhooks::Standing::kActive);
  webhooks::Snapshot without = snapshot("wh_1");
  without.with_dead = false;
  without.progress.dead.clear();
  without.log.reset();
  ASSERT_TRUE(tables.save(std::vector{without}));
  EXPECT_THAT(tables.load().value()[0].progress.dead, SizeIs(1));
  ASSERT_TRUE(tables.keep({.drop = {SubscriptionId("wh_1")}}));
  ASSERT_TRUE(tables.save(std::vector{snapshot("wh_1")}));
  EXPECT_THAT(tables.load().value(), IsEmpty());
}

TEST_P(WebhookStore, ASecretOfAnotherRowIsNotTakenForThisOnes) {
  Store store = open();
  ASSERT_TRUE(WebhookTables(store).keep({.save = {hook("wh_1"), hook("wh_2")}, .cursor = 1}));
  const auto mixed = detail::connect(database.target());
  detail::run_once(
      *mixed,
      "UPDATE webhooks SET sealed = (SELECT sealed FROM webhooks WHERE id = 'wh_2') WHERE id = 'wh_1'");
  const auto loaded = WebhookTables(store).load();
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().sentence, HasSubstr("wh_1"));
}

TEST_P(WebhookStore, FindsEventsByIdAndTime) {
  Store store = open();
  SeededRng rng(3);
  std::vector<ports::Change> changes;
  for (int i = 0; i < 20; ++i) {
    events::Entry entry;
    entry.at = kAt + std::chrono::seconds(i);
    entry.id = events::EventId("018bcfe5-6800-7000-8000-0000000000" + std::to_string(10 + i));
    entry.event = events::CallRinging{model::CallId("c"), "1001", "phone"};
    entry.call_seq = static_cast<std::uint32_t>(i + 1);
    changes.push_back(ports::Tell{std::move(entry)});
  }
  ASSERT_TRUE(store.apply(changes));
  WebhookTables tables(store);
  const auto one = tables.find("018bcfe5-6800-7000-8000-000000000015", {}, {}).value();
  EXPECT_EQ(one.first, 6U);
  EXPECT_EQ(one.last, 6U);
  EXPECT_EQ(tables.find("018bcfe5-6800-7000-8000-000000000099", {}, {}).value().first, 0U);
  EXPECT_EQ(tables.find("no id at all'", {}, {}).value().first, 0U);
  const auto some = tables.find({}, kAt + 5s, kAt + 7s).value();
  EXPECT_EQ(some.first, 6U);
  EXPECT_EQ(some.last, 8U);
  EXPECT_EQ(tables.find({}, kAt + 1h, {}).value().first, 0U);
  EXPECT_EQ(tables.find({}, {}, {}).value().last, 20U);
  const std::vector<std::uint64_t> asked = {2, 19, 21};
  EXPECT_THAT(tables.events(asked).value(), SizeIs(2));
}

INSTANTIATE_TEST_SUITE_P(Databases, WebhookStore, testing::Values(Dialect::kSqlite, Dialect::kPostgresql),
                         [](const auto& of) {
                           return of.param == Dialect::kSqlite ? "Sqlite" : "Postgresql";
                         });

TEST(WebhookJson, WhatWeDidNotWriteIsRefused) {
  webhooks::Progress progress;
  webhooks::Subscription subscription;
  std::vector<webhooks::DeadLetter> dead;
  std::vector<webhooks::DeliveryRecord> log;
  for (const auto* text :
       {"", "{", "[]", "{}", "null", "[[1]]", R"({"place":{"cursor":-1}})", R"([["a","b"]])"}) {
    EXPECT_FALSE(detail::progress_from_json(text, progress)) << text;
    EXPECT_FALSE(detail::secrets_from_json(text, subscription)) << text;
    if (std::string_view(text) != "[]") {
      EXPECT_FALSE(detail::dead_from_json(text, dead)) << text;
      EXPECT_FALSE(detail::log_from_json(text, log)) << text;
    }
  }
}

}  // namespace
}  // namespace bw::store
