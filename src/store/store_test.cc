// The same promises on both databases.
#include "store/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <thread>

#include "store/detail/session.h"
#include "store/detail/statement.h"
#include "store/detail/text.h"
#include "store/test_databases.h"

namespace bw::store {

// For gmock's messages; friends of the types are not ours to declare.
namespace {

using namespace std::string_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

Instant at(int seconds) {
  return Instant{1'700'000'000s + std::chrono::seconds(seconds) + 7ns};
}

model::Extension alice() {
  model::Extension e;
  e.number = model::ExtensionNumber("1001");
  e.name = Personal<std::string>("Alice \"Al\" \xC3\x89xample");
  e.email = Personal<std::string>("alice@example.com");
  e.credentials.ha1_md5 = Secret<std::string>("00112233445566778899aabbccddeeff");
  e.credentials.ha1_sha256 =
      Secret<std::string>("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
  e.allow_external = true;
  e.do_not_disturb = true;
  e.record = true;
  e.ring_seconds = 25;
  e.forward = {"1002", "1003", "+12025550123", "*1001"};
  e.groups = {"sales", "north, \"upper\"", ""};
  return e;
}

model::Binding desk(std::string_view contact, Instant expires) {
  model::Binding b;
  b.extension = model::ExtensionNumber("1001");
  b.contact = contact;
  b.reg_id = 0;
  b.call_id = "abc@192.0.2.9";
  b.cseq = 4'294'967'295U;
  b.q_thousandths = 700;
  b.path = {"<sip:edge.example.com;lr>", "<sip:[2001:db8::1];lr>"};
  b.flow = {.transport = sip::Transport::kTls,
            .connection = {},
            .local = *Endpoint::parse("[2001:db8::5]:5061"),
            .remote = *Endpoint::parse("192.0.2.9:40001")};
  b.user_agent = "Desk phone 1.2";
  b.first_registered = at(-100);
  b.last_registered = at(-1);
  b.expires_at = expires;
  return b;
}

model::CallRecord call(const std::string& id, Instant started) {
  model::CallRecord r;
  r.id = model::CallId(id);
  r.from_extension = "1001";
  r.to_extension = "1002";
  r.from_number = Personal<std::string>("1001");
  r.to_number = Personal<std::string>("1002");
  r.caller_name = Personal<std::string>("Alice");
  r.started = started;
  r.user_agent = "Desk phone 1.2";
  return r;
}

model::CallRecord ended(model::CallRecord r, Instant end, const std::string& reason) {
  r.answered = r.started + 3s;
  r.ended = end;
  r.disposition = model::Disposition::kAnswered;
  r.hangup_by = "callee";
  r.cause_code = 200;
  r.reason = reason;
  r.legs = {{.party = "1001",
             .device = "Desk \"1\"\n",
             .codec = "PCMU/8000",
             .secured = true,
             .mos = 4.37,
             .loss_percent = 0.1,
             .jitter_ms = 1.25},
            {.party = "1002",
             .device = "",
             .codec = "opus/48000",
             .secured = false,
             .mos = 0,
             .loss_percent = 0,
             .jitter_ms = 0}};
  return r;
}

class Stored : public testing::TestWithParam<Dialect> {
 protected:
  Store open(unsigned char key = 1) {
    auto store = Store::open(database_.target(), test::key_of(key));
    if (!store) throw std::runtime_error(store.error().sentence);
    return std::move(*store);
  }
  Failure refusal(unsigned char key = 1) {
    auto store = Store::open(database_.target(), test::key_of(key));
    return store ? Failure{} : store.error();
  }
  void sql(const std::string& statement) {
    detail::run_once(*detail::connect(database_.target()), statement);
  }

  static void apply(Store& store, std::vector<ports::Change> changes) {
    const auto done = store.apply(std::span<const ports::Change>(changes));
    ASSERT_TRUE(done) << done.error().sentence;
  }
  static std::vector<model::CallRecord> calls(Store& store, const CallFilter& filter = {}) {
    return store.call_records(filter).value();
  }

  test::Database database_{GetParam()};
  SeededRng rng_{7};
};

INSTANTIATE_TEST_SUITE_P(On, Stored, testing::Values(Dialect::kSqlite, Dialect::kPostgresql),
                         [](const auto& p) { return p.param == Dialect::kSqlite ? "Sqlite" : "Postgresql"; });

TEST_P(Stored, AnExtensionComesBackAsItWasAlsoAfterAReopening) {
  model::Extension bare;
  bare.number = model::ExtensionNumber("1002");
  {
    Store store = open();
    apply(store, {ports::SaveExtension{bare}, ports::SaveExtension{alice()}});
  }
  Store store = open();
  EXPECT_TRUE(store.load_extensions().value() == (std::vector{alice(), bare}));

  model::Extension changed = alice();
  changed.forward = {};
  changed.credentials.ha1_md5 = Secret<std::string>("ffffffffffffffffffffffffffffffff");
  apply(store, {ports::SaveExtension{changed}, ports::DropExtension{bare.number}});
  EXPECT_TRUE(store.load_extensions().value() == std::vector{changed});
}

TEST_P(Stored, BindingsComeBackAsTheyWereAndWithoutTheExpiredOnes) {
  model::Binding by_instance = desk("sip:1001@192.0.2.9:40001;transport=tls", at(60));
  by_instance.instance = "urn:uuid:0001";
  by_instance.reg_id = 2;
  const model::Binding by_contact = desk("sip:1001@192.0.2.10", at(60));
  const model::Binding expired = desk("sip:1001@192.0.2.11", at(0));
  {
    Store store = open();
    apply(store,
          {ports::SaveBinding{by_instance}, ports::SaveBinding{by_contact}, ports::SaveBinding{expired}});
  }
  Store store = open();
  EXPECT_TRUE(store.load_bindings(at(0)).value() == (std::vector{by_contact, by_instance}));
  EXPECT_THAT(store.load_bindings(at(-1000)).value(), SizeIs(2));  // the expired one is gone, not hidden
}

TEST_P(Stored, ABindingIsReplacedByItsInstanceOrElseByItsContact) {
  Store store = open();
  model::Binding phone = desk("sip:1001@192.0.2.9:1", at(60));
  phone.instance = "urn:uuid:0001";
  model::Binding rebooted = phone;
  rebooted.contact = "sip:1001@192.0.2.9:2";
  model::Binding second_flow = phone;
  second_flow.reg_id = 2;
  const model::Binding other = desk("sip:1001@192.0.2.10", at(60));
  model::Binding refreshed = other;
  refreshed.expires_at = at(120);
  apply(store, {ports::SaveBinding{phone}, ports::SaveBinding{rebooted}, ports::SaveBinding{second_flow},
                ports::SaveBinding{other}, ports::SaveBinding{refreshed}});
  EXPECT_TRUE(store.load_bindings(at(0)).value() == (std::vector{refreshed, rebooted, second_flow}));
  apply(store, {ports::DropBinding{phone}, ports::DropBinding{other}});
  EXPECT_TRUE(store.load_bindings(at(0)).value() == std::vector{second_flow});
}

TEST_P(Stored, ACallIsOneRecordFromItsStartToItsEnd) {
  Store store = open();
  apply(store, {ports::OpenCallRecord{call("a", at(0))}});
  ASSERT_THAT(calls(store), SizeIs(1));
  EXPECT_FALSE(calls(store)[0].ended);
  model::CallRecord end = ended(call("a", at(0)), at(65), "1002 hung up");
  end.to_extension = "1003";  // after a transfer
  apply(store, {ports::CloseCallRecord{end}});
  const auto records = calls(store);
  ASSERT_THAT(records, SizeIs(1));
  const model::CallRecord& r = records[0];
  EXPECT_EQ(r.started, at(0));
  EXPECT_EQ(r.answered, at(3));
  EXPECT_EQ(r.ended, at(65));
  EXPECT_EQ(r.to_extension, "1003");
  EXPECT_EQ(r.disposition, model::Disposition::kAnswered);
  EXPECT_EQ(r.hangup_by, "callee");
  EXPECT_EQ(r.cause_code, 200);
  EXPECT_EQ(r.reason, "1002 hung up");
  EXPECT_EQ(r.caller_name.reveal(), "Alice");
  EXPECT_EQ(r.user_agent, "Desk phone 1.2");
  ASSERT_THAT(r.legs, SizeIs(2));
  EXPECT_EQ(r.legs[0].device, "Desk \"1\"\n");
  EXPECT_TRUE(r.legs[0].secured);
  EXPECT_EQ(r.legs[0].mos, 4.37);
  EXPECT_EQ(r.legs[0].jitter_ms, 1.25);
  EXPECT_EQ(r.legs[1].codec, "opus/48000");
}

TEST_P(Stored, ACallEndsOnceHoweverOftenItIsToldAndInWhateverOrder) {
  Store store = open();
  const auto first = ended(call("a", at(0)), at(10), "first");
  const auto second = ended(call("a", at(0)), at(20), "second");
  apply(store, {ports::OpenCallRecord{call("a", at(0))}, ports::CloseCallRecord{first}});
  apply(store, {ports::CloseCallRecord{second}, ports::OpenCallRecord{call("a", at(0))}});
  ASSERT_THAT(calls(store), SizeIs(1));
  EXPECT_EQ(calls(store)[0].reason, "first");
  EXPECT_EQ(calls(store)[0].ended, at(10));
}

TEST_P(Stored, AnEndWhoseStartWasNeverStoredIsARecordToo) {
  Store store = open();
  apply(store, {ports::CloseCallRecord{ended(call("a", at(0)), at(10), "done")}});
  apply(store, {ports::OpenCallRecord{call("a", at(0))}});
  ASSERT_THAT(calls(store), SizeIs(1));
  EXPECT_EQ(calls(store)[0].reason, "done");
  EXPECT_EQ(store.close_open_calls(at(100), rng_).value(), 0U);
}

TEST_P(Stored, AfterARestartOpenCallsAreClosedWithTheReason) {
  model::CallRecord talking = call("talking", at(2));
  talking.answered = at(5);
  {
    Store store = open();
    apply(store, {ports::OpenCallRecord{call("ringing", at(1))}, ports::OpenCallRecord{talking},
                  ports::CloseCallRecord{ended(call("over", at(0)), at(9), "done")}});
  }
  Store store = open();
  EXPECT_EQ(store.close_open_calls(at(50), rng_).value(), 2U);
  EXPECT_EQ(store.close_open_calls(at(60), rng_).value(), 0U);
  const auto records = calls(store);
  ASSERT_THAT(records, SizeIs(3));
  EXPECT_EQ(records[0].id.value, "talking");
  EXPECT_EQ(records[0].disposition, model::Disposition::kAnswered);
  EXPECT_EQ(records[1].disposition, model::Disposition::kFailed);
  for (const auto& r : {records[0], records[1]}) {
    EXPECT_EQ(r.ended, at(50));
    EXPECT_EQ(r.hangup_by, "system");
    EXPECT_EQ(r.reason, "the server restarted during the call");
  }
  EXPECT_EQ(records[2].reason, "done");
}

TEST_P(Stored, RecordsAreReadNewestFirstInPagesAndByExtension) {
  Store store = open();
  for (int i = 0; i < 5; ++i) apply(store, {ports::OpenCallRecord{call("c" + std::to_string(i), at(i))}});
  model::CallRecord other = call("other", at(9));
  other.from_extension = "1005";
  apply(store, {ports::OpenCallRecord{other}});
  const auto ids = [&](const CallFilter& filter) {
    std::vector<std::string> out;
    for (const auto& r : calls(store, filter)) out.push_back(r.id.value);
    return out;
  };
  EXPECT_THAT(ids({.limit = 2}), ElementsAre("other", "c4"));
  EXPECT_THAT(ids({.limit = 2, .before = at(4)}), ElementsAre("c3", "c2"));
  EXPECT_THAT(ids({.limit = 2, .before = {}, .extension = "1001"}), ElementsAre("c4", "c3"));
  EXPECT_THAT(ids({.limit = 2, .before = {}, .extension = "1005"}), ElementsAre("other"));
  EXPECT_THAT(ids({.limit = 2, .before = {}, .extension = "1009"}), IsEmpty());
}

TEST_P(Stored, WhateverBytesAPhoneSendsAreStoredAsText) {
  Store store = open();
  model::CallRecord r = call("a", at(0));
  r.user_agent = "\xff\xfe caf\xC3\xA9 \xC3 \0 '; DROP TABLE call_records; --"s;
  r.reason = std::string(100'000, 'x');
  r.legs = {{.party = std::string("\x01\x80\"\\", 4)}};
  model::Binding b = desk(std::string("sip:\xff@x"), at(60));
  b.path = {std::string("<sip:\xff>")};
  apply(store, {ports::OpenCallRecord{r}, ports::SaveBinding{b}});
  EXPECT_EQ(calls(store).at(0).user_agent, "?? caf\xC3\xA9 ? ? '; DROP TABLE call_records; --");
  EXPECT_EQ(calls(store).at(0).reason.size(), detail::kLongestText);
  EXPECT_EQ(calls(store).at(0).legs.at(0).party, std::string("\x01?\"\\"));
  apply(store, {ports::DropBinding{b}});
  EXPECT_THAT(store.load_bindings(at(0)).value(), IsEmpty());
}

TEST_P(Stored, ABatchIsStoredWholeOrNotAtAll) {
  Store store = open();
  sql(GetParam() == Dialect::kSqlite
          ? "CREATE TRIGGER refuse BEFORE INSERT ON call_records WHEN NEW.call_id = 'poison'"
            " BEGIN SELECT RAISE(ABORT, 'no'); END"
          : "ALTER TABLE call_records ADD CONSTRAINT refuse CHECK (call_id <> 'poison')");
  const std::vector<ports::Change> batch{ports::OpenCallRecord{call("good", at(0))},
                                         ports::OpenCallRecord{call("poison", at(0))}};
  const auto done = store.apply(std::span<const ports::Change>(batch));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, FailureKind::kRefused);
  EXPECT_THAT(calls(store), IsEmpty());
  apply(store, {ports::OpenCallRecord{call("good", at(0))}});  // and the next one goes through
  EXPECT_THAT(calls(store), SizeIs(1));
}

TEST_P(Stored, AFailureNeverShowsACredentialOrAPerson) {
  Store store = open();
  sql(GetParam() == Dialect::kSqlite
          ? "CREATE TRIGGER refuse BEFORE INSERT ON extensions BEGIN SELECT RAISE(ABORT, 'no'); END"
          : "ALTER TABLE extensions ADD CONSTRAINT refuse CHECK (number = '')");
  const std::vector<ports::Change> batch{ports::SaveExtension{alice()}};
  const auto done = store.apply(std::span<const ports::Change>(batch));
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().sentence, Not(HasSubstr("alice")));
  EXPECT_THAT(done.error().sentence, Not(HasSubstr("Alice")));
  EXPECT_THAT(done.error().sentence, Not(HasSubstr("0011223344")));
}

TEST_P(Stored, AnotherKeyIsRefusedWithAClearSentence) {
  {
    Store store = open(1);
  }
  const Failure failure = refusal(2);
  EXPECT_EQ(failure.kind, FailureKind::kWrongKey);
  EXPECT_THAT(failure.sentence, HasSubstr("secret.key"));
  Store again = open(1);
}

TEST_P(Stored, ASealedCredentialOpensOnlyInItsOwnRow) {
  Store store = open();
  model::Extension bob = alice();
  bob.number = model::ExtensionNumber("1002");
  apply(store, {ports::SaveExtension{alice()}, ports::SaveExtension{bob}});
  sql("UPDATE extensions SET credentials = (SELECT e.credentials FROM extensions e WHERE e.number = '1001')");
  const auto loaded = store.load_extensions();
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().sentence, HasSubstr("credentials of 1002"));
}

TEST_P(Stored, ADatabaseOfALaterVersionIsLeftAlone) {
  {
    Store store = open();
  }
  sql("INSERT INTO schema_version (version) VALUES (999)");
  const Failure failure = refusal();
  EXPECT_EQ(failure.kind, FailureKind::kNewerSchema);
  EXPECT_THAT(failure.sentence, HasSubstr("999"));
}

TEST_P(Stored, ServersThatStartTogetherMakeOneSchema) {
  std::vector<std::thread> servers;
  std::vector<Failure> failures(4);
  for (Failure& failure : failures) {
    servers.emplace_back([&failure, this] { failure = refusal(); });
  }
  for (std::thread& server : servers) server.join();
  for (const Failure& failure : failures) EXPECT_EQ(failure.sentence, "");
}

TEST_P(Stored, FactsAreKept) {
  Store store = open();
  EXPECT_EQ(store.meta("colour").value(), std::nullopt);
  ASSERT_TRUE(store.set_meta("colour", "red"));
  ASSERT_TRUE(store.set_meta("colour", "blue"));
  EXPECT_EQ(store.meta("colour").value(), "blue");
}

TEST(StoredInAFile, HoldsNoCredentialInTheClear) {
  const test::Database database(Dialect::kSqlite);
  auto store = Store::open(database.target(), test::key_of(1));
  ASSERT_TRUE(store);
  const std::vector<ports::Change> batch{ports::SaveExtension{alice()}};
  ASSERT_TRUE(store->apply(std::span<const ports::Change>(batch)));
  std::size_t bytes = 0;
  for (const auto& file : std::filesystem::directory_iterator(database.directory())) {
    std::ifstream in(file.path());
    std::ostringstream content;
    content << in.rdbuf();
    bytes += content.str().size();
    EXPECT_THAT(content.str(), Not(HasSubstr("00112233445566778899aabbccddeeff"))) << file.path();
    EXPECT_EQ(std::filesystem::status(file).permissions() & std::filesystem::perms::others_all,
              std::filesystem::perms::none)
        << file.path();
  }
  EXPECT_GT(bytes, 0U);
}

TEST(StoredInAFile, IsCopiedWhileInUse) {
  const test::Database database(Dialect::kSqlite);
  auto store = Store::open(database.target(), test::key_of(1));
  ASSERT_TRUE(store);
  const std::vector<ports::Change> batch{ports::SaveExtension{alice()}};
  ASSERT_TRUE(store->apply(std::span<const ports::Change>(batch)));
  const auto copy = database.directory() / "copy's.db";
  ASSERT_TRUE(store->backup(copy));
  EXPECT_FALSE(store->backup(copy)) << "overwrote a backup";
  auto copied = Store::open(Sqlite{copy.string()}, test::key_of(1));
  ASSERT_TRUE(copied);
  EXPECT_TRUE(copied->load_extensions().value() == std::vector{alice()});
}

TEST(StoredInAServer, IsCopiedByItsOwnTool) {
  const test::Database database(Dialect::kPostgresql);
  auto store = Store::open(database.target(), test::key_of(1));
  ASSERT_TRUE(store);
  const auto done = store->backup("/nonexistent");
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().sentence, HasSubstr("pg_dump"));
}

TEST(StoredInAServer, AnyNameIsReached) {
  const test::Database first(Dialect::kPostgresql);
  Postgresql server = std::get<Postgresql>(first.target());
  server.name = "a  b c='\\%&";
  detail::run_once(*detail::connect(first.target()), "CREATE DATABASE \"" + server.name + '"');
  EXPECT_TRUE(Store::open(server, test::key_of(1)));
}

TEST(StoredInAServer, AWrongPasswordOrNoServerIsAFailureWithoutThePassword) {
  const auto store = Store::open(
      Postgresql{
          .host = "/nonexistent", .name = "x", .user = "y", .password = Secret<std::string>("hunter'2\\")},
      test::key_of(1));
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().kind, FailureKind::kUnavailable) << store.error().sentence;
  EXPECT_THAT(store.error().sentence, Not(HasSubstr("hunter")));
}

TEST(StoredInAFile, APlaceThatDoesNotExistIsAFailure) {
  const auto store = Store::open(Sqlite{"/nonexistent/bellwire.db"}, test::key_of(1));
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().kind, FailureKind::kUnavailable);
}

}  // namespace
}  // namespace bw::store
