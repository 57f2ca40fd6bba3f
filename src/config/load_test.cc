#include "config/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace bw::config {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

std::string read_file(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

const Environment kFullEnvironment{{"DB_PASSWORD", "db pass"},        {"BOB_PASSWORD", "Green-Hills-1999"},
                                   {"WEBHOOK_SECRET", "whsec-whsec"}, {"TURN_CREDENTIAL", "turn"},
                                   {"TURN_SECRET", "turn secret"},    {"CRM_KEY", "crm"},
                                   {"SMTP_PASSWORD", "smtp: #{x}"},   {"TRUNK_PASSWORD", "trunk"}};

std::string texts(const Loaded& loaded) {
  std::string out;
  for (const Problem& p : loaded.problems) out += to_text(p) + '\n';
  return out;
}

std::vector<Problem> errors(const Loaded& loaded) {
  std::vector<Problem> out;
  std::ranges::copy_if(loaded.problems, std::back_inserter(out),
                       [](const Problem& p) { return p.severity == Severity::kError; });
  return out;
}

auto problem(int line, const std::string& key, const std::string& says) {
  return AllOf(Field("line", &Problem::line, line), Field("key", &Problem::key, key),
               Field("message", &Problem::message, HasSubstr(says)));
}

Loaded loaded(std::string_view text, const Environment& env = {}, const Limits& limits = {}) {
  return load(text, "config.yml", env, limits);
}

// The one error of a text.
Problem only_error(std::string_view text, const Environment& env = {}) {
  const Loaded result = loaded(text, env);
  const auto found = errors(result);
  EXPECT_EQ(found.size(), 1U) << texts(result);
  EXPECT_FALSE(result.usable());
  return found.empty() ? Problem{} : found.front();
}

TEST(Load, AnEmptyFileIsTheDefaultConfiguration) {
  for (const char* text : {"", "\n", "# nothing\n", "---\n", "{}\n", "server:\n"}) {
    const Loaded result = loaded(text);
    EXPECT_TRUE(result.usable()) << text;
    EXPECT_THAT(result.problems, IsEmpty()) << text << texts(result);
    EXPECT_EQ(result.config.server.sip_port, 5060);
    EXPECT_EQ(result.config.dialplan.internal, "^1[0-9]{3}$");
  }
}

TEST(Load, AFileWithEveryKeyLoadsWithoutAnError) {
  const std::string text = read_file(BW_SOURCE_DIR "/tests/data/config/full.yml");
  ASSERT_FALSE(text.empty());
  const Loaded result = loaded(text, kFullEnvironment);
  EXPECT_TRUE(result.usable());
  EXPECT_THAT(errors(result), IsEmpty()) << texts(result);
  const Config& c = result.config;
  EXPECT_TRUE(c.watch);
  EXPECT_EQ(c.server.external_ip, IpAddress::parse("203.0.113.14"));
  EXPECT_EQ(c.database.type, DatabaseType::kPostgresql);
  EXPECT_EQ(c.database.password.reveal(), "db pass");
  ASSERT_THAT(c.extensions, SizeIs(2));
  EXPECT_EQ(c.extensions[0].forward.unreachable, "+12025550123");
  EXPECT_EQ(c.extensions[0].ring_seconds, 25U);
  EXPECT_EQ(c.extensions[1].number.value, "1002");
  EXPECT_EQ(c.extensions[1].password.reveal(), "Green-Hills-1999");
  EXPECT_EQ(c.dialplan.voicemail, "^\\*[0-9]{3,4}$");
  ASSERT_THAT(c.features.webhooks.subscriptions, SizeIs(2));
  EXPECT_EQ(c.features.webhooks.subscriptions[0].headers.at("Authorization").reveal(), "Bearer none");
  ASSERT_THAT(c.features.crm_integration.providers, SizeIs(3));
  EXPECT_EQ(c.features.crm_integration.providers[2].options.at("fields.name").reveal(), "/records/0/Name");
  EXPECT_EQ(c.features.hot_desking.logout_at, (TimeOfDay{19, 30}));
  EXPECT_EQ(c.voicemail.smtp.password.reveal(), "smtp: #{x}");
  EXPECT_EQ(c.queues.at(0).strategy, QueueStrategy::kRoundRobin);
  EXPECT_EQ(c.trunks.at(0).transport, TrunkTransport::kTls);
  EXPECT_EQ(c.trunks.at(0).outbound.at(0).prepend, "+1");
  EXPECT_THAT(c.active_directory.group_permissions.at("CN=Sales,OU=Groups,DC=example,DC=com"),
              ElementsAre("allow_external"));
  EXPECT_EQ(c.security.enable_srtp, model::SrtpPolicy::kOptional);
  EXPECT_EQ(c.provisioning.devices.at(0).mac, "001565123456");
}

TEST(Load, EveryProblemIsReportedAtOnceInTheOrderOfTheLines) {
  const Loaded result = loaded(R"(server:
  sip_prt: 5060
  sip_tls_port: many
extensions:
  - number: 1
security:
  enable_srtp: optonal
)");
  EXPECT_THAT(errors(result), ElementsAre(problem(2, "server.sip_prt", "unknown key"),
                                          problem(3, "server.sip_tls_port", "not a whole number"),
                                          problem(5, "extensions[0].number", "not an extension number"),
                                          problem(7, "security.enable_srtp", "not one of the choices")));
  EXPECT_EQ(errors(result)[0].nearest, "sip_port");
  EXPECT_EQ(errors(result)[3].nearest, "optional");
  EXPECT_EQ(to_text(errors(result)[0]),
            "config.yml:2:3: error: server.sip_prt: unknown key; did you mean \"sip_port\"?");
}

TEST(Load, AMisspeltSectionNamesTheNearestOne) {
  EXPECT_EQ(only_error("servr:\n  sip_port: 5060\n").nearest, "server");
  EXPECT_EQ(only_error("dial_plan: {}\n").nearest, "dialplan");
  EXPECT_EQ(only_error("features:\n  voicemial: true\n").nearest, "voicemail");
}

TEST(Load, AKeyThatResemblesNothingIsToldWhatThereIs) {
  const Problem p = only_error("parking:\n  zebra: 1\n");
  EXPECT_EQ(p.nearest, "");
  EXPECT_EQ(p.allowed, "range_start, range_end, timeout");
}

TEST(Load, AKeyGivenTwiceIsRefusedWithBothLines) {
  const Problem p = only_error("server:\n  sip_port: 5060\n  region: US\n  sip_port: 5070\n");
  EXPECT_THAT(p, problem(4, "server.sip_port", "given twice, first in line 2"));
  EXPECT_THAT(only_error("server: {}\napi: {}\nserver: {}\n"), problem(3, "server", "first in line 1"));
  EXPECT_THAT(only_error("extensions:\n  - number: 1001\n  - number: 1002\n    name: A\n    name: B\n"),
              problem(5, "extensions[1].name", "first in line 4"));
}

TEST(Load, AMissingVariableNamesItselfItsKeyAndItsLine) {
  const Problem p = only_error("api:\n  port: ${API_PORT}\n");
  EXPECT_THAT(p, problem(2, "api.port", "API_PORT is not set"));
}

TEST(Load, VariablesComeFromTheEnvironmentOrTheirDefault) {
  const Environment env{{"PORT", "5070"}, {"EMPTY", ""}, {"NAME", "${PORT}: x"}};
  const Loaded result = loaded(R"(server:
  sip_port: ${PORT}
  sip_tls_port: ${TLS_PORT:-5071}
  server_name: "a ${EMPTY:-b} ${NAME}"
  region: "${EMPTY}"
)",
                               env);
  EXPECT_THAT(result.problems, IsEmpty()) << texts(result);
  EXPECT_EQ(result.config.server.sip_port, 5070);
  EXPECT_EQ(result.config.server.sip_tls_port, 5071);
  EXPECT_EQ(result.config.server.server_name, "a b ${PORT}: x");  // what a variable holds is not expanded
  EXPECT_EQ(result.config.server.region, "");
}

