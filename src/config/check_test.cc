// Each rule about values: one text that breaks it, the line it is reported in, and one that keeps it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "config/extensions.h"
#include "config/load.h"

namespace bw::config {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct Rule {
  const char* text;
  int line;
  const char* key;
  const char* says;
};

std::string all(const Loaded& loaded) {
  std::string out;
  for (const Problem& p : loaded.problems) out += to_text(p) + '\n';
  return out;
}

class BreaksARule : public testing::TestWithParam<Rule> {};

TEST_P(BreaksARule, AndIsToldWhereAndWhy) {
  const Rule& rule = GetParam();
  const Loaded result = load(rule.text, "c.yml", {});
  EXPECT_FALSE(result.usable());
  ASSERT_THAT(result.problems, SizeIs(1)) << all(result);
  EXPECT_EQ(result.problems[0].line, rule.line) << all(result);
  EXPECT_EQ(result.problems[0].key, rule.key);
  EXPECT_THAT(result.problems[0].message, HasSubstr(rule.says));
}

const Rule kValues[] = {
    {"server:\n  sip_port: 0\n", 2, "server.sip_port", "out of range"},
    {"server:\n  sip_port: 65536\n", 2, "server.sip_port", "out of range"},
    {"server:\n  sip_port: 99999999999999999999\n", 2, "server.sip_port", "not a whole number"},
    {"server:\n  sip_port: -1\n", 2, "server.sip_port", "not a whole number"},
    {"server:\n  sip_port: [5060]\n", 2, "server.sip_port", "single value"},
    {"server:\n  sip_host: here\n", 2, "server.sip_host", "not an address"},
    {"server:\n  sip_host:\n    - 127.0.0.1\n    - 224.0.0.1\n", 4, "server.sip_host[1]", "not an address"},
    {"server:\n  external_ip: office.example.com\n", 2, "server.external_ip", "not an address"},
    {"server: 5060\n", 1, "server", "must be a mapping"},
    {"extensions: {}\n", 1, "extensions", "must be a list"},
    {"extensions:\n  - 1001\n", 2, "extensions[0]", "must be a mapping"},
    {"extensions:\n  - name: Alice\n", 2, "extensions[0].number", "missing"},
    {"extensions:\n  - number: 12345678901\n", 2, "extensions[0].number", "not an extension number"},
    {"extensions:\n  - number: 1001\n  - number: 1002\n  - number: '1001'\n", 4, "extensions[2].number",
     "already that of extensions[0].number"},
    {"extensions:\n  - number: 1001\n    forward:\n      busy: bob\n", 4, "extensions[0].forward.busy",
     "cannot be dialled"},
    {"extensions:\n  - number: 1001\n    ring_seconds: 4\n", 3, "extensions[0].ring_seconds", "out of range"},
    {"extensions:\n  - number: 1001\n    ring_seconds: 601\n", 3, "extensions[0].ring_seconds", "out of range"},
    {"voicemail:\n  no_answer_timeout: 601\n", 2, "voicemail.no_answer_timeout", "out of range"},
    {"extensions:\n  - number: 1001\n    name: \"a\\nb\"\n", 3, "extensions[0].name", "control character"},
    {"extensions:\n  - number: 1001\n    name: \"a\\x9bb\"\n", 3, "extensions[0].name", "control character"},
    {"dialplan:\n  internal_pattern: \"^(1\"\n", 2, "dialplan.internal_pattern", "not a pattern"},
    {"dialplan:\n  queue_pattern: \"(?=8)\"\n", 2, "dialplan.queue_pattern", "not a pattern"},
    {"features:\n  call_hold: maybe\n", 2, "features.call_hold", "not one of the choices"},
    {"features:\n  max_call_duration: 2h\n", 2, "features.max_call_duration", "not a whole number"},
    {"features:\n  hot_desking:\n    logout_at: 24:00\n", 3, "features.hot_desking.logout_at", "time of day"},
    {"features:\n  crm_integration:\n    enabled: false\n    providers:\n      - api_kye: x\n", 5,
     "features.crm_integration.providers[0].api_kye", "unknown key"},
    {"security:\n  trusted_networks:\n    - 10.0.0.0/8\n    - 10.0.0.0/33\n", 4,
     "security.trusted_networks[1]", "not a network"},
    {"security:\n  digest_algorithms: [SHA-512]\n", 2, "security.digest_algorithms[0]",
     "not one of the choices"},
    {"integrations:\n  active_directory:\n    server: dc.example.com\n", 3,
     "integrations.active_directory.server", "not an address of that kind"},
    {"logging:\n  level: LOUD\n", 2, "logging.level", "not one of the choices"},
};
TEST(Check, WarnsOfForwardsThatCannotArrive) {
  const Loaded l = load(R"(extensions:
  - number: 1001
    forward:
      always: 1001
  - number: 1002
    forward:
      always: 1003
  - number: 1003
    forward:
      busy: 1777
      no_answer: 1002
  - number: 1004
    ring_seconds: 0
    forward:
      unreachable: 1003
)",
                        "c.yml", {});
  EXPECT_TRUE(l.usable());
  ASSERT_THAT(l.problems, SizeIs(3)) << all(l);
  EXPECT_EQ(l.problems[0].line, 4);
  EXPECT_THAT(l.problems[0].message, HasSubstr("to itself"));
  EXPECT_EQ(l.problems[1].line, 10);
  EXPECT_THAT(l.problems[1].message, HasSubstr("no extension 1777"));
  EXPECT_EQ(l.problems[2].line, 11);
  EXPECT_THAT(l.problems[2].message, HasSubstr("a circle"));
}

