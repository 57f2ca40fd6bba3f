// Calls whose phones share no codec, proved by what is heard.
#include "media/transcoding_fixture.h"

namespace bw::media::transcoding {
namespace {

TEST_F(Transcoding, EveryPairOfCodecsHearsEachOther) {
  const Formats all{kPcmu, kPcma, kG722, kOpus, {3, "GSM", 8'000, 1, {}}};
  std::uint64_t next = 10;
  std::uint16_t port = 10'010;
  for (const PayloadFormat& a : all) {
    for (const PayloadFormat& b : all) {
      if (a.codec == b.codec) continue;
      const MediaLegId left{next++};
      const MediaLegId right{next++};
      const auto left_port = port;
      const auto right_port = static_cast<std::uint16_t>(port + 2);
      tell(OpenLeg{left, {0, left_port}});
      tell(OpenLeg{right, {0, right_port}});
      takes(left, alice, {a});
      takes(right, bob, {b});
      tell(Connect{left, right});
      Talker anna{a, 440, 1};
      Talker bert{b, 700, 2};
      for (int i = 0; i < 100; ++i) {
        EXPECT_FALSE(arrives(left_port, alice, anna.says()));
        EXPECT_FALSE(arrives(right_port, bob, bert.says()));
        pass(20ms);
        hear(anna, left_port);
        hear(bert, right_port);
      }
      EXPECT_GT(bert.heard_of(440), 0.85) << a.codec << " to " << b.codec;
      EXPECT_GT(anna.heard_of(700), 0.85) << b.codec << " to " << a.codec;
      EXPECT_GE(bert.headers.size(), 95U);
      for (std::size_t i = 1; i < bert.headers.size(); ++i) {
        EXPECT_EQ(bert.headers[i].ssrc, bert.headers[0].ssrc);
        EXPECT_EQ(static_cast<std::uint16_t>(bert.headers[i].sequence - bert.headers[i - 1].sequence), 1);
        EXPECT_EQ(bert.headers[i].timestamp - bert.headers[i - 1].timestamp, bert.ticks());
      }
      tell(CloseLeg{left});
      tell(CloseLeg{right});
      pass(3s);
    }
  }
}

TEST_F(Transcoding, SharedCodecIsRelayedByteForByte) {
  call({kPcmu, kEvents}, {kPcmu, kEvents});
  const Bytes packet = alices.next();
  auto sent = arrives(kAlicePort, alice, packet);
  ASSERT_TRUE(sent);
  rtp::set_marker(sent->bytes, false);
  EXPECT_EQ(sent->bytes, packet);
  pass(1s);
  EXPECT_TRUE(made.empty());
}

TEST_F(Transcoding, OtherNumbersOfTheSameCodecAreRewrittenAndNothingElse) {
  call({kOpus, kEvents}, {numbered(kOpus, 96), numbered(kEvents, 100)});
  Voice voice{.ssrc = 5, .payload_type = 111};
  const Bytes packet = voice.next();
  auto sent = arrives(kAlicePort, alice, packet);
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->header().payload_type, 96);
  rtp::set_payload_type(sent->bytes, 111);
  rtp::set_marker(sent->bytes, false);
  EXPECT_EQ(sent->bytes, packet);
  Talker who{kPcmu, 440, 5};
  presses(kAlicePort, alice, '5', who, 101, 8'000, 5, unchanged);
  EXPECT_EQ(keys_in(passed_on, 100, 8'000), "5");
  EXPECT_TRUE(made.empty());
}

// Payload numbers say of every packet what it is.
TEST_F(Transcoding, PeerMayChangeItsCodecAtAnyTime) {
  call({kOpus, kPcmu}, {kPcmu});
  Talker opus{kOpus, 440, 1};
  Talker pcmu{kPcmu, 620, 1};
  Talker bert{kPcmu, 700, 2};
  talk(opus, bert, 100);
  EXPECT_GT(bert.heard_of(440), 0.85);
  pcmu.sequence = opus.sequence;
  pcmu.timestamp = opus.timestamp;
  talk(pcmu, bert, 100);
  EXPECT_GT(bert.heard_of(620), 0.85);
  opus.sequence = pcmu.sequence;
  opus.timestamp = pcmu.timestamp;
  talk(opus, bert, 100);
  EXPECT_GT(bert.heard_of(440), 0.85);
  for (std::size_t i = 1; i < bert.headers.size(); ++i) {
    EXPECT_EQ(bert.headers[i].ssrc, bert.headers[0].ssrc);
    EXPECT_EQ(static_cast<std::uint16_t>(bert.headers[i].sequence - bert.headers[i - 1].sequence), 1);
    EXPECT_GT(static_cast<std::int32_t>(bert.headers[i].timestamp - bert.headers[i - 1].timestamp), 0);
  }
}

TEST_F(Transcoding, LossAndJitterAreHidden) {
  call({kOpus}, {kPcma});
  Talker anna{kOpus, 440, 1};
  Talker bert{kPcma, 700, 2};
  SeededRng rng{3};
  std::multimap<Instant, Bytes> under_way;
  for (int i = 0; i < 300; ++i) {
    Bytes packet = anna.says();
    if (rng.below(100) >= 5)
      under_way.emplace(now + std::chrono::milliseconds{rng.below(50)}, std::move(packet));
    while (!under_way.empty() && under_way.begin()->first <= now) {
      arrives(kAlicePort, alice, under_way.begin()->second);
      under_way.erase(under_way.begin());
    }
    pass(20ms);
    hear(bert, kBobPort);
  }
  EXPECT_GT(bert.heard_of(440), 0.75);
  EXPECT_GE(bert.headers.size(), 285U);
}

TEST_F(Transcoding, SilentSpeakerCostsNothing) {
  call({kPcmu}, {kPcma});
  Talker anna{kPcmu, 440, 1};
  Talker bert{kPcma, 700, 2};
  talk(anna, bert, 50);
  pass(5s);
  EXPECT_LT(made_for(kBobPort).size(), 45U);
  made.clear();
  pass(60s);
  EXPECT_TRUE(made.empty());
  const std::size_t before = bert.headers.size();
  talk(anna, bert, 50);
  EXPECT_GE(bert.headers.size() - before, 45U);
  EXPECT_TRUE(bert.headers[before].marker);
}

TEST_F(Transcoding, HoldAndResumeGoOnWithTheSameStream) {
  call({kPcmu}, {kG722});
  Talker anna{kPcmu, 440, 1};
  Talker bert{kG722, 700, 2};
  talk(anna, bert, 50);
  tell(Disconnect{kAlice});
  talk(anna, bert, 50);
  const std::size_t held = bert.headers.size();
  EXPECT_LE(held, 55U);
  tell(Connect{kAlice, kBob});
  talk(anna, bert, 100);
  EXPECT_GT(bert.heard_of(440), 0.85);
  EXPECT_EQ(bert.headers[held].ssrc, bert.headers[0].ssrc);
  EXPECT_EQ(static_cast<std::uint16_t>(bert.headers[held].sequence - bert.headers[held - 1].sequence), 1);
}

TEST_F(Transcoding, NothingPassesThatTheOtherSideDoesNotTake) {
  call({kPcmu, kG729}, {kPcma});
  Voice voice{.ssrc = 5, .payload_type = 18};
  EXPECT_FALSE(arrives(kAlicePort, alice, voice.next()));
  pass(200ms);
  EXPECT_TRUE(made.empty());
  EXPECT_EQ(relay.counters().untranslated, 1U);
}

TEST_F(Transcoding, ReportsOfOneStreamAreNotSentToTheOther) {
  call({kPcmu}, {kPcma});
  Talker anna{kPcmu, 440, 1};
  Talker bert{kPcma, 700, 2};
  talk(anna, bert, 10);
  Bytes report(200);
  rtp::OwnReport own{.ssrc = 1, .sender = rtp::SenderInfo{}, .blocks = {}, .cname = "phone"};
  report.resize(rtp::write_report(own, report));
  EXPECT_FALSE(arrives(kAlicePort + 1, {alice.ip, static_cast<std::uint16_t>(alice.port + 1)}, report));
  for (int i = 0; i < 8; ++i) talk(anna, bert, 100);
  EXPECT_FALSE(reports.empty()) << "our own are sent instead";
}

// ---- tones and time ----

TEST_F(Transcoding, RingBackUntilSomebodyIsThere) {
  tell(OpenLeg{kAlice, {0, kAlicePort}});
  takes(kAlice, alice, {kOpus});
  tell(Play{kAlice, Tone::kRingBack, "DE"});
  Talker anna{kOpus, 440, 1};
  pass(1s);
  hear(anna, kAlicePort);
  EXPECT_GT(anna.heard_of(425), 0.9);
  tell(OpenLeg{kBob, {0, kBobPort}});
  takes(kBob, bob, {kOpus});
  tell(Connect{kAlice, kBob});
  made.clear();
  pass(2s);
  EXPECT_TRUE(made.empty());
  tell(Disconnect{kAlice});
  tell(Play{kAlice, Tone::kBusy, "US"});
  pass(400ms);
  EXPECT_GE(made_for(kAlicePort).size(), 19U);
  tell(Play{kAlice, Tone::kNone, ""});
  pass(1s);
  EXPECT_LE(made.size(), 1U);
}

TEST_F(Transcoding, APromptIsSaidOnceInTheListenersCodecAndThenTheTone) {
  const auto encoder = audio::make_encoder(CodecKind::kG722, 16'000, {});
  audio::ToneGenerator words{{{700, 0}, 0.3, {}}, 16'000};
  std::vector<std::uint8_t> recorded;
  for (int i = 0; i < 100; ++i) {  // two seconds
    std::array<std::int16_t, 320> tick{};
    std::array<std::uint8_t, 160> payload{};
    words.fill(tick);
    ASSERT_EQ(encoder->encode(tick, payload), 160U);
    recorded.insert(recorded.end(), payload.begin(), payload.end());
  }
  const auto prompt = std::make_shared<const model::Prompt>(recorded);
  EXPECT_EQ(prompt->duration(), 2s);
  for (const PayloadFormat& codec : {kOpus, kPcma, kG722}) {
    made.clear();
    tell(OpenLeg{kAlice, {0, kAlicePort}});
    takes(kAlice, alice, {codec});
    tell(Play{kAlice, Tone::kRingBack, "DE", prompt});
    Talker anna{codec, 440, 1};
    pass(1500ms);
    hear(anna, kAlicePort);
    EXPECT_GT(anna.heard_of(700), 0.8) << codec.codec;
    made.clear();
    pass(1500ms);
    hear(anna, kAlicePort);
    EXPECT_GT(anna.heard_of(425), 0.7) << codec.codec;
    made.clear();
    tell(Play{kAlice, Tone::kNone, "", prompt});
    pass(4s);
    EXPECT_NEAR(static_cast<double>(made_for(kAlicePort).size()), 100, 2) << "and then nothing";
    tell(CloseLeg{kAlice});
  }
}

TEST_F(Transcoding, LoopThatCannotKeepUpSaysSo) {
  call({kPcmu}, {kPcma});
  Talker anna{kPcmu, 440, 1};
  Talker bert{kPcma, 700, 2};
  talk(anna, bert, 50);
  EXPECT_TRUE(events_of<LoopBehind>().empty());
  now = now + 500ms;  // the thread was not there
  talk(anna, bert, 50);
  ASSERT_EQ(events_of<LoopBehind>().size(), 1U);
  EXPECT_GE(events_of<LoopBehind>()[0].behind, 450ms);
  EXPECT_GE(relay.counters().ticks_cut, 20U);
  now = now + 60ms;  // a little: caught up with
  talk(anna, bert, 100);
  EXPECT_EQ(events_of<LoopBehind>().size(), 1U);
  EXPECT_GT(bert.heard_of(440), 0.8);
}

}  // namespace
}  // namespace bw::media::transcoding