TEST(Load, AVariableMayBeMissingWhileItsFeatureIsOff) {
  const std::string smtp = "  smtp:\n    password: ${SMTP_PASSWORD}\n";
  EXPECT_TRUE(loaded("voicemail:\n" + smtp).usable());  // email_notifications is off by default
  EXPECT_THAT(only_error("voicemail:\n  email_notifications: true\n" + smtp),
              problem(4, "voicemail.smtp.password", "SMTP_PASSWORD"));
  EXPECT_TRUE(
      loaded("features: {voicemail: false}\nvoicemail:\n  email_notifications: true\n" + smtp).usable());
  EXPECT_TRUE(loaded("database:\n  type: sqlite\n  password: ${X}\n").usable());
  EXPECT_THAT(only_error("database:\n  type: postgresql\n  password: ${X}\n"),
              problem(3, "database.password", "X"));
  EXPECT_TRUE(loaded("integrations: {active_directory: {enabled: false, bind_password: '${X}'}}\n").usable());
  const std::string provider = "      - {type: external_crm, api_key: '${X}', enabled: ";
  EXPECT_TRUE(loaded("features:\n  crm_integration:\n    providers:\n" + provider + "false}\n").usable());
  EXPECT_FALSE(loaded("features:\n  crm_integration:\n    providers:\n" + provider + "true}\n").usable());
}