INSTANTIATE_TEST_SUITE_P(Value, BreaksARule, testing::ValuesIn(kValues));

const Rule kTogether[] = {
    {"server:\n  sip_port: 8080\n", 2, "server.sip_port", "also that of"},
    {"server:\n  sip_host: 127.0.0.1\n  sip_tls_port: 5060\n", 3, "server.sip_tls_port", "server.sip_port"},
    {"api:\n  tls_port: 8080\n", 2, "api.tls_port", "also that of api.port"},
    {"server:\n  sip_host: '::'\napi:\n  port: 5060\n", 4, "api.port", "also that of server.sip_port"},
    {"server:\n  rtp_port_range_start: 10001\n", 2, "server.rtp_port_range_start", "must be even"},
    {"server:\n  rtp_port_range_start: 30000\n", 2, "server.rtp_port_range_start", "too small"},
    {"server:\n  rtp_port_range_end: 10002\n", 2, "server.rtp_port_range_end", "too small"},
    {"server:\n  sip_port: 15060\n", 2, "server.sip_port", "range of RTP ports"},
    {"server:\n  webrtc_port: 5060\n", 2, "server.webrtc_port", "also that of"},
    {"prompts:\n  directory: sounds\n", 2, "prompts.directory", "not an absolute path"},
    {"security:\n  require_authentication: false\n", 2, "security.require_authentication", "loopback"},
    {"server:\n  sip_host: 127.0.0.1\nsecurity:\n  require_authentication: false\n", 4,
     "security.require_authentication", "loopback"},
    {"api:\n  tls_cert_file: a.pem\n", 2, "api.tls_cert_file", "needs api.tls_key_file"},
    {"security:\n  tls_key_file: a.key\n", 2, "security.tls_key_file", "needs security.tls_cert_file"},
    {"security:\n  digest_algorithms: []\n", 2, "security.digest_algorithms", "at least one"},
    {"security:\n  digest_algorithms: [MD5, md5]\n", 2, "security.digest_algorithms", "twice"},
    {"security:\n  password:\n    min_length: 100\n    max_length: 50\n", 3, "security.password.min_length",
     "larger"},
    {"security:\n  audit:\n    log_to_file: true\n", 3, "security.audit.log_to_file", "log_file"},
    {"api:\n  cors_origins: ['https://a.example', 'null']\n", 2, "api.cors_origins", "not the origin"},
    {"api:\n  cors_origins: ['https://a.example/page']\n", 2, "api.cors_origins", "not the origin"},
    {"emergency:\n  numbers: [911, nine]\n", 2, "emergency.numbers[1]", "not an extension number"},
};
INSTANTIATE_TEST_SUITE_P(Together, BreaksARule, testing::ValuesIn(kTogether));

