#include "io/outbound_address.h"

#include <gtest/gtest.h>

namespace bw::io {
namespace {

bool refused(std::string_view ip, std::vector<Network> allowed = {}) {
  return why_not_outbound(IpAddress::parse(ip).value(), allowed).has_value();
}

TEST(OutboundAddress, PublicAddressesMayBeReached) {
  for (const auto* ip : {"8.8.8.8", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1", "11.0.0.1",
                         "2a00:1450::1", "64:ff9b::808:808", "2002:808:808::1", "::ffff:8.8.8.8"}) {
    EXPECT_FALSE(refused(ip)) << ip;
  }
}

TEST(OutboundAddress, WhatIsNotPublicIsRefusedInEverySpelling) {
  for (const auto* ip : {"0.0.0.0",
                         "10.1.2.3",
                         "100.64.0.1",
                         "127.0.0.1",
                         "127.255.255.255",
                         "169.254.169.254",
                         "172.16.0.1",
                         "172.31.255.255",
                         "192.0.0.8",
                         "192.168.1.1",
                         "198.18.0.1",
                         "224.0.0.1",
                         "255.255.255.255",
                         "::",
                         "::1",
                         "::ffff:127.0.0.1",
                         "::ffff:0:127.0.0.1",
                         "::127.0.0.1",
                         "::10.0.0.1",
                         "64:ff9b::7f00:1",
                         "64:ff9b::a00:1",
                         "64:ff9b:1::1",
                         "2002:7f00:1::1",
                         "2002:a00:1::",
                         "2002:c0a8:101::1",
                         "2001::1",
                         "2001:470::5efe:10.0.0.1",
                         "2001:470::200:5efe:10.0.0.1",
                         "fc00::1",
                         "fd12:3456::1",
                         "fe80::1",
                         "fec0::1",
                         "ff02::1",
                         "2001:db8::1",
                         "100::1"}) {
    EXPECT_TRUE(refused(ip)) << ip;
  }
}

TEST(OutboundAddress, AnAllowedNetworkIsReachedAlsoInAnotherSpelling) {
  const std::vector<Network> allowed = {Network::parse("10.0.0.0/8").value(),
                                        Network::parse("fd00::/8").value()};
  EXPECT_FALSE(refused("10.1.2.3", allowed));
  EXPECT_FALSE(refused("fd00::1", allowed));
  EXPECT_FALSE(refused("64:ff9b::a00:1", allowed));
  EXPECT_TRUE(refused("192.168.0.1", allowed));
  EXPECT_TRUE(refused("64:ff9b::c0a8:1", allowed));
  EXPECT_TRUE(refused("fc00::1", allowed));
}

TEST(OutboundAddress, TheReasonNamesTheKind) {
  EXPECT_EQ(why_not_outbound(IpAddress::parse("127.0.0.1").value(), {}), "a loopback address");
  EXPECT_EQ(why_not_outbound(IpAddress::parse("64:ff9b::a00:1").value(), {}),
            "another spelling of a private address");
}

}  // namespace
}  // namespace bw::io