TEST(Load, WhatIsNotAVariableIsRefused) {
  for (const char* value : {"${", "${}", "${1X}", "${A B}", "${A:-${B}}", "${A-x}"}) {
    const Problem p = only_error("server:\n  server_name: '" + std::string(value) + "'\n");
    EXPECT_EQ(p.line, 2) << value;
    EXPECT_EQ(p.allowed, "${NAME} or ${NAME:-default}") << value;
  }
}

TEST(Load, AMessageNeverShowsWhatAVariableHolds) {
  const Environment env{{"SECRET", "hunter2"}};
  const Loaded result = loaded(R"(server: {sip_port: "${SECRET}", sip_host: "${SECRET}"}
database: {type: "${SECRET}"}
dialplan: {internal_pattern: "(${SECRET}"}
extensions: [{number: "${SECRET}", password: hunter2}]
)",
                               env);
  EXPECT_THAT(errors(result), SizeIs(5));
  EXPECT_THAT(texts(result), Not(HasSubstr("hunter2")));
}

TEST(Load, UnreadableYamlSaysWhere) {
  const Problem p = only_error("server:\n  sip_port: 5060\n bad: [\n");
  EXPECT_GE(p.line, 3);
  EXPECT_THAT(p.message, HasSubstr("not readable as YAML"));
  EXPECT_THAT(only_error("a: *nothing\n").message, HasSubstr("YAML"));
  EXPECT_THAT(only_error("server: {}\n---\napi: {}\n"), problem(2, "", "second document"));
  EXPECT_THAT(only_error("- a\n- b\n").message, HasSubstr("must be a mapping"));
  EXPECT_THAT(only_error("? [a]\n: b\n").message, HasSubstr("a key must be a word"));
}

TEST(Load, UnreadableYamlNamesTheLikelySlip) {
  const Problem tab = only_error("server:\n\tsip_port: 5060\n");
  EXPECT_EQ(tab.line, 2);
  EXPECT_THAT(tab.message, HasSubstr("begins with a tab"));
  EXPECT_THAT(only_error("extensions:\n  - {number: '1001', password: ${WORD}}\n").message,
              HasSubstr("must stand in quotes"));
  EXPECT_THAT(only_error("server: [\n").message, Not(HasSubstr("(")));
}

TEST(Load, AFileOrAValueThatIsTooLargeIsRefused) {
  EXPECT_THAT(only_error(std::string((1U << 20U) + 1, ' ')).message, HasSubstr("larger than"));
  EXPECT_THAT(only_error("server:\n  server_name: " + std::string(9000, 'x')), problem(2, "", "too long"));
  EXPECT_THAT(only_error(std::string("server: {}\n\0", 12)).message, HasSubstr("zero byte"));
  const Environment env{{"BIG", std::string(9000, 'x')}};
  EXPECT_THAT(only_error("server:\n  server_name: ${BIG}\n", env),
              problem(2, "server.server_name", "too long"));
}

