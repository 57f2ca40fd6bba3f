// The IPv6 torture messages of RFC 5118 §4 with their verdicts. The files in testdata/rfc5118 were rebuilt
// from the text of the RFC; the Content-Length of the three with a session description is the true one (the
// RFC prints 268, 181 and 236 for 251, 189 and 245 octets).
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "sip/contact.h"
#include "sip/host.h"
#include "sip/validate.h"
#include "sip/via.h"

namespace bw::sip {
namespace {

Message load(std::string_view name) {
  const std::string path =
      std::string{BW_SOURCE_DIR "/src/sip/testdata/rfc5118/"} + std::string{name} + ".dat";
  std::ifstream in{path, std::ios::binary};
  std::ostringstream text;
  text << in.rdbuf();
  auto m = parse(text.str());
  EXPECT_TRUE(m.has_value()) << path;
  return m ? std::move(*m) : Message::response(500);
}

struct Verdict {
  std::string_view section;
  std::string_view name;
  bool taken;
};

constexpr Verdict kVerdicts[] = {
    {"4.1", "ipv6-good", true},
    {"4.2", "ipv6-bad", false},
    {"4.3", "port-ambiguous", true},
    {"4.4", "port-unambiguous", true},
    {"4.5", "via-received-param-with-delim", true},
    {"4.5", "via-received-param-no-delim", true},
    {"4.6", "ipv6-in-sdp", true},
    {"4.7", "mult-ip-in-header", true},
    {"4.8", "mult-ip-in-sdp", true},
    {"4.9", "ipv4-mapped-ipv6", true},
    {"4.10", "ipv6-bug-abnf-3-colons", true},
    {"4.10", "ipv6-correct-abnf-2-colons", true},
};

class Rfc5118 : public testing::TestWithParam<Verdict> {};

TEST_P(Rfc5118, MeetsItsVerdict) {
  const Message m = load(GetParam().name);
  const auto rejection = validate(m);
  EXPECT_EQ(!rejection.has_value(), GetParam().taken) << (rejection ? rejection->why : "");
  if (rejection) EXPECT_EQ(rejection->status, 400);
  EXPECT_EQ(parse(to_string(m)), m);
}

std::string test_name(const testing::TestParamInfo<Verdict>& info) {
  std::string name{info.param.name};
  std::erase(name, '-');
  return name;
}
INSTANTIATE_TEST_SUITE_P(Messages, Rfc5118, testing::ValuesIn(kVerdicts), test_name);

TEST(Rfc5118Content, PortStandsBehindTheBracketOnly) {
  const Message ambiguous = load("port-ambiguous");
  const Message clear = load("port-unambiguous");
  const auto a = Uri::parse(ambiguous.request_uri());
  const auto b = Uri::parse(clear.request_uri());
  EXPECT_EQ(a->host, "[2001:db8::10:5070]");
  EXPECT_FALSE(a->port.has_value());
  EXPECT_EQ(b->host, "[2001:db8::10]");
  EXPECT_EQ(b->port, 5070);
}

TEST(Rfc5118Content, ReceivedIsReadWithAndWithoutBrackets) {
  const auto expected = IpAddress::parse("2001:db8::9:255");
  for (const std::string_view name : {"via-received-param-with-delim", "via-received-param-no-delim"}) {
    const Message m = load(name);
    EXPECT_EQ(Via::top(m)->received(), expected) << name;
    EXPECT_EQ(Via::top(m)->response_address(), (Endpoint{*expected, 5060})) << name;
  }
}

TEST(Rfc5118Content, MixedViasKeepTheirAddresses) {
  const Message m = load("mult-ip-in-header");
  const auto vias = m.elements(HeaderName::kVia);
  ASSERT_EQ(vias.size(), 3U);
  EXPECT_EQ(Via::parse(vias[0])->port, 6050);
  EXPECT_EQ(Via::parse(vias[2])->received(), IpAddress::parse("192.0.2.200"));
}

TEST(Rfc5118Content, MappedAddressIsTheIpv4AddressItMeans) {
  const Message m = load("ipv4-mapped-ipv6");
  EXPECT_EQ(Via::top(m)->response_address(), Endpoint::parse("192.0.2.10:19823"));
}

TEST(Rfc5118Content, ThirdColonBeforeAnIpv4AddressIsForgiven) {
  const Message bug = load("ipv6-bug-abnf-3-colons");
  const Message correct = load("ipv6-correct-abnf-2-colons");
  EXPECT_TRUE(equivalent(*Uri::parse(bug.request_uri()), *Uri::parse(correct.request_uri())));
  EXPECT_FALSE(address_of("[2001:db8:::10]"));
  EXPECT_FALSE(address_of("[2001:db8::::192.0.2.1]"));
  EXPECT_FALSE(address_of("[2001:::1:192.0.2.1]"));
}

}  // namespace
}  // namespace bw::sip