TEST(Check, RulesThatNameOneAnotherAreFollowed) {
  const char* kRight[] = {
      "server: {sip_host: 127.0.0.1}\napi: {host: 127.0.0.2, port: 5060}\n",
      "server: {sip_host: ['::1']}\napi: {host: localhost}\nsecurity: {require_authentication: no}\n",
      "server:\n  rtp_port_range_start: 40000\n  rtp_port_range_end: 40999\n",
      "security:\n  enable_tls: false\nserver:\n  sip_tls_port: 5060\n",
      "api: {tls_cert_file: a, tls_key_file: b}\n",
      "features: {call_hold: Off, call_transfer: YES}\n",
      "api: {enable_cors: true}\n",
  };
  for (const char* text : kRight) {
    const Loaded result = load(text, "c.yml", {});
    EXPECT_THAT(result.problems, IsEmpty()) << text << all(result);
  }
}

// Warnings: usable, one line each.
TEST(Check, AWeakPasswordIsAWarningThatDoesNotShowIt) {
  const Loaded result = load("extensions:\n  - number: 1001\n    password: abc123\n", "c.yml", {});
  EXPECT_TRUE(result.usable());
  ASSERT_THAT(result.problems, SizeIs(1));
  EXPECT_EQ(to_text(result.problems[0]),
            "c.yml:3:5: warning: extensions[0].password: a weak password "
            "(allowed: at least 12 characters, a capital letter, a special character)");
  EXPECT_THAT(load("security: {password: {min_length: 4, require_uppercase: no, require_special: no}}\n"
                   "extensions:\n  - {number: 1001, password: abc123}\n",
                   "c.yml", {})
                  .problems,
              IsEmpty());
}

TEST(Check, WhatThisVersionDoesNotDoIsAWarningOnlyWhenAskedFor) {
  EXPECT_THAT(
      load("features: {conference: false, webrtc: {enabled: no}}\nqueues: []\n", "c.yml", {}).problems,
      IsEmpty());
  const Loaded result = load("features:\n  conference: true\nqueues:\n  - number: 8001\n", "c.yml", {});
  EXPECT_TRUE(result.usable());
  ASSERT_THAT(result.problems, SizeIs(2)) << all(result);
  EXPECT_EQ(result.problems[0].line, 2);
  EXPECT_EQ(result.problems[0].key, "features.conference");
  EXPECT_EQ(result.problems[1].line, 3);
  EXPECT_EQ(result.problems[1].key, "queues");
}

TEST(Check, ANarrowRtpRangeIsAWarning) {
  const Loaded result =
      load("server: {rtp_port_range_start: 40000, rtp_port_range_end: 40039}\n", "c.yml", {});
  EXPECT_TRUE(result.usable());
  ASSERT_THAT(result.problems, SizeIs(1));
  EXPECT_THAT(result.problems[0].message, HasSubstr("10 calls"));
}

TEST(Settings, TheCallLogicIsToldWhatTheFileSays) {
  const Loaded result = load(R"(server: {sip_host: ['127.0.0.1', '::'], external_ip: auto, sip_port: 5070}
features: {call_transfer: off, max_call_duration: 60}
voicemail: {no_answer_timeout: 20}
security: {enable_srtp: required, digest_algorithms: [SHA-256, MD5], rate_limit: {lockout_duration: 60},
           calls_per_extension: 7}
events: {dtmf: true}
extensions: [{number: 1001, name: Alice}, {number: 1002, ring_seconds: 45}]
)",
                             "c.yml", {});
  ASSERT_TRUE(result.usable()) << all(result);
  const auto s =
      to_settings(result.config, {*IpAddress::parse("2001:db8::5"), *IpAddress::parse("192.0.2.5")});
  EXPECT_THAT(s.local_addresses,
              testing::ElementsAre(*IpAddress::parse("127.0.0.1"), *IpAddress::parse("192.0.2.5"),
                                   *IpAddress::parse("2001:db8::5")));
  EXPECT_FALSE(s.external_ip);
  EXPECT_EQ(s.sip_port, 5070);
  EXPECT_FALSE(s.transfer_enabled);
  EXPECT_TRUE(s.hold_enabled);
  EXPECT_TRUE(s.dtmf_events);
  EXPECT_EQ(s.calls_per_extension, 7U);
  EXPECT_EQ(s.max_call_duration, 60s);
  EXPECT_EQ(s.no_answer_timeout, 20s);
  EXPECT_EQ(s.srtp, model::SrtpPolicy::kRequired);
  EXPECT_EQ(s.rate_limit.lockout, 60s);
  EXPECT_THAT(s.digest_algorithms,
              testing::ElementsAre(model::DigestAlgorithm::kSha256, model::DigestAlgorithm::kMd5));
  EXPECT_EQ(to_extension(result.config.extensions[0]).ring_seconds, 0U);  // as no_answer_timeout says
  EXPECT_EQ(to_extension(result.config.extensions[1]).ring_seconds, 45U);
}

