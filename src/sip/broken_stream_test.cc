#include "sip/broken_stream.h"

#include <gtest/gtest.h>

namespace bw::sip {
namespace {

std::string answered(std::string_view stream) {
  StreamFramer framer;
  framer.feed(stream);
  while (const auto event = framer.next()) {
    if (const auto* broken = std::get_if<StreamFramer::Broken>(&*event)) return answer_to(*broken);
  }
  return "not broken";
}

constexpr std::string_view kHeaders =
    "Via: SIP/2.0/TCP a;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 1 "
    "OPTIONS\r\n";

TEST(BrokenStream, TheRequestThatBrokeItIsAnswered) {
  const std::string head = "OPTIONS sip:x SIP/2.0\r\n" + std::string{kHeaders};
  const std::string missing = answered(head + "\r\n");
  EXPECT_TRUE(
      missing.starts_with("SIP/2.0 400 Content-Length is missing\r\nVia: SIP/2.0/TCP a;branch=z9hG4bK1\r\n"))
      << missing;
  EXPECT_NE(missing.find("To: <sip:c@d>;tag="), std::string::npos) << missing;
  EXPECT_TRUE(answered(head + "Content-Length: -1\r\n\r\n").starts_with("SIP/2.0 400 "));
  EXPECT_TRUE(answered(head + "Content-Length: 4\r\nContent-Length: 5\r\n\r\n").starts_with("SIP/2.0 400 "));
  EXPECT_TRUE(answered(head + "Content-Length: 99999999\r\n\r\n").starts_with("SIP/2.0 413 "));
}

TEST(BrokenStream, OthersAreNot) {
  EXPECT_EQ(answered("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "");
  EXPECT_EQ(answered("SIP/2.0 200 OK\r\n" + std::string{kHeaders} + "\r\n"), "");
  EXPECT_EQ(answered("ACK sip:x SIP/2.0\r\n" + std::string{kHeaders} + "\r\n"), "");
  EXPECT_EQ(answered("OPTIONS sip:x SIP/2.0\r\nTo: <sip:c@d>\r\n\r\n"), "");
}

}  // namespace
}  // namespace bw::sip
