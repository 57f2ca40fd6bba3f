#include "rtp/packet.h"

#include <gtest/gtest.h>

#include <vector>

namespace bw::rtp {
namespace {

using Bytes = std::vector<std::uint8_t>;

// V=2 P=1 X=1 CC=2, M=1 PT=96, two CSRCs, one extension word, payload 1 2 3, padding of four.
const Bytes kEverything{0xb2, 0xe0, 0x12, 0x34, 0xde, 0xca, 0xfb, 0xad, 0xca, 0xfe, 0xba, 0xbe,
                        0,    0,    0,    1,    0,    0,    0,    2,    0xbe, 0xde, 0,    1,
                        9,    8,    7,    6,    1,    2,    3,    0,    0,    0,    4};

TEST(RtpPacket, EveryFieldIsRead) {
  const auto p = Packet::parse(kEverything);
  ASSERT_TRUE(p);
  EXPECT_TRUE(p->header().marker);
  EXPECT_EQ(p->header().payload_type, 96);
  EXPECT_EQ(p->header().sequence, 0x1234);
  EXPECT_EQ(p->header().timestamp, 0xdecafbadu);
  EXPECT_EQ(p->header().ssrc, 0xcafebabeu);
  ASSERT_EQ(p->csrc_count(), 2);
  EXPECT_EQ(p->csrc(1), 2u);
  ASSERT_TRUE(p->has_extension());
  EXPECT_EQ(p->extension_profile(), 0xbede);
  EXPECT_EQ(Bytes(p->extension().begin(), p->extension().end()), (Bytes{9, 8, 7, 6}));
  EXPECT_EQ(Bytes(p->payload().begin(), p->payload().end()), (Bytes{1, 2, 3}));
  EXPECT_EQ(p->padding(), 4u);
}

TEST(RtpPacket, EveryCutOffPacketIsRefusedOrShorter) {
  for (std::size_t size = 0; size < 28; ++size) {  // inside header, CSRCs and extension
    EXPECT_FALSE(Packet::parse(std::span{kEverything}.first(size))) << size;
  }
}

TEST(RtpPacket, LiesAboutLengthAndVersionAreRefused) {
  Bytes p = kEverything;
  p[0] = 0x72;  // version 1
  EXPECT_FALSE(Packet::parse(p));
  p = kEverything;
  p.back() = 0;  // padding of none
  EXPECT_FALSE(Packet::parse(p));
  p.back() = 8;  // more padding than there is behind the extension
  EXPECT_FALSE(Packet::parse(p));
  p.back() = 7;
  ASSERT_TRUE(Packet::parse(p));
  EXPECT_TRUE(Packet::parse(p)->payload().empty());
  p = kEverything;
  p[22] = 0xff;  // extension longer than the packet
  EXPECT_FALSE(Packet::parse(p));
}

TEST(RtpPacket, RewritingInPlaceTouchesOnlyItsField) {
  Bytes p(kHeaderBytes + 1, 0xaa);
  write_header({true, 111, 65'535, 1, 2}, p);
  set_payload_type(p, 8);
  set_sequence(p, 7);
  auto view = Packet::parse(p);
  ASSERT_TRUE(view);
  EXPECT_TRUE(view->header().marker);
  EXPECT_EQ(view->header().payload_type, 8);
  EXPECT_EQ(view->header().sequence, 7);
  set_marker(p, false);
  set_timestamp(p, 0xffff'fffe);
  set_ssrc(p, 0x8000'0001);
  view = Packet::parse(p);
  EXPECT_FALSE(view->header().marker);
  EXPECT_EQ(view->header().payload_type, 8);
  EXPECT_EQ(view->header().timestamp, 0xffff'fffeu);
  EXPECT_EQ(view->header().ssrc, 0x8000'0001u);
  EXPECT_EQ(p.back(), 0xaa);
}

TEST(RtpPacket, DatagramsAreToldApartByTheirFirstBytes) {
  EXPECT_EQ(classify(Bytes{0x80, 0x00}), Kind::kRtp);
  EXPECT_EQ(classify(Bytes{0x80, 0xe5}), Kind::kRtp);  // marker and payload 101
  EXPECT_EQ(classify(Bytes{0x81, 200}), Kind::kRtcp);
  EXPECT_EQ(classify(Bytes{0x81, 207}), Kind::kRtcp);  // XR
  EXPECT_EQ(classify(Bytes{0x00, 0x01}), Kind::kStun);
  EXPECT_EQ(classify(Bytes{22, 0xfe}), Kind::kDtls);
  EXPECT_EQ(classify(Bytes{0xff, 0x00}), Kind::kOther);
  EXPECT_EQ(classify(Bytes{0x80}), Kind::kOther);
  EXPECT_EQ(classify(Bytes{}), Kind::kOther);
}

}  // namespace
}  // namespace bw::rtp
