#include "rtp/rtcp.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "rtp/reception.h"

namespace bw::rtp {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes written(const OwnReport& report) {
  Bytes out(512);
  out.resize(write_report(report, out));
  return out;
}

TEST(Rtcp, OwnReportsAreReadBackEqual) {
  const std::array blocks{ReportBlock{1, 255, -3, 0x1'0005, 7, 8, 9},
                          ReportBlock{2, 0, 0x7f'ffff, 6, 5, 4, 3}};
  OwnReport report{0xabcd, SenderInfo{{10, 11}, 12, 13, 14}, blocks, "office@example.com"};
  const Bytes bytes = written(report);
  ASSERT_FALSE(bytes.empty());
  EXPECT_EQ(bytes.size() % 4, 0u);
  auto reader = RtcpReader::open(bytes);
  ASSERT_TRUE(reader);
  const auto sr = reader->next();
  ASSERT_TRUE(sr);
  EXPECT_EQ(sr->type(), kSenderReport);
  EXPECT_EQ(sr->sender_ssrc(), 0xabcdu);
  EXPECT_EQ(sr->sender_info(), report.sender);
  ASSERT_EQ(sr->report_count(), 2u);
  EXPECT_EQ(sr->report(0), blocks[0]);
  EXPECT_EQ(sr->report(1), blocks[1]);
  const auto sdes = reader->next();
  ASSERT_TRUE(sdes);
  EXPECT_EQ(sdes->cname(), "office@example.com");
  EXPECT_FALSE(reader->next());

  report.sender.reset();
  const Bytes receiver = written(report);
  auto rr = RtcpReader::open(receiver)->next();
  EXPECT_EQ(rr->type(), kReceiverReport);
  EXPECT_FALSE(rr->sender_info());
  EXPECT_EQ(rr->report(1), blocks[1]);
}

TEST(Rtcp, CnameOfEveryLengthFillsWholeWords) {
  for (std::size_t length = 0; length <= 255; ++length) {
    const std::string cname(length, 'x');
    const Bytes bytes = written({1, {}, {}, cname});
    auto reader = RtcpReader::open(bytes);
    ASSERT_TRUE(reader) << length;
    reader->next();
    EXPECT_EQ(reader->next()->cname(), cname);
  }
}

TEST(Rtcp, TooSmallABufferGivesNothingAndIsNotTouched) {
  Bytes out(8 + 12, 0x55);
  EXPECT_EQ(write_report({1, {}, {}, "12345"}, out), 0u);
  EXPECT_EQ(out, Bytes(20, 0x55));
  EXPECT_EQ(write_report({1, {}, {}, "1"}, out), 20u);
}

TEST(Rtcp, CompoundsThatDoNotAddUpAreRefused) {
  const Bytes good = written({1, {}, {}, "c"});
  for (std::size_t size = 0; size < good.size(); ++size) {
    // A receiver report alone is a whole packet; every other cut is not.
    EXPECT_EQ(RtcpReader::open(std::span{good}.first(size)).has_value(), size == 8) << size;
  }
  Bytes bad = good;
  bad[8] = 0x41;  // second packet of version 1
  EXPECT_FALSE(RtcpReader::open(bad));
  bad = good;
  bad[3] = 200;  // length beyond the end
  EXPECT_FALSE(RtcpReader::open(bad));
  bad = good;
  bad[0] |= 0x20;  // padding before the last packet
  EXPECT_FALSE(RtcpReader::open(bad));
  const Bytes bye_first{0x81, 203, 0, 1, 0, 0, 0, 1};
  EXPECT_FALSE(RtcpReader::open(bye_first));
}

TEST(Rtcp, CountsBeyondTheLengthAreNotBelieved) {
  Bytes bytes = written({1, {}, {}, "c"});
  bytes[0] = 0x9f;  // 31 blocks, none there
  auto rr = RtcpReader::open(bytes)->next();
  EXPECT_EQ(rr->count(), 31);
  EXPECT_EQ(rr->report_count(), 0u);
}

TEST(Rtcp, ByeAndPaddingOfTheLastPacket) {
  Bytes bytes{0x80, 201, 0, 1, 0, 0, 0, 1, 0xa2, 203, 0, 3, 0, 0, 0, 7, 0, 0, 0, 8, 0, 0, 0, 4};
  auto reader = RtcpReader::open(bytes);
  ASSERT_TRUE(reader);
  reader->next();
  const auto bye = reader->next();
  EXPECT_EQ(bye->bye_ssrc(0), 7u);
  EXPECT_EQ(bye->bye_ssrc(1), 8u);
  EXPECT_FALSE(bye->bye_ssrc(2));
  bytes.back() = 16;  // padding over the head
  EXPECT_FALSE(RtcpReader::open(bytes));
}

TEST(Rtcp, NtpTimeOfTheEpoch) {
  EXPECT_EQ(NtpTime::of(Instant{}), (NtpTime{2'208'988'800, 0}));
  EXPECT_EQ(NtpTime::of(Instant{1500ms}), (NtpTime{2'208'988'801, 0x8000'0000}));
}

// RFC 3550 §6.4.1, figure 2: SR sent, 5.25 s of delay at the receiver, 6.125 s of round trip.
TEST(Rtcp, RoundTripOfTheRfcsExample) {
  ReportBlock block;
  block.last_sr = 0xb705'2000;
  block.delay_since_sr = 0x0005'4000;
  // A = 0xb710:8000 is reached at this time: NTP 0xb44db710:80000000.
  const Instant received{Duration{(0xb44d'b710LL - 2'208'988'800LL) * 1'000'000'000LL + 500'000'000LL}};
  const auto rtt = round_trip(block, received);
  ASSERT_TRUE(rtt);
  EXPECT_EQ(*rtt, Duration{6'125'000'000});
}

TEST(Rtcp, RoundTripThatCannotBeIsNotReported) {
  ReportBlock block;
  const Instant now{1'800'000'000s};
  EXPECT_FALSE(round_trip(block, now));  // no SR of ours came there
  block.last_sr = NtpTime::of(now).middle();
  block.delay_since_sr = 100;  // an answer a little before the question: rounding
  EXPECT_EQ(round_trip(block, now), Duration{0});
  block.delay_since_sr = 10 << 16;
  EXPECT_FALSE(round_trip(block, now));
  block.delay_since_sr = 0;
  EXPECT_FALSE(round_trip(block, now + 61s));
}

// Two ends exchange reports over a line of 40 ms each way.
TEST(Rtcp, RoundTripOverALineOfKnownDelay) {
  const Instant start{1'800'000'000s + 123'456'789ns};
  Reception far_end{8000};
  far_end.on_packet({}, start);
  const SenderInfo info{NtpTime::of(start), 0, 1, 160};
  far_end.on_sender_report(info, start + 40ms);
  const ReportBlock block = far_end.report(1, start + 40ms + 3s);
  const auto rtt = round_trip(block, start + 80ms + 3s);
  ASSERT_TRUE(rtt);
  EXPECT_NEAR(static_cast<double>(rtt->count()) / 1e6, 80.0, 1.1);
}

}  // namespace
}  // namespace bw::rtp