model::Extension alice() {
  model::Extension e;
  e.number = model::ExtensionNumber("0100");
  e.name = Personal<std::string>("Alice \"Al\" \xC3\x89xample: #1\n- x");
  e.email = Personal<std::string>("alice@example.com");
  e.credentials.ha1_md5 = Secret<std::string>("00112233445566778899aabbccddeeff");
  e.allow_external = true;
  e.ring_seconds = 25;
  e.forward.busy = "*1001";
  e.groups = {"yes", "sales, all"};
  return e;
}

TEST(Export, WhatIsWrittenIsReadBackAndHoldsNoCredential) {
  model::Extension bob;
  bob.number = model::ExtensionNumber("1002");
  bob.ring_seconds = 0;
  model::Extension a = alice();
  a.name = Personal<std::string>("Alice \"Al\" \xC3\x89xample: #1");
  const std::vector<model::Extension> extensions{a, bob};
  const std::string yaml = write_yaml(extensions);
  EXPECT_THAT(yaml, testing::Not(HasSubstr("00112233")));
  EXPECT_THAT(yaml, HasSubstr("Passwords are not here"));
  const Loaded result = load(yaml, "export.yml", {});
  EXPECT_TRUE(result.usable()) << yaml << all(result);
  ASSERT_THAT(result.config.extensions, SizeIs(2));
  std::vector<model::Extension> back;
  for (const ExtensionEntry& e : result.config.extensions) back.push_back(to_extension(e));
  EXPECT_THAT(differences(back, extensions), IsEmpty());
  EXPECT_TRUE(load(write_yaml({}), "export.yml", {}).usable());
}

TEST(Export, ANameCannotBreakOutOfItsPlace) {
  const std::vector<model::Extension> extensions{alice()};
  const Loaded result = load(write_yaml(extensions), "export.yml", {});
  EXPECT_THAT(result.config.extensions,
              SizeIs(1));  // the line break is refused as a value, not as a structure
}

TEST(Differences, EachIsToldOnceAndCredentialsWithoutTheirValue) {
  model::Extension in_file = alice();
  model::Extension in_database = alice();
  in_database.ring_seconds = 30;
  in_database.credentials.ha1_md5 = Secret<std::string>("ffeeddccbbaa99887766554433221100");
  model::Extension only_file;
  only_file.number = model::ExtensionNumber("1005");
  model::Extension only_database;
  only_database.number = model::ExtensionNumber("1006");
  const auto found = differences(std::vector{in_file, only_file}, std::vector{in_database, only_database});
  std::vector<std::string> texts;
  for (const Difference& d : found) texts.push_back(to_text(d));
  EXPECT_THAT(texts,
              testing::ElementsAre("extension 0100: ring_seconds: the file says \"25\", the database \"30\"",
                                   "extension 0100: password: the database has another one than the file",
                                   "extension 1005: the file says present, the database absent",
                                   "extension 1006: the file says absent, the database present"));
  in_file.credentials = {};  // no password in the file: nothing to compare
  EXPECT_THAT(differences(std::vector{in_file}, std::vector{in_database}), SizeIs(1));
}

}  // namespace
}  // namespace bw::config
