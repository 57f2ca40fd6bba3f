// What the tests of offer and answer share: descriptions of real phones and legs of a call.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "base/rng.h"
#include "sdp/offer_answer.h"

namespace bw::sdp::test {

inline SessionDescription from_text(std::string_view text) {
  auto d = parse(text);
  EXPECT_TRUE(d) << (d ? "" : to_sentence(d.error())) << "\n" << text;
  return d ? std::move(*d) : SessionDescription{};
}

inline SessionDescription sample(const std::string& name) {
  std::ifstream file{std::string{BW_SOURCE_DIR "/fuzz/corpus/sdp/"} + name + ".sdp", std::ios::binary};
  EXPECT_TRUE(file) << name;
  return from_text(std::string{std::istreambuf_iterator<char>{file}, {}});
}

inline SessionDescription phone(std::string_view media, std::string_view address = "192.0.2.9") {
  return from_text("v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 " + std::string{address} +
                   "\r\nt=0 0\r\n" + std::string{media});
}

inline OfferAnswer leg(std::uint16_t port, SrtpPolicy srtp = SrtpPolicy::kOptional,
                       SrtpOffer offer = SrtpOffer::kPlain) {
  SeededRng rng{port};
  return OfferAnswer{{*IpAddress::parse("198.51.100.1"), port, srtp, offer}, rng};
}

// The text of ours, which must be a description, and ours.
inline SessionDescription ours(const std::expected<std::string, OfferError>& text) {
  EXPECT_TRUE(text) << (text ? "" : to_sentence(text.error()));
  SessionDescription d = from_text(text.value_or(""));
  EXPECT_EQ(d.origin.address, d.connection ? d.connection->address : "no c=");
  for (const Media& m : d.media) EXPECT_TRUE(m.connections.empty());
  return d;
}

}  // namespace bw::sdp::test
