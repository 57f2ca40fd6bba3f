// What every story of this folder begins and ends with.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "testkit/world.h"

namespace bw::scenario {

using testkit::operator""_percent;
using testkit::Habits;
using testkit::Phone;
using testkit::Seed;
using testkit::World;

// a calls b; both are in the call afterwards.
template <typename Caller>  // a phone, or a page
void talk(World& office, Caller& a, Phone& b) {
  a.dials(b);
  b.answers();
  ASSERT_TRUE(office.until([&] { return a.in_call() && b.in_call(); })) << office.ladder();
}

inline bool all_idle(std::initializer_list<Phone*> phones) {
  return std::ranges::all_of(phones, [](const Phone* p) { return p->is_idle(); });
}

// The two hear each other and nobody hears himself.
inline void expect_conversation(World& office, Phone& a, Phone& b) {
  EXPECT_TRUE(a.hears(b)) << a.name() << " does not hear " << b.name() << office.ladder();
  EXPECT_TRUE(b.hears(a)) << b.name() << " does not hear " << a.name() << office.ladder();
  EXPECT_FALSE(a.is_hearing(a) || b.is_hearing(b)) << office.ladder();
}

// While the calls of the story still stand: phones, server, records and media agree.
inline void expect_agreement(World& office) {
  EXPECT_THAT(office.disagreements(), testing::IsEmpty()) << office.ladder();
}

// The end: everybody hangs up, and nothing is kept.
inline void expect_clean(World& office) {
  EXPECT_THAT(office.leftovers(), testing::IsEmpty()) << office.ladder();
}

inline std::string reason_of(World& office) {
  const auto* record = office.pbx().store().last_call();
  return record == nullptr ? "no record" : record->reason;
}

inline std::string disposition_of(World& office) {
  const auto* record = office.pbx().store().last_call();
  return record == nullptr ? "no record" : std::string{model::name_of(record->disposition)};
}

}  // namespace bw::scenario
