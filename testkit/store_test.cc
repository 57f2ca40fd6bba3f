#include "testkit/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bw::testkit {
namespace {

model::CallRecord record(const char* id) {
  model::CallRecord r;
  r.id = model::CallId{id};
  r.started = Instant{1s};
  r.reason = "1002 hung up";
  return r;
}

model::CallRecord ended(const char* id) {
  model::CallRecord r = record(id);
  r.ended = Instant{2s};
  return r;
}

TEST(FakeStore, OneOpeningAndOneClosingIsInOrder) {
  FakeStore store;
  store.apply(ports::OpenCallRecord{record("a")});
  EXPECT_EQ(store.open_calls(), 1U);
  store.apply(ports::CloseCallRecord{ended("a")});
  store.apply(ports::CloseCallRecord{ended("b")});  // its opening was never stored
  EXPECT_EQ(store.open_calls(), 0U);
  EXPECT_THAT(store.violations(), testing::IsEmpty());
}

TEST(FakeStore, EveryDisorderOfARecordIsNoticed) {
  const auto violations = [](const std::vector<ports::Change>& changes) {
    FakeStore store;
    for (const auto& change : changes) store.apply(change);
    return store.violations().size();
  };
  EXPECT_EQ(violations({ports::OpenCallRecord{record("a")}, ports::OpenCallRecord{record("a")}}), 1U);
  EXPECT_EQ(violations({ports::CloseCallRecord{ended("a")}, ports::CloseCallRecord{ended("a")}}), 1U);
  EXPECT_EQ(violations({ports::CloseCallRecord{ended("a")}, ports::OpenCallRecord{record("a")}}), 1U);
  EXPECT_EQ(violations({ports::CloseCallRecord{record("a")}}), 1U);  // no end
  model::CallRecord mute = ended("a");
  mute.reason.clear();
  EXPECT_EQ(violations({ports::CloseCallRecord{mute}}), 1U);
  model::CallRecord unanswered = ended("a");
  unanswered.disposition = model::Disposition::kAnswered;
  EXPECT_EQ(violations({ports::CloseCallRecord{unanswered}}), 1U);
}

TEST(FakeStore, ACrashClosesWhatWasOpenWithAReason) {
  FakeStore store;
  store.apply(ports::OpenCallRecord{record("a")});
  store.close_open_records(Instant{5s});
  EXPECT_EQ(store.open_calls(), 0U);
  ASSERT_NE(store.last_call(), nullptr);
  EXPECT_EQ(store.last_call()->ended, Instant{5s});
  EXPECT_FALSE(store.last_call()->reason.empty());
}

TEST(FakeStore, ABindingIsKeyedByItsInstanceOrElseByItsContact) {
  FakeStore store;
  model::Binding b;
  b.extension = model::ExtensionNumber{"1001"};
  b.contact = "sip:1001@10.0.0.11";
  b.instance = "urn:uuid:1";
  store.apply(ports::SaveBinding{b});
  b.contact = "sip:1001@10.0.0.12";
  store.apply(ports::SaveBinding{b});
  EXPECT_EQ(store.bindings().size(), 1U);
  b.instance.clear();
  store.apply(ports::SaveBinding{b});
  EXPECT_EQ(store.bindings().size(), 2U);
  store.apply(ports::DropBinding{b});
  EXPECT_EQ(store.bindings().size(), 1U);
}

}  // namespace
}  // namespace bw::testkit
