#include "sdp/session_description.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace bw::sdp {
namespace {

// RFC 8866 §5, the example.
constexpr std::string_view kSeminar =
    "v=0\r\n"
    "o=jdoe 3724394400 3724394405 IN IP4 198.51.100.1\r\n"
    "s=Call to John Smith\r\n"
    "i=SDP Offer #1\r\n"
    "u=http://www.jdoe.example.com/home.html\r\n"
    "e=Jane Doe <jane@jdoe.example.com>\r\n"
    "p=+1 617 555-6011\r\n"
    "c=IN IP4 198.51.100.1\r\n"
    "t=0 0\r\n"
    "m=audio 49170 RTP/AVP 0\r\n"
    "m=audio 49180 RTP/AVP 0\r\n"
    "m=video 51372 RTP/AVP 99\r\n"
    "c=IN IP6 2001:db8::2\r\n"
    "a=rtpmap:99 h263-1998/90000\r\n";

TEST(SessionDescription, ExampleOfTheRfcIsReadAndWrittenUnchanged) {
  const auto d = parse(kSeminar);
  ASSERT_TRUE(d) << to_sentence(d.error());
  EXPECT_EQ(d->origin.session_id, "3724394400");
  EXPECT_EQ(d->uri, "http://www.jdoe.example.com/home.html");
  ASSERT_EQ(d->media.size(), 3u);
  EXPECT_EQ(d->media[1].port, 49180);
  EXPECT_EQ(d->media[2].connections.at(0).ip(), IpAddress::parse("2001:db8::2"));
  EXPECT_EQ(d->audio(), &d->media[0]);
  EXPECT_EQ(to_string(*d), kSeminar);
}

TEST(SessionDescription, EveryLineTypeAndUnknownAttributesPassThrough) {
  constexpr std::string_view text =
      "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns= \r\ni=info\r\ne=a\r\ne=b\r\np=1\r\nc=IN IP4 224.2.1.1/127/3\r\n"
      "b=CT:100\r\nb=AS:64\r\nt=1 2\r\nr=7d 1h 0 25h\r\nr=x\r\nz=1 -1h\r\nt=3 4\r\nk=prompt\r\n"
      "a=recvonly\r\na=X-cisco:\r\na=\r\nm=audio 49170/2 RTP/AVP 0 96\r\ni=left\r\nc=IN IP4 192.0.2.2\r\n"
      "c=IN IP4 192.0.2.3\r\nb=TIAS:5\r\nk=clear:z\r\na=zz:1:2 3\r\na=aa\r\na=zz\r\n"
      "m=image 0 udptl t38\r\n";
  const auto d = parse(text);
  ASSERT_TRUE(d) << to_sentence(d.error());
  EXPECT_EQ(to_string(*d), text);
}

TEST(SessionDescription, BareLineFeedsAndBlankLinesAndMissingLinesAreForgiven) {
  const auto d =
      parse("v=0\no=- 1 1 IN IP4 192.0.2.1\n\nc=IN IP4 192.0.2.1\nm=audio  5004   RTP/AVP 8\n\r\n");
  ASSERT_TRUE(d) << to_sentence(d.error());
  EXPECT_EQ(d->name, "-");
  EXPECT_EQ(d->timings.size(), 1u);
  EXPECT_EQ(d->media.at(0).formats, std::vector<std::string>{"8"});
  EXPECT_EQ(parse(to_string(*d)), *d);
}

TEST(SessionDescription, EachKindOfNonsenseHasItsReason) {
  const std::string good = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n";
  const auto reason = [](const std::string& text) { return parse(text).error(); };
  EXPECT_EQ(reason(""), ParseError::kVersion);
  EXPECT_EQ(reason("\r\n\r\n"), ParseError::kVersion);
  EXPECT_EQ(reason("o=- 1 1 IN IP4 192.0.2.1\r\nv=0\r\n"), ParseError::kVersion);
  EXPECT_EQ(reason("v=1\r\n"), ParseError::kVersion);
  EXPECT_EQ(reason("v=0\r\n"), ParseError::kOrigin);
  EXPECT_EQ(reason("v=0\r\no=- 1 IN IP4 192.0.2.1\r\n"), ParseError::kOrigin);
  EXPECT_EQ(reason(good + "nonsense\r\n"), ParseError::kLine);
  EXPECT_EQ(reason(good + "x=1\r\n"), ParseError::kLetter);
  EXPECT_EQ(reason(good + "o=- 1 1 IN IP4 192.0.2.1\r\n"), ParseError::kMisplaced);
  EXPECT_EQ(reason(good + "r=1\r\n"), ParseError::kMisplaced);
  EXPECT_EQ(reason(good + "m=audio 1 RTP/AVP 0\r\ns=late\r\n"), ParseError::kMisplaced);
  EXPECT_EQ(reason(good + "c=IN IP4\r\n"), ParseError::kConnection);
  EXPECT_EQ(reason(good + "b=AS\r\n"), ParseError::kBandwidth);
  EXPECT_EQ(reason(good + "b=AS:-1\r\n"), ParseError::kBandwidth);
  EXPECT_EQ(reason(good + "m=audio 65536 RTP/AVP 0\r\n"), ParseError::kMedia);
  EXPECT_EQ(reason(good + "m=audio 1\r\n"), ParseError::kMedia);
  EXPECT_EQ(reason(good + "m=audio 1/0 RTP/AVP 0\r\n"), ParseError::kMedia);
  EXPECT_EQ(reason(good + "a=x\rb=y\r\n"), ParseError::kControl);
  EXPECT_EQ(reason(good + std::string("a=x\0y\r\n", 7)), ParseError::kControl);
}

TEST(SessionDescription, EveryLimitHolds) {
  const std::string good = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n";
  const std::string two_media = good + "m=audio 1 RTP/AVP 0 8\r\nm=audio 1 RTP/AVP 0\r\n";
  EXPECT_TRUE(parse(two_media, {.media = 2, .lines = 4, .formats = 2}));
  EXPECT_EQ(parse(two_media, {.media = 1}).error(), ParseError::kTooLarge);
  EXPECT_EQ(parse(two_media, {.lines = 3}).error(), ParseError::kTooLarge);
  EXPECT_EQ(parse(two_media, {.formats = 1}).error(), ParseError::kTooLarge);
  EXPECT_EQ(parse(two_media, {.bytes = 40}).error(), ParseError::kTooLarge);
  EXPECT_EQ(parse(two_media, {.line_bytes = 20}).error(), ParseError::kTooLarge);
}

std::string random_text(std::string_view alphabet, std::size_t least) {
  const auto size = *rc::gen::inRange<std::size_t>(least, least + 12);
  return *rc::gen::container<std::string>(size, rc::gen::elementOf(std::string{alphabet}));
}
std::string word() {
  return random_text("abcXYZ0189-+.%/", 1);
}
std::string line() {
  return random_text("abc:= /;*\t\xc3\xa4", 0);
}
std::optional<std::string> maybe_line() {
  return *rc::gen::arbitrary<bool>() ? std::optional{line()} : std::nullopt;
}
template <typename F>
auto some(F make) {
  std::vector<decltype(make())> out;
  for (int n = *rc::gen::inRange(0, 4); n > 0; --n) out.push_back(make());
  return out;
}
Connection any_connection() {
  return {word(), word(), word()};
}
Bandwidth any_bandwidth() {
  return {word(), *rc::gen::arbitrary<std::uint64_t>()};
}
Attributes any_attributes() {
  return {some([] { return Attribute{random_text("abcXYZ-", 0), maybe_line()}; })};
}
Media any_media() {
  Media m;
  m.type = word();
  m.port = *rc::gen::arbitrary<std::uint16_t>();
  m.port_count = *rc::gen::inRange<std::uint16_t>(1, 9);
  m.protocol = word();
  m.formats = some(word);
  m.information = maybe_line();
  m.connections = some(any_connection);
  m.bandwidths = some(any_bandwidth);
  m.key = maybe_line();
  m.attributes = any_attributes();
  return m;
}

TEST(SessionDescription, WhatIsWrittenIsReadBackEqual) {
  EXPECT_TRUE(rc::check([] {
    SessionDescription d;
    d.origin = {word(), word(), word(), word(), word(), word()};
    d.name = line();
    d.information = maybe_line();
    d.uri = maybe_line();
    d.emails = some(line);
    d.phones = some(line);
    if (*rc::gen::arbitrary<bool>()) d.connection = any_connection();
    d.bandwidths = some(any_bandwidth);
    d.timings = some([] { return Timing{line(), some(line), maybe_line()}; });
    if (d.timings.empty()) d.timings.emplace_back();
    d.key = maybe_line();
    d.attributes = any_attributes();
    d.media = some(any_media);
    const auto again = parse(to_string(d));
    RC_ASSERT(again.has_value());
    RC_ASSERT(*again == d);
  }));
}

}  // namespace
}  // namespace bw::sdp
