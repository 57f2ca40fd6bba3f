#include "sip/session_timer.h"

#include <gtest/gtest.h>

#include "sip/token_list.h"

namespace bw::sip {
namespace {

Message invite(const char* session_expires, bool supported, const char* min_se = nullptr) {
  Message m = Message::request(Method::kInvite, "sip:x@example.com");
  if (session_expires != nullptr) m.add(HeaderName::kSessionExpires, session_expires);
  if (supported) m.add(HeaderName::kSupported, "replaces, timer");
  if (min_se != nullptr) m.add(HeaderName::kMinSe, min_se);
  return m;
}

Message ok(const char* session_expires) {
  Message m = Message::response(200);
  if (session_expires != nullptr) m.add(HeaderName::kSessionExpires, session_expires);
  return m;
}

TEST(SessionTimer, AsUasAgreesAsTable2OfRfc4028Says) {
  struct Case {
    const char* asked;
    bool supported;
    const char* min_se;
    const char* answer;  // nullptr: no session timer
    bool require;
    bool ours;
  };
  constexpr Case kCases[] = {
      {"1800;refresher=uac", true, nullptr, "1800;refresher=uac", true, false},
      {"1800;refresher=uas", true, nullptr, "1800;refresher=uas", true, true},
      {"1800", true, nullptr, "1800;refresher=uas", true, true},
      {"3600", true, nullptr, "1800;refresher=uas", true, true},               // shortened to what we want
      {"3600", true, "2400", "2400;refresher=uas", true, true},                // but not below its Min-SE
      {"600;refresher=uac", true, nullptr, "600;refresher=uac", true, false},  // never lengthened
      {"1800", false, nullptr, "1800;refresher=uas", false, true},             // a proxy asked
      {nullptr, true, nullptr, "1800;refresher=uas", true, true},
      {nullptr, true, "2000", "2000;refresher=uas", true, true},
      {nullptr, false, nullptr, nullptr, false, false},
  };
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.asked == nullptr ? "nothing asked" : c.asked);
    SessionTimer timer;
    const Message request = invite(c.asked, c.supported, c.min_se);
    EXPECT_FALSE(timer.is_too_small(request));
    Message response = Message::response(200);
    timer.write_response(request, response);
    EXPECT_EQ(response.get(HeaderName::kSessionExpires).value_or("-"), c.answer == nullptr ? "-" : c.answer);
    EXPECT_EQ(lists(response, HeaderName::kRequire, "timer"), c.require);
    EXPECT_EQ(timer.running(), c.answer != nullptr);
    EXPECT_EQ(timer.we_refresh(), c.ours);
  }
}

TEST(SessionTimer, RefusesWhatIsTooSmallIfThePeerUnderstands422) {
  const SessionTimer timer{{.interval = 1800s, .least = 120s}};
  EXPECT_TRUE(timer.is_too_small(invite("100", true)));
  EXPECT_FALSE(timer.is_too_small(invite("120", true)));
  EXPECT_FALSE(timer.is_too_small(invite("100", false)));
  EXPECT_FALSE(timer.is_too_small(invite(nullptr, true)));
  Message response = Message::response(422);
  timer.write_too_small(response);
  EXPECT_EQ(response.get(HeaderName::kMinSe), "120");
}

TEST(SessionTimer, AsUacTakesWhatThe2xxSays) {
  SessionTimer timer;
  Message request = Message::request(Method::kInvite, "sip:x@example.com");
  timer.write_request(request);
  EXPECT_EQ(request.get(HeaderName::kSessionExpires), "1800");  // who refreshes is left to the peer
  EXPECT_TRUE(lists(request, HeaderName::kSupported, "timer"));
  EXPECT_FALSE(request.has(HeaderName::kMinSe));
  timer.read_response(Message::response(486));
  EXPECT_FALSE(timer.running());
  timer.read_response(ok("1800;refresher=uac"));
  EXPECT_TRUE(timer.we_refresh());
  EXPECT_EQ(timer.refresh_after(), 900s);
  EXPECT_EQ(timer.dies_after(), 1768s);
  timer.read_response(ok("90;refresher=uas"));
  EXPECT_FALSE(timer.we_refresh());
  EXPECT_EQ(timer.dies_after(), 60s);  // a third of a short interval
  timer.read_response(ok(nullptr));    // §7.2: turned off
  EXPECT_FALSE(timer.running());
}

TEST(SessionTimer, ARefreshKeepsTheParts) {
  SessionTimer timer;
  timer.read_response(ok("600;refresher=uac"));
  Message ours = Message::request(Method::kUpdate, "sip:x@example.com");
  timer.write_request(ours);
  EXPECT_EQ(ours.get(HeaderName::kSessionExpires), "600;refresher=uac");
  timer.read_response(ok("600;refresher=uas"));
  Message theirs = Message::request(Method::kUpdate, "sip:x@example.com");
  timer.write_request(theirs);
  EXPECT_EQ(theirs.get(HeaderName::kSessionExpires), "600;refresher=uas");
}

TEST(SessionTimer, A422RaisesTheIntervalOnceForEachDemand) {
  SessionTimer timer;
  Message refusal = Message::response(422);
  EXPECT_FALSE(timer.read_too_small(refusal));  // it does not say what it wants
  refusal.set(HeaderName::kMinSe, "3600");
  EXPECT_TRUE(timer.read_too_small(refusal));
  Message again = Message::request(Method::kInvite, "sip:x@example.com");
  timer.write_request(again);
  EXPECT_EQ(again.get(HeaderName::kSessionExpires), "3600");
  EXPECT_EQ(again.get(HeaderName::kMinSe), "3600");
  EXPECT_FALSE(timer.read_too_small(refusal));  // refuses what it asked for: no endless loop
  refusal.set(HeaderName::kMinSe, "99999999");
  EXPECT_FALSE(timer.read_too_small(refusal));
}

TEST(SessionTimer, HostileFiguresAreBounded) {
  SessionTimer timer;
  timer.read_response(ok("1;refresher=uac"));
  EXPECT_EQ(timer.interval(), 90s);  // nobody makes us refresh every second
  timer.read_response(ok("99999999999;refresher=uas"));
  EXPECT_EQ(timer.interval(), std::chrono::hours{7 * 24});
  timer.read_response(ok("garbage"));
  EXPECT_FALSE(timer.running());
}

TEST(SessionTimer, SwitchedOffItAsksForNothingButDoesAsItIsAsked) {
  SessionTimer timer{{.enabled = false}};
  Message request = Message::request(Method::kInvite, "sip:x@example.com");
  timer.write_request(request);
  EXPECT_FALSE(request.has(HeaderName::kSessionExpires));
  Message response = Message::response(200);
  timer.write_response(invite(nullptr, true), response);
  EXPECT_FALSE(timer.running());
  timer.write_response(invite("3600;refresher=uac", true), response);
  EXPECT_EQ(response.get(HeaderName::kSessionExpires), "3600;refresher=uac");
}

}  // namespace
}  // namespace bw::sip
