#include "sip/framing.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/core.h"

namespace bw::sip {
namespace {

constexpr std::string_view kOptions =
    "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP h\r\nContent-Type: text/plain\r\nl:\r\n 5 \r\n\r\nhello";

// Everything the framer says when fed these pieces: frames as text, keep-alives and errors by name.
std::vector<std::string> said(const std::vector<std::string_view>& pieces, MessageLimits limits = {}) {
  StreamFramer framer{limits};
  std::vector<std::string> out;
  const auto name = Overloaded{
      [](const StreamFramer::Frame& f) { return std::string{f.bytes}; },
      [](const StreamFramer::Ping&) { return std::string{"ping"}; },
      [](const StreamFramer::Pong&) { return std::string{"pong"}; },
      [](const StreamFramer::Broken& b) { return std::string{to_sentence(b.why)}; },
  };
  for (const std::string_view piece : pieces) {
    framer.feed(piece);
    while (const auto event = framer.next()) out.push_back(std::visit(name, *event));
  }
  return out;
}

using Said = std::vector<std::string>;

TEST(Framing, MessagesAreCutWhereverTheStreamIsSplit) {
  const std::string three =
      std::string{kOptions} + std::string{kOptions} + "\r\n\r\n" + std::string{kOptions};
  const Said expected{std::string{kOptions}, std::string{kOptions}, "ping", std::string{kOptions}};
  EXPECT_EQ(said({three}), expected);
  for (std::size_t i = 1; i < three.size(); ++i) {
    // A ping cut exactly in its middle reads as two pongs: nothing tells it from them.
    if (i == 2 * kOptions.size() + 2) continue;
    EXPECT_EQ(said({three.substr(0, i), std::string_view{three}.substr(i)}), expected) << i;
  }
}

TEST(Framing, ByteByByteGivesTheSame) {
  std::vector<std::string_view> bytes;
  for (std::size_t i = 0; i < kOptions.size(); ++i) bytes.push_back(kOptions.substr(i, 1));
  EXPECT_EQ(said(bytes), Said{std::string{kOptions}});
}

TEST(Framing, KeepAlivesAreToldApart) {
  EXPECT_EQ(said({"\r\n\r\n"}), Said{"ping"});
  EXPECT_EQ(said({"\r\n"}), Said{"pong"});
  EXPECT_EQ(said({"\r", "\n\r\n"}), Said{"ping"});
  EXPECT_EQ(said({"\r\n\r", "\n"}), Said{"ping"});
  EXPECT_EQ(said({"\r\n\r\n\r\n\r\n"}), (Said{"ping", "ping"}));
  EXPECT_EQ(said({"\r\n" + std::string{kOptions}}), (Said{"pong", std::string{kOptions}}));
}

TEST(Framing, ContentLengthMustBeThereAndOne) {
  EXPECT_EQ(said({"OPTIONS sip:a SIP/2.0\r\nTo: x\r\n\r\n"}), Said{"Content-Length is missing"});
  EXPECT_EQ(said({"OPTIONS sip:a SIP/2.0\r\nl: -1\r\n\r\n"}), Said{"Content-Length is wrong"});
  EXPECT_EQ(said({"OPTIONS sip:a SIP/2.0\r\nl: 1\r\nContent-Length: 2\r\n\r\nab"}),
            Said{"Content-Length is wrong"});
  EXPECT_EQ(said({"OPTIONS sip:a SIP/2.0\r\nl: 99999999999999999999\r\n\r\n"}),
            Said{"Content-Length is wrong"});
  const std::string twice = "OPTIONS sip:a SIP/2.0\r\nl: 1\r\nContent-Length : 1\r\n\r\na";
  EXPECT_EQ(said({twice}), Said{twice});
}

// Were the two to disagree about where a message ends, one could be hidden in another.
TEST(Framing, FoldedLengthIsTheOneTheParserReads) {
  const std::string folded = "OPTIONS sip:a SIP/2.0\r\nl\r\n :\r\n 3\r\n\r\nabc";
  EXPECT_EQ(said({folded}), Said{folded});
  EXPECT_EQ(parse(folded)->body(), "abc");
  EXPECT_EQ(said({"OPTIONS sip:a SIP/2.0\r\nl: 1\r\nl\r\n : 2\r\n\r\nab"}), Said{"Content-Length is wrong"});
}

TEST(Framing, WhatIsNotSipIsTurnedAwayAtOnce) {
  EXPECT_EQ(said({"GET / HTTP/1.1\r\n"}), Said{"What came is not SIP"});
  EXPECT_EQ(said({"\x16\x03\x01\n"}), Said{"What came is not SIP"});
  EXPECT_EQ(said({"nonsense\r\n", "more\r\n", std::string{kOptions}}), Said{"What came is not SIP"});
}

TEST(Framing, LimitsHold) {
  const MessageLimits small{.message_bytes = 200, .headers = 8, .header_value_bytes = 100, .body_bytes = 20};
  EXPECT_EQ(said({"OPTIONS sip:a SIP/2.0\r\nl: 21\r\n\r\n"}, small), Said{"The message is too large"});
  EXPECT_EQ(said({"OPTIONS sip:a SIP/2.0\r\n", std::string(200, 'a')}, small),
            Said{"The message is too large"});
  EXPECT_EQ(said({std::string(201, 'a')}, small), Said{"The message is too large"});
  EXPECT_EQ(said({"OPTIONS sip:a SIP/2.0\r\nx: " + std::string(190, 'a') + "\r\nl: 0\r\n\r\n"}, small),
            Said{"The message is too large"});
}

TEST(Framing, HeadOfABrokenMessageAllowsAnAnswer) {
  StreamFramer framer;
  framer.feed("OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bKx\r\n\r\n");
  const auto event = framer.next();
  ASSERT_TRUE(event && std::holds_alternative<StreamFramer::Broken>(*event));
  const auto m = parse(std::get<StreamFramer::Broken>(*event).head);
  ASSERT_TRUE(m);
  EXPECT_TRUE(m->has(HeaderName::kVia));
  EXPECT_FALSE(framer.next());
}

TEST(Framing, IdleConnectionKeepsLittleMemory) {
  StreamFramer framer;
  std::string big = "MESSAGE sip:a SIP/2.0\r\nl: 50000\r\n\r\n" + std::string(50'000, 'x');
  framer.feed(big);
  ASSERT_TRUE(framer.next());
  framer.feed("\r\n\r\n");
  ASSERT_TRUE(framer.next());
  EXPECT_LT(framer.memory_bytes(), 5'000U);
  EXPECT_EQ(framer.pending(), 0U);
}

}  // namespace
}  // namespace bw::sip
