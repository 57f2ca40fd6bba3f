#include "sip/resolver.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace bw::sip {
namespace {

using dns::RecordType;

// A name service of the test: what is not written down does not exist.
struct Zone {
  std::map<std::pair<std::string, RecordType>, dns::Answer> records;
  std::vector<std::string> asked;

  void a(const std::string& name, const char* ip) {
    const auto address = *IpAddress::parse(ip);
    records[{name, address.is_v4() ? RecordType::kA : RecordType::kAaaa}].addresses.push_back(address);
  }
  void srv(const std::string& name, dns::Srv record) {
    records[{name, RecordType::kSrv}].srv.push_back(std::move(record));
  }
  void naptr(const std::string& name, dns::Naptr record) {
    records[{name, RecordType::kNaptr}].naptr.push_back(std::move(record));
  }

  std::string resolve(std::string_view uri, ResolverOptions options = {}, std::uint64_t seed = 1) {
    SeededRng rng{seed};
    Resolution resolution{uri, std::move(options), rng};
    while (const auto question = resolution.poll()) {
      static constexpr const char* kTypes[] = {"A ", "AAAA ", "SRV ", "NAPTR "};
      asked.push_back(kTypes[static_cast<std::size_t>(question->type)] + question->name);
      const auto found = records.find({question->name, question->type});
      resolution.answer(*question, found == records.end() ? dns::Answer{} : found->second);
    }
    EXPECT_TRUE(resolution.complete());
    if (resolution.error()) return std::string{to_sentence(*resolution.error())};
    std::string all;
    while (const auto target = resolution.next()) {
      if (!all.empty()) all += ", ";
      all += std::string{uri_token(target->transport)} + " " + target->endpoint.to_string();
    }
    return all;
  }
};

TEST(Resolver, ANumericHostIsAskedForNothing) {
  Zone zone;
  EXPECT_EQ(zone.resolve("sip:192.0.2.1"), "udp 192.0.2.1:5060");
  EXPECT_EQ(zone.resolve("sip:192.0.2.1:5070"), "udp 192.0.2.1:5070");
  EXPECT_EQ(zone.resolve("sips:192.0.2.1"), "tls 192.0.2.1:5061");
  EXPECT_EQ(zone.resolve("sip:a@[2001:db8::1];transport=tcp"), "tcp [2001:db8::1]:5060");
  EXPECT_EQ(zone.resolve("sip:192.0.2.1;transport=tls"), "tls 192.0.2.1:5061");
  EXPECT_EQ(zone.resolve("sips:192.0.2.1;transport=tcp"), "tls 192.0.2.1:5061");
  EXPECT_EQ(zone.resolve("sip:example.com;maddr=192.0.2.7"), "udp 192.0.2.7:5060");
  EXPECT_TRUE(zone.asked.empty());
}

TEST(Resolver, APortGivenMeansAddressesAlone) {
  Zone zone;
  zone.a("pbx.example.com", "192.0.2.1");
  zone.a("pbx.example.com", "2001:db8::1");
  EXPECT_EQ(zone.resolve("sip:pbx.example.com:5080"), "udp 192.0.2.1:5080, udp [2001:db8::1]:5080");
  EXPECT_EQ(zone.asked, (std::vector<std::string>{"A pbx.example.com", "AAAA pbx.example.com"}));
}

TEST(Resolver, NaptrChoosesTheTransportInOrderAndPreference) {
  Zone zone;
  zone.naptr("example.com", {50, 50, "s", "SIPS+D2T", "_sips._tcp.example.com"});
  zone.naptr("example.com", {100, 50, "s", "SIP+D2U", "_sip._udp.example.com."});
  zone.naptr("example.com", {90, 70, "S", "sip+d2t", "_sip._tcp.example.com"});
  zone.naptr("example.com", {90, 10, "u", "E2U+sip", ""});
  zone.srv("_sip._udp.example.com", {0, 1, 5060, "u.example.com."});
  zone.srv("_sip._tcp.example.com", {0, 1, 5062, "t.example.com"});
  zone.srv("_sips._tcp.example.com", {0, 1, 5061, "s.example.com"});
  zone.a("u.example.com", "192.0.2.1");
  zone.a("t.example.com", "192.0.2.2");
  zone.a("s.example.com", "192.0.2.3");
  EXPECT_EQ(zone.resolve("sip:example.com"), "tls 192.0.2.3:5061, tcp 192.0.2.2:5062, udp 192.0.2.1:5060");
  EXPECT_EQ(zone.resolve("sips:example.com"), "tls 192.0.2.3:5061");
  EXPECT_EQ(zone.resolve("sip:example.com", {.transports = {Transport::kUdp}}), "udp 192.0.2.1:5060");
}

TEST(Resolver, WithoutNaptrEachTransportIsAskedForItsSrv) {
  Zone zone;
  zone.srv("_sip._tcp.example.com", {0, 1, 5062, "t.example.com"});
  zone.a("t.example.com", "192.0.2.2");
  EXPECT_EQ(zone.resolve("sip:example.com"), "tcp 192.0.2.2:5062");
  EXPECT_EQ(zone.asked, (std::vector<std::string>{"NAPTR example.com", "SRV _sip._udp.example.com",
                                                  "SRV _sip._tcp.example.com", "SRV _sips._tcp.example.com",
                                                  "A t.example.com", "AAAA t.example.com"}));
}

TEST(Resolver, WithoutSrvTheHostItselfIsTheServer) {
  Zone zone;
  zone.a("example.com", "192.0.2.5");
  EXPECT_EQ(zone.resolve("sip:example.com"), "udp 192.0.2.5:5060");
  EXPECT_EQ(zone.resolve("sips:example.com."), "tls 192.0.2.5:5061");
  zone.asked.clear();
  EXPECT_EQ(zone.resolve("sip:example.com;transport=tcp"), "tcp 192.0.2.5:5060");
  EXPECT_EQ(zone.asked,
            (std::vector<std::string>{"SRV _sip._tcp.example.com", "A example.com", "AAAA example.com"}));
}

TEST(Resolver, ServersComeByPriorityAndWithinItByWeight) {
  Zone zone;
  zone.srv("_sip._udp.example.com", {20, 0, 5060, "backup.example.com"});
  zone.srv("_sip._udp.example.com", {10, 0, 5060, "idle.example.com"});
  zone.srv("_sip._udp.example.com", {10, 75, 5060, "big.example.com"});
  zone.srv("_sip._udp.example.com", {10, 25, 5060, "small.example.com"});
  zone.a("backup.example.com", "192.0.2.4");
  zone.a("idle.example.com", "192.0.2.3");
  zone.a("big.example.com", "192.0.2.1");
  zone.a("small.example.com", "192.0.2.2");
  std::map<std::string, int> first;
  constexpr int kRuns = 4000;
  for (int seed = 0; seed < kRuns; ++seed) {
    const std::string all =
        zone.resolve("sip:example.com", {.ipv6 = false, .naptr = false}, static_cast<std::uint64_t>(seed));
    EXPECT_TRUE(all.ends_with("udp 192.0.2.4:5060")) << all;
    ++first[all.substr(0, all.find(','))];
  }
  // Of 101 equally likely draws the zero gets one, the big one 75, the small one 25.
  EXPECT_NEAR(first["udp 192.0.2.1:5060"], kRuns * 75 / 101, 150);
  EXPECT_NEAR(first["udp 192.0.2.2:5060"], kRuns * 25 / 101, 150);
  EXPECT_GT(first["udp 192.0.2.3:5060"], 5);
  EXPECT_LT(first["udp 192.0.2.3:5060"], 100);
}

TEST(Resolver, ADotSaysThatThereIsNoService) {
  Zone zone;
  zone.srv("_sip._udp.example.com", {0, 0, 0, "."});
  zone.a("example.com", "192.0.2.5");
  EXPECT_EQ(zone.resolve("sip:example.com;transport=udp"), to_sentence(ResolveError::kNothingFound));
}

TEST(Resolver, WhatCannotBeReachedIsSaid) {
  Zone zone;
  EXPECT_EQ(zone.resolve("tel:+4930123"), to_sentence(ResolveError::kNotSip));
  EXPECT_EQ(zone.resolve("nonsense"), to_sentence(ResolveError::kNotSip));
  EXPECT_EQ(zone.resolve("sip:192.0.2.1;transport=sctp"), to_sentence(ResolveError::kTransportNotSupported));
  EXPECT_EQ(zone.resolve("sip:192.0.2.1;transport=ws"), to_sentence(ResolveError::kTransportNotSupported));
  EXPECT_EQ(zone.resolve("sips:192.0.2.1", {.transports = {Transport::kUdp}}),
            to_sentence(ResolveError::kTransportNotSupported));
  EXPECT_EQ(zone.resolve("sip:nowhere.example.com"), to_sentence(ResolveError::kNothingFound));
  EXPECT_EQ(zone.resolve("sip:[2001:db8::1]", {.ipv6 = false}), to_sentence(ResolveError::kNothingFound));
}

TEST(Resolver, AHostileZoneIsCutShort) {
  Zone zone;
  for (std::uint16_t i = 0; i < 500; ++i) {
    const std::string name = "s" + std::to_string(i) + ".example.com";
    zone.naptr("example.com", {i, 1, "s", "SIP+D2U", "_sip._udp" + std::to_string(i) + ".example.com"});
    for (std::uint16_t k = 0; k < 50; ++k) {
      zone.srv("_sip._udp" + std::to_string(i) + ".example.com", {k, 1, 5060, name});
      zone.a(name, ("192.0.2." + std::to_string(k)).c_str());
    }
  }
  const std::string all = zone.resolve("sip:example.com");
  EXPECT_LE(std::ranges::count(all, ','), 31);
  EXPECT_LE(zone.asked.size(), 1U + 8U + 2U * 16U);
}

TEST(Resolver, UnaskedAndRepeatedAnswersAreIgnored) {
  SeededRng rng{1};
  Resolution resolution{"sip:pbx.example.com:5060", {.ipv6 = false}, rng};
  const auto question = resolution.poll();
  ASSERT_TRUE(question);
  EXPECT_FALSE(resolution.poll());
  dns::Answer lie;
  lie.addresses = {*IpAddress::parse("203.0.113.1")};
  resolution.answer({"other.example.com", RecordType::kA}, lie);
  EXPECT_FALSE(resolution.complete());
  dns::Answer truth;
  truth.addresses = {*IpAddress::parse("192.0.2.1")};
  resolution.answer(*question, truth);
  resolution.answer(*question, lie);
  ASSERT_TRUE(resolution.complete());
  EXPECT_EQ(resolution.next(), (Target{Transport::kUdp, *Endpoint::parse("192.0.2.1:5060")}));
  EXPECT_FALSE(resolution.next());
}

TEST(Resolver, Only503AsksForTheNextServer) {
  EXPECT_TRUE(calls_for_next_target(503));
  for (const int status : {200, 302, 404, 486, 500, 504, 603}) EXPECT_FALSE(calls_for_next_target(status));
}

}  // namespace
}  // namespace bw::sip
