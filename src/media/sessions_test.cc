// Browsers and phones in one relay: media connections on one port, legs attached to them.
#include "media/sessions.h"

#include <gtest/gtest.h>

#include <map>

#include "media/plane_fixture.h"
#include "webrtc/test_peer.h"

namespace bw::media {
namespace {

using webrtc::IceCredentials;
using webrtc::Path;
using webrtc::TestPeer;

constexpr MediaLegId kPhone{1};
constexpr std::uint16_t kPhonePort = 10'002;
const IpAddress kHere = IpAddress::v4(0xC0000201);

IceCredentials credentials(const std::string& name) {
  return {name, Secret{name + "-password-of-22-and-more"}};
}

struct Browser {
  Browser(const webrtc::DtlsContext& context, std::uint64_t number, const std::string& own)
      : session{number},
        name(own),
        at{IpAddress::v4(0xCB007100), static_cast<std::uint16_t>(30'000 + number)},
        peer(context, credentials("theirs" + own), number) {}
  SessionId session;
  std::string name;
  Endpoint at;
  TestPeer peer;
};

class BrowsersInTheRelay : public ::testing::Test {
 protected:
  Browser& opens(std::uint64_t number) {
    auto [it, _] = browsers.try_emplace(number, browser_context, number, "ours" + std::to_string(number));
    Browser& b = it->second;
    b.peer.set_remote({credentials(b.name), {context.fingerprint()}, webrtc::DtlsRole::kClient});
    tell(SessionCommand{OpenSession{b.session, credentials(b.name)}});
    tell(SessionCommand{SetSessionRemote{
        b.session,
        {credentials("theirs" + b.name), {browser_context.fingerprint()}, webrtc::DtlsRole::kServer}}});
    return b;
  }
  Browser& connects(std::uint64_t number) {
    Browser& b = opens(number);
    b.peer.check(b.at, true);
    exchange(b);
    EXPECT_TRUE(b.peer.connected());
    return b;
  }
  void exchange(Browser& b) {
    for (bool more = true; more;) {
      more = false;
      while (auto out = b.peer.poll()) arrives(out->from, std::move(out->bytes)), more = true;
    }
  }
  // What the relay sends because of it.
  std::vector<OutPacket> arrives(const Endpoint& from, Bytes bytes) {
    buffer = std::move(bytes);
    const std::size_t size = buffer.size();
    buffer.resize(size + kTailRoom);
    SessionPacket packet{{from, kHere, 0}, buffer, size};
    OutBatch out;
    relay.on_session_packets({&packet, 1}, now, out);
    deliver(out);
    return out;
  }
  std::vector<OutPacket> phone_says(const Bytes& bytes) {
    buffer = bytes;
    buffer.resize(bytes.size() + kTailRoom);
    InPacket packet{phone, kPhonePort, buffer, bytes.size()};
    OutBatch out;
    relay.on_packets({&packet, 1}, now, out);
    deliver(out);
    return out;
  }
  void tell(const Relay::Input& input) {
    relay.handle(input, now);
    deliver({});
  }
  void pass(Duration d) {
    const Instant end = now + d;
    while (relay.deadline().at <= end) {
      now = std::max(now, relay.deadline().at);
      tell(Tick{});
    }
    now = end;
  }
  void phone_is_there() {
    tell(OpenLeg{kPhone, {0, kPhonePort}});
    SetPeer command;
    command.leg = kPhone;
    command.peer = {phone, {phone.ip, static_cast<std::uint16_t>(phone.port + 1)}};
    tell(command);
  }
  template <typename T>
  std::vector<T> told() const {
    std::vector<T> found;
    for (const SessionEvent& e : events) {
      if (const T* one = std::get_if<T>(&e)) found.push_back(*one);
    }
    return found;
  }

  webrtc::DtlsContext context = webrtc::test_context();
  webrtc::DtlsContext browser_context = webrtc::test_context();
  Instant now{1'800'000'000s};
  Relay relay{{10'000, 10'099}, 0, {}, &context};
  const Endpoint phone{IpAddress::v4(0xC6336402), 5'000};
  std::map<std::uint64_t, Browser> browsers;
  std::vector<SessionEvent> events;
  std::vector<LegClosed> closed;
  std::vector<Bytes> phone_hears;
  Voice voice{.ssrc = 0xa11ce};

 private:
  void deliver(const OutBatch& out) {
    for (const OutPacket& p : out) {
      if (p.local_port == kSessionPort) {
        to_browser(p.to, {p.bytes.begin(), p.bytes.end()});
      } else {
        phone_hears.emplace_back(p.bytes.begin(), p.bytes.end());
      }
    }
    while (auto send = relay.poll_send()) to_browser(send->path.remote, std::move(send->bytes));
    while (auto event = relay.poll()) {
      if (auto* of_session = std::get_if<SessionEvent>(&*event)) events.push_back(*of_session);
      if (auto* of_leg = std::get_if<LegClosed>(&*event)) closed.push_back(*of_leg);
    }
  }
  void to_browser(const Endpoint& to, const Bytes& bytes) {
    for (auto& [number, b] : browsers) {
      if (b.at == to) b.peer.receive(to, bytes, now);
    }
  }
  Bytes buffer;
};

TEST_F(BrowsersInTheRelay, ABrowserAndAPhoneHearEachOther) {
  Browser& b = connects(7);
  ASSERT_EQ(told<SessionConnected>().size(), 1U);
  EXPECT_EQ(told<SessionConnected>()[0].from, b.at);
  phone_is_there();
  tell(AttachLeg{MediaLegId{2}, b.session});
  tell(Connect{kPhone, MediaLegId{2}});
  arrives(b.at, b.peer.sealed(1));
  ASSERT_EQ(phone_hears.size(), 1U);
  EXPECT_EQ(phone_hears[0].size(), rtp::kHeaderBytes + 80) << "in plain";
  phone_says(voice.next());
  ASSERT_EQ(b.peer.heard.size(), 1U);
  tell(CloseLeg{MediaLegId{2}});
  ASSERT_EQ(closed.size(), 1U);
  EXPECT_EQ(closed[0].quality.packets_received, 1U);
  EXPECT_EQ(closed[0].quality.packets_sent, 1U);
  EXPECT_TRUE(arrives(b.at, b.peer.sealed(2)).empty());
  EXPECT_EQ(relay.sessions().counters().no_leg, 1U);
}

TEST_F(BrowsersInTheRelay, TwoBrowsersOnOnePortHearEachOtherAndNobodyElse) {
  Browser& a = connects(1);
  Browser& b = connects(2);
  Browser& c = connects(3);
  for (const std::uint64_t n : {1U, 2U, 3U}) tell(AttachLeg{MediaLegId{10 + n}, SessionId{n}});
  tell(Connect{MediaLegId{11}, MediaLegId{12}});
  arrives(a.at, a.peer.sealed(1));
  arrives(b.at, b.peer.sealed(1));
  arrives(c.at, c.peer.sealed(1));
  EXPECT_EQ(a.peer.heard.size(), 1U);
  EXPECT_EQ(b.peer.heard.size(), 1U);
  EXPECT_TRUE(c.peer.heard.empty());
}

TEST_F(BrowsersInTheRelay, OneSessionCarriesCallAfterCallAsOneStream) {
  Browser& b = connects(7);
  phone_is_there();
  for (std::uint64_t call = 0; call < 40; ++call) {
    const MediaLegId leg{100 + call};
    tell(AttachLeg{leg, b.session});
    tell(Connect{kPhone, leg});
    Voice other{.ssrc = static_cast<std::uint32_t>(1'000 + call),
                .sequence = static_cast<std::uint16_t>(call * 999)};
    for (int i = 0; i < 3; ++i) phone_says(other.next()), pass(20ms);
    tell(CloseLeg{leg});
    pass(1s);
    b.peer.check(b.at, true);  // as browsers do
    exchange(b);
  }
  ASSERT_EQ(b.peer.heard.size(), 120U) << "a new SSRC for each call would have used up the streams";
  auto before = rtp::Packet::parse(b.peer.heard[0].second)->header();
  for (std::size_t i = 1; i < b.peer.heard.size(); ++i) {
    const auto h = rtp::Packet::parse(b.peer.heard[i].second)->header();
    EXPECT_EQ(h.ssrc, before.ssrc);
    EXPECT_EQ(h.sequence, static_cast<std::uint16_t>(before.sequence + 1));
    const auto step = static_cast<std::int32_t>(h.timestamp - before.timestamp);
    EXPECT_TRUE(step == 160 || (i % 3 == 0 && step > 8'000 && step < 9'000)) << i << ": " << step;
    EXPECT_EQ(h.marker, i % 3 == 0) << i;
    before = h;
  }
}

TEST_F(BrowsersInTheRelay, MediaFollowsTheBrowserToAnotherNetwork) {
  Browser& b = connects(7);
  phone_is_there();
  tell(AttachLeg{MediaLegId{2}, b.session});
  tell(Connect{kPhone, MediaLegId{2}});
  b.at = {IpAddress::v4(0x0A000001), 1'234};
  b.peer.check(b.at, true);
  exchange(b);
  EXPECT_TRUE(told<SessionMoved>().empty()) << "a check alone may be an old one";
  arrives(b.at, b.peer.sealed(1));
  EXPECT_EQ(phone_hears.size(), 1U);
  ASSERT_EQ(told<SessionMoved>().size(), 1U);
  phone_says(voice.next());
  EXPECT_EQ(b.peer.heard.size(), 1U);
}

TEST_F(BrowsersInTheRelay, StrangersReachNobody) {
  Browser& b = connects(7);
  tell(AttachLeg{MediaLegId{2}, b.session});
  const Endpoint stranger{IpAddress::v4(0xC6336407), 6'666};
  EXPECT_TRUE(arrives(stranger, b.peer.sealed(1)).empty());
  EXPECT_TRUE(arrives(stranger, voice.next()).empty());
  EXPECT_TRUE(arrives(stranger, {22, 0xfe, 0xfd, 0, 0}).empty());
  EXPECT_TRUE(arrives(stranger, {}).empty());
  EXPECT_EQ(relay.sessions().counters().no_session, 4U);
}

// Who has a session, and writes another's address as its own, must not get the other's packets lost.
TEST_F(BrowsersInTheRelay, AWayInUseIsNotTakenOverByAnotherSession) {
  Browser& victim = connects(1);
  Browser& thief = opens(2);
  tell(AttachLeg{MediaLegId{2}, victim.session});
  phone_is_there();
  tell(Connect{kPhone, MediaLegId{2}});
  thief.peer.check(victim.at, true);
  exchange(thief);
  arrives(victim.at, victim.peer.sealed(1));
  EXPECT_EQ(phone_hears.size(), 1U);
}

TEST_F(BrowsersInTheRelay, SilenceAndReturnAreToldAndSilenceSendsNothing) {
  Browser& b = connects(7);
  tell(AttachLeg{MediaLegId{2}, b.session});
  phone_is_there();
  tell(Connect{kPhone, MediaLegId{2}});
  pass(20s);
  ASSERT_EQ(told<SessionSilent>().size(), 1U);
  phone_says(voice.next());
  EXPECT_TRUE(b.peer.heard.empty());
  b.peer.check(b.at, true);
  exchange(b);
  EXPECT_EQ(told<SessionHeard>().size(), 1U);
  phone_says(voice.next());
  EXPECT_EQ(b.peer.heard.size(), 1U);
}

TEST_F(BrowsersInTheRelay, LegsAndSessionsMayEndInAnyOrder) {
  Browser& b = connects(7);
  phone_is_there();
  tell(AttachLeg{MediaLegId{2}, b.session});
  tell(Connect{kPhone, MediaLegId{2}});
  tell(AttachLeg{MediaLegId{3}, b.session});  // takes the place of the other
  phone_says(voice.next());
  EXPECT_TRUE(b.peer.heard.empty());
  tell(AttachLeg{MediaLegId{2}, b.session});  // takes it back: the call that was held
  phone_says(voice.next());
  EXPECT_EQ(b.peer.heard.size(), 1U);
  tell(SessionCommand{CloseSession{b.session}});
  EXPECT_EQ(b.peer.dtls()->state(), webrtc::DtlsEndpoint::State::kEnded);
  EXPECT_EQ(relay.sessions().size(), 0U);
  EXPECT_FALSE(relay.sessions().knows({b.at, kHere, 0}));
  phone_says(voice.next());
  tell(CloseLeg{MediaLegId{2}});
  tell(CloseLeg{MediaLegId{3}});
  EXPECT_EQ(closed.size(), 2U);
  tell(AttachLeg{MediaLegId{4}, b.session});
  tell(CloseLeg{MediaLegId{4}});
  EXPECT_EQ(closed.size(), 3U) << "a leg for a session that has gone is still closed with its figures";
  pass(10s);
  EXPECT_EQ(relay.legs(), 1U);
}

TEST_F(BrowsersInTheRelay, ARestartIsFoundByItsNewFragment) {
  Browser& b = connects(7);
  for (const char* name : {"fresh1", "fresh2", "fresh3"}) {
    tell(SessionCommand{RestartSession{b.session, credentials(name)}});
    tell(SessionCommand{SetSessionRemote{
        b.session,
        {credentials("theirs" + b.name), {browser_context.fingerprint()}, webrtc::DtlsRole::kServer}}});
    b.peer.set_remote({credentials(name), {context.fingerprint()}, webrtc::DtlsRole::kClient});
    b.peer.check(b.at, true);
    exchange(b);
    EXPECT_TRUE(b.peer.errors().empty());
  }
  b.peer.set_remote({credentials("fresh1"), {context.fingerprint()}, webrtc::DtlsRole::kClient});
  b.peer.check(b.at, true);
  exchange(b);
  EXPECT_EQ(relay.sessions().counters().no_session, 1U) << "forgotten, and not even refused";
}

TEST(Sessions, BeyondTheLimitAreToldThatThereIsNoRoom) {
  const auto context = webrtc::test_context();
  SessionLimits limits;
  limits.sessions = 2;
  Sessions sessions{&context, limits};
  for (std::uint64_t n = 1; n <= 3; ++n) {
    sessions.handle(OpenSession{SessionId{n}, credentials("s" + std::to_string(n))}, Instant{});
  }
  const auto event = sessions.poll_event();
  ASSERT_TRUE(event);
  EXPECT_EQ(std::get<SessionEnded>(*event).session, SessionId{3});
  EXPECT_TRUE(std::get<SessionEnded>(*event).failed);
  EXPECT_FALSE(sessions.poll_event());
}

}  // namespace
}  // namespace bw::media