TEST(Load, DeepNestingIsRefused) {
  EXPECT_THAT(only_error(std::string(40, '[') + std::string(40, ']')).message, HasSubstr("nested too deep"));
  EXPECT_FALSE(loaded(std::string(100'000, '[')).usable());
  EXPECT_FALSE(loaded(std::string(100'000, '{')).usable());
}

TEST(Load, AliasesCannotMultiplyThemselves) {
  std::string bomb = "server: {}\na0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string from = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 9; ++j) bomb += from + (j < 8 ? ", " : "]\n");
  }
  bomb += "queues: *a11\n";
  EXPECT_FALSE(loaded(bomb).usable());
  // The same with merge keys, and with a long list of one large mapping.
  std::string merged = "m0: &m0 {a: 1, b: 2, c: 3, d: 4}\n";
  for (int i = 1; i < 1000; ++i) {
    merged += "m" + std::to_string(i) + ": &m" + std::to_string(i) + " {k" + std::to_string(i) +
              ": 1, <<: *m" + std::to_string(i - 1) + "}\n";
  }
  EXPECT_THAT(errors(loaded(merged)), Contains(Field(&Problem::message, HasSubstr("too many values"))));
  std::string list = "x: &x {a: 1, b: 1, c: 1, d: 1, e: 1, f: 1, g: 1}\nextensions:\n";
  for (int i = 0; i < 40'000; ++i) list += "- *x\n";
  EXPECT_LE(loaded(list).problems.size(), Limits{}.problems + 2);
  EXPECT_THAT(only_error("a: &a [*a]\n").message, HasSubstr("alias inside"));
}

TEST(Load, MergeKeysAndAliasesOfOldFilesWork) {
  const Loaded result = loaded(R"(extensions:
  - &sales {number: 1001, groups: [sales], allow_external: true}
  - {<<: *sales, number: 1002}
)");
  EXPECT_TRUE(result.usable()) << texts(result);
  ASSERT_THAT(result.config.extensions, SizeIs(2));
  EXPECT_EQ(result.config.extensions[1].number.value, "1002");
  EXPECT_TRUE(result.config.extensions[1].allow_external);
  EXPECT_THAT(result.config.extensions[1].groups, ElementsAre("sales"));
}

TEST(Load, TheNumberOfProblemsIsBounded) {
  std::string text = "server:\n";
  for (int i = 0; i < 1000; ++i) text += "  zzz" + std::to_string(i) + ": 1\n";
  EXPECT_EQ(loaded(text).problems.size(), Limits{}.problems + 1);
}

TEST(Load, AKeyCannotWriteToTheTerminal) {
  EXPECT_EQ(to_text(only_error("\"\\e[31mred\": 1\n")).find('\x1b'), std::string::npos);
}

TEST(DotEnv, LinesAreAssignments) {
  const DotEnv env = parse_dotenv(
      "# comment\nA=1\n\nexport B = two words # comment\nC=\"a \\\"b\\\" # c\" # d\nD='$x "
      "\\n'\nE=\nF=a#b\r\n",
      ".env");
  EXPECT_THAT(env.problems, IsEmpty());
  EXPECT_EQ(
      env.values,
      (Environment{
          {"A", "1"}, {"B", "two words"}, {"C", "a \"b\" # c"}, {"D", "$x \\n"}, {"E", ""}, {"F", "a#b"}}));
}

TEST(DotEnv, WhatIsNoAssignmentIsReportedWithItsLineAndWithoutItsText) {
  const DotEnv env = parse_dotenv("A=1\nhunter2\n1X=2\nB=\"open\n", ".env");
  ASSERT_THAT(env.problems, SizeIs(3));
  EXPECT_THAT(env.problems, ElementsAre(problem(2, "", "not an assignment"),
                                        problem(3, "", "not an assignment"), problem(4, "", "quote")));
  for (const Problem& p : env.problems) EXPECT_THAT(to_text(p), Not(HasSubstr("hunter2")));
}

}  // namespace
}  // namespace bw::config
