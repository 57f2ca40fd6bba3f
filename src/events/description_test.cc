#include "events/description.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <boost/json.hpp>
#include <cmath>
#include <fstream>
#include <set>
#include <sstream>

#include "base/utf8.h"
#include "events/stored.h"

namespace bw::events {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::IsEmpty;

const Instant kNow{1'772'357'400'123'456'789ns};  // 2026-03-01T09:30:00.123Z

std::string data_of(const Event& event) {
  std::string out;
  append_data(out, event, kNow);
  return out;
}

CallEnded ended() {
  CallEnded e;
  e.call_id = model::CallId{"019c-a"};
  e.from_extension = "1001";
  e.to_extension = "1002";
  e.duration = 65;
  e.billsec = 60;
  e.disposition = model::Disposition::kAnswered;
  e.hangup_by = "callee";
  e.cause_code = 200;
  e.reason = "1002 hung up";
  e.quality = {{"1001", 4.3712345, 0.1, 1.25}, {"1002", 0, 0, 0}};
  return e;
}

TEST(EventData, HasTheFieldsByTheirNames) {
  EXPECT_EQ(data_of(ended()),
            R"({"timestamp":"2026-03-01T09:30:00.123Z","call_id":"019c-a","from_extension":"1001",)"
            R"("to_extension":"1002","duration":65,"billsec":60,"disposition":"answered",)"
            R"("hangup_by":"callee","cause_code":200,"reason":"1002 hung up","recording":"",)"
            R"("quality":[{"party":"1001","mos":4.371,"loss":0.1,"jitter_ms":1.25},)"
            R"({"party":"1002","mos":null,"loss":0,"jitter_ms":0}]})");
  EXPECT_EQ(data_of(SecurityLockout{"address", "192.0.2.9", 5, 900}),
            R"({"timestamp":"2026-03-01T09:30:00.123Z","subject_kind":"address","subject":"192.0.2.9",)"
            R"("attempts":5,"seconds":900})");
}

// A default value of every alternative.
template <std::size_t... I>
std::vector<Event> one_of_each(std::index_sequence<I...>) {
  return {Event{std::in_place_index<I>}...};
}
std::vector<Event> one_of_each() {
  return one_of_each(std::make_index_sequence<std::variant_size_v<Event>>{});
}

TEST(EventData, HoldsExactlyWhatIsDescribed) {
  for (const Event& event : one_of_each()) {
    const Description& d = description_of(event);
    const json::object data = json::parse(data_of(event)).as_object();
    ASSERT_EQ(data.size(), d.fields.size() + 1) << d.type;
    EXPECT_EQ(data.begin()->key(), "timestamp");
    for (std::size_t i = 0; i < d.fields.size(); ++i) {
      const json::key_value_pair& pair = *(data.begin() + i + 1);
      EXPECT_EQ(std::string_view(pair.key().data(), pair.key().size()), d.fields[i].name);
      const std::string_view type = d.fields[i].json_type;
      EXPECT_TRUE(pair.value().is_string()  ? type == "string"
                  : pair.value().is_array() ? type == "array of objects"
                                            : type == "integer" || type == "number")
          << d.type << '.' << d.fields[i].name;
    }
  }
}

TEST(EventData, WhateverBytesComeItIsJsonAndSaysTheSame) {
  EXPECT_TRUE(rc::check([](const std::string& name, const std::string& number, const std::string& reason,
                           double loss, double mos) {
    CallStarted started;
    started.caller_name = Personal<std::string>(name);
    started.from_number = Personal<std::string>(number);
    const json::object s = json::parse(data_of(started)).as_object();
    RC_ASSERT(s.at("caller_name").as_string() == valid_utf8(name, kLimits.text_bytes));
    RC_ASSERT(s.at("from_number").as_string() == valid_utf8(number, kLimits.text_bytes));
    CallEnded e = ended();
    e.reason = reason;
    e.quality[0].loss = loss;
    e.quality[0].mos = mos;
    const json::object o = json::parse(data_of(e)).as_object();
    RC_ASSERT(o.at("reason").as_string() == valid_utf8(reason, kLimits.text_bytes));
    const json::object& leg = o.at("quality").as_array().at(0).as_object();
    if (std::abs(loss) < 1e12) RC_ASSERT(std::abs(leg.at("loss").to_number<double>() - loss) <= 0.0006);
    RC_ASSERT(leg.at("mos").is_null() == !(mos > 0));
  }));
}

TEST(EventData, ALongTextIsCut) {
  PresenceChanged e;
  e.custom_message = std::string(100'000, 'x');
  EXPECT_LT(data_of(e).size(), kLimits.text_bytes + 200);
}

TEST(Concerned, AreTheExtensionsEachOnce) {
  EXPECT_THAT(concerned(ended()), ElementsAre("1001", "1002"));
  CallAnswered answered;
  answered.to_extension = "1002";  // from outside
  answered.extension = "1002";
  EXPECT_THAT(concerned(answered), ElementsAre("1002"));
  EXPECT_THAT(concerned(SecurityLockout{"address", "192.0.2.9", 5, 900}), IsEmpty());
  EXPECT_THAT(concerned(SecurityLockout{"extension", "1001", 5, 900}), ElementsAre("1001"));
}

TEST(Concerned, TheCallOfAnEventIsKnown) {
  const Event of_a_call = ended();
  ASSERT_NE(call_of(of_a_call), nullptr);
  EXPECT_EQ(call_of(of_a_call)->value, "019c-a");
  EXPECT_EQ(call_of(Event{PresenceChanged{}}), nullptr);
}

TEST(Types, HaveNamesOfTheirOwn) {
  std::set<std::string_view> names;
  for (const Description& d : descriptions()) EXPECT_TRUE(names.insert(d.type).second) << d.type;
  EXPECT_EQ(type_of(Event{CallHold{}}), "call.hold");
  EXPECT_EQ(type_of(Event{ExtensionUnregistered{}}), "extension.unregistered");
}

TEST(Types, AreAskedForByPatterns) {
  EXPECT_TRUE(matches("*", "call.started"));
  EXPECT_TRUE(matches("call.*", "call.started"));
  EXPECT_TRUE(matches("call.started", "call.started"));
  EXPECT_FALSE(matches("call.*", "callback.started"));
  EXPECT_FALSE(matches("call", "call.started"));
  EXPECT_FALSE(matches("call.s*", "call.started"));
  EXPECT_TRUE(is_pattern("extension.*"));
  EXPECT_TRUE(is_pattern("*"));
  EXPECT_FALSE(is_pattern("kettle.*"));
  EXPECT_FALSE(is_pattern(""));
}

// ---- docs/events.md ----

constexpr std::string_view kBegin = "<!-- types: written by events_test -->\n";
constexpr std::string_view kEnd = "<!-- end of types -->\n";

std::string table_of_types() {
  std::ostringstream out;
  out << "\n| type | about | fields |\n|---|---|---|\n";
  for (const Description& d : descriptions()) {
    out << "| `" << d.type << "` | " << d.about << " | ";
    for (const Field& f : d.fields) {
      out << (&f == d.fields.data() ? "" : "<br>") << '`' << f.name << "` (" << f.json_type
          << "): " << f.about;
    }
    out << " |\n";
  }
  out << '\n';
  return out.str();
}

TEST(Documents, ListEveryTypeAsItIs) {
  const std::string path = BW_SOURCE_DIR "/docs/events.md";
  std::ifstream in(path);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto begin = text.find(kBegin);
  const auto end = text.find(kEnd);
  ASSERT_TRUE(begin != text.npos && end != text.npos) << "docs/events.md has lost its marks";
  const auto from = begin + kBegin.size();
  if (std::getenv("BW_WRITE_DOCS") != nullptr) {
    std::ofstream(path) << text.substr(0, from) + table_of_types() + text.substr(end);
    return;
  }
  EXPECT_EQ(text.substr(from, end - from), table_of_types())
      << "docs/events.md differs from events/detail/table.h; write it again:\n"
         "  BW_WRITE_DOCS=1 build/asan/src/events_test --gtest_filter='Documents.*'";
}

TEST(Envelope, IsWhatReceiversRead) {
  StoredEvent event{7, "019c-e", kNow, "call.hold", "019c-a", 3, {"1001"}, data_of(CallHold{})};
  const json::object o = json::parse(envelope(event)).as_object();
  EXPECT_EQ(o.at("event_id").as_string(), "019c-e");
  EXPECT_EQ(o.at("event_type").as_string(), "call.hold");
  EXPECT_EQ(o.at("timestamp").as_string(), "2026-03-01T09:30:00.123Z");
  EXPECT_EQ(o.at("seq").as_int64(), 7);
  EXPECT_EQ(o.at("call_seq").as_int64(), 3);
  EXPECT_TRUE(o.at("data").is_object());
  event.call_seq = 0;
  EXPECT_FALSE(json::parse(envelope(event)).as_object().contains("call_seq"));
}

}  // namespace
}  // namespace bw::events
