#include "sip/session_body.h"

#include <gtest/gtest.h>

#include <string>

namespace bw::sip {
namespace {

constexpr std::string_view kSdp = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n";

Message with(std::string_view type, std::string_view body) {
  auto message = Message::request(Method::kInvite, "sip:1002@example.com");
  message.set_body(type, body);
  return message;
}

std::string found(std::string_view type, std::string_view body) {
  const auto message = with(type, body);
  return std::string(session_description(message));
}

TEST(SessionBody, IsTheWholeBodyOrNothing) {
  EXPECT_EQ(found("application/sdp", kSdp), kSdp);
  EXPECT_EQ(found("Application/SDP;charset=utf-8", kSdp), kSdp);
  EXPECT_EQ(found("application/isup", "\x01\x02"), "");
  EXPECT_EQ(found("application/sdp", ""), "");
}

TEST(SessionBody, IsThePartOfItsTypeAmongOthers) {
  const std::string body =
      "a preamble nobody reads\r\n--b1\r\nContent-Type: application/isup\r\n\r\nv=1\r\n--b1x\r\n"
      "--b1  \r\nc: Application/SDP\r\nContent-Disposition: session\r\n\r\n" +
      std::string(kSdp) + "--b1--\r\nan epilogue\r\n";
  EXPECT_EQ(found("multipart/mixed;boundary=b1", body), kSdp);
  EXPECT_EQ(found("multipart/mixed; boundary=\"b1\"", body), kSdp);
  EXPECT_EQ(found("multipart/mixed;boundary=b2", body), "");
  EXPECT_EQ(found("multipart/mixed", body), "");
}

TEST(SessionBody, OfAlternativesTheLastIsLikedBest) {
  const auto part = [](std::string_view type, std::string_view text) {
    return "--x\r\nContent-Type: " + std::string(type) + "\r\n\r\n" + std::string(text) + "\r\n";
  };
  const std::string body = part("application/sdp", "v=0") + part("application/sdp", "v=7") +
                           part("text/plain", "v=9") + "--x--\r\n";
  EXPECT_EQ(found("multipart/alternative;boundary=x", body), "v=7\r\n");
  EXPECT_EQ(found("multipart/mixed;boundary=x", body), "v=0\r\n");
}

TEST(SessionBody, BrokenOnesHaveNone) {
  EXPECT_EQ(found("multipart/mixed;boundary=x", "--x\r\nContent-Type: application/sdp\r\n\r\nv=0"), "")
      << "its end never came";
  EXPECT_EQ(found("multipart/mixed;boundary=x", "--x\r\n--x\r\n--x--"), "");
  EXPECT_EQ(found("multipart/mixed;boundary=\"\"", "--\r\n\r\nv=0\r\n----\r\n"), "");
  std::string many;
  for (int i = 0; i < 40; ++i) many += "--x\r\n\r\n\r\n";
  EXPECT_EQ(found("multipart/mixed;boundary=x", many + "--x\r\nc: application/sdp\r\n\r\nv=0\r\n--x--"), "");
}

}  // namespace
}  // namespace bw::sip
