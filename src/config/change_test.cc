// Changes that come from outside the file: what is written, and what is left alone.
#include "config/change.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "config/document.h"

namespace bw::config {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const Environment kEnvironment{{"DB_PASSWORD", "geheim"}, {"NAME", "Head office"}};

Loaded loaded(const std::string& text) {
  return load(text, "config.yml", kEnvironment);
}

Change changed(const std::string& file, const char* patch) {
  return change(file, document(loaded(file).config), json::parse(patch).as_object());
}

json::object after(const Change& c) {
  const Loaded l = loaded(c.text);
  EXPECT_TRUE(l.usable()) << c.text << (l.problems.empty() ? "" : to_text(l.problems[0]));
  return document(l.config);
}

constexpr const char* kFile = R"(# Our office
server:
  server_name: ${NAME}   # from outside
  sip_port: 5070

# how much we say
logging: {level: INFO}
database:
  type: postgresql
  password: ${DB_PASSWORD}
extensions:
  - number: '1001'
    password: First-Secret-1!
  - number: '0100'
    name: "yes"
    password: Second-Secret-1!
)";

TEST(Document, OfAnEmptyFileReadsBackAsTheSame) {
  const json::object all = document(Config{});
  const Loaded l = loaded(json::serialize(all));
  for (const Problem& p : l.problems) EXPECT_EQ(p.severity, Severity::kWarning) << to_text(p);
  EXPECT_EQ(json::serialize(document(l.config)), json::serialize(all));
  EXPECT_EQ(all.at("server").at("sip_port"), 5060);
  EXPECT_EQ(all.at("server").at("external_ip"), "auto");
  EXPECT_EQ(all.at("security").at("enable_srtp"), "optional");
  EXPECT_EQ(all.at("features").at("crm_integration").at("providers").at(0).at("type"), "phone_book");
}

TEST(Document, ShowsNoSecret) {
  const Loaded l = loaded(R"(
database: {type: postgresql, password: Hidden-1}
extensions: [{number: '1001', password: Hidden-2, voicemail_pin: '482913'}]
trunks: [{name: a, host: b.example, password: Hidden-3}]
voicemail: {email_notifications: true, smtp: {host: m.example, password: Hidden-4}}
integrations: {active_directory: {bind_password: Hidden-5}}
features:
  webrtc: {turn_secret: Hidden-6, turn_servers: [{url: 'turn:t.example', credential: Hidden-7}]}
  webhooks: {subscriptions: [{url: 'https://x.example', secret: Hidden-8, headers: {Authorization: Hidden-9}}]}
  crm_integration: {providers: [{type: sql, api_key: Hidden-10, dsn: Hidden-11}]}
)");
  ASSERT_TRUE(l.usable()) << to_text(l.problems.at(0));
  const std::string text = json::serialize(document(l.config));
  EXPECT_THAT(text, Not(HasSubstr("Hidden")));
  EXPECT_THAT(text, Not(HasSubstr("482913")));
  EXPECT_THAT(text, HasSubstr(R"("dsn":"********")"));
}

TEST(Change, WritesOneValueAndLeavesEveryOtherWordOfTheFile) {
  const Change c = changed(kFile, R"({"logging": {"level": "DEBUG"}})");
  EXPECT_THAT(c.keys, ElementsAre("logging.level"));
  EXPECT_THAT(c.text, HasSubstr("# Our office\nserver:\n  server_name: ${NAME}   # from outside"));
  EXPECT_THAT(c.text, HasSubstr("\n\n# how much we say\nlogging:"));
  EXPECT_THAT(c.text, HasSubstr("password: ${DB_PASSWORD}\n"));
  EXPECT_EQ(after(c).at("logging").at("level"), "DEBUG");
}

TEST(Change, OfTheWholeDocumentWithOneValueAlteredIsThatOne) {
  json::object all = document(loaded(kFile).config);
  all["server"].as_object()["sip_port"] = 5080;
  const Change c = change(kFile, document(loaded(kFile).config), all);
  EXPECT_THAT(c.keys, ElementsAre("server.sip_port"));
  EXPECT_THAT(c.text, HasSubstr("${NAME}"));
  EXPECT_THAT(c.text, HasSubstr("${DB_PASSWORD}"));
  EXPECT_EQ(json::serialize(after(c)), json::serialize(all));
}

TEST(Change, OfNothingLeavesTheTextAlone) {
  const Change c = changed(kFile, R"({"server": {"sip_port": 5070}, "database": {"password": "********"}})");
  EXPECT_THAT(c.keys, IsEmpty());
  EXPECT_EQ(c.text, kFile);
}

TEST(Change, MaskedSecretsOfAListStayWithTheirItem) {
  const Change c = changed(kFile, R"({"extensions": [
      {"number": "0100", "name": "no", "password": "********"},
      {"number": "1003", "password": "Third-Secret-1!"},
      {"number": "1001", "password": "********", "ring_seconds": 20}]})");
  EXPECT_THAT(c.problems, IsEmpty());
  const Loaded l = loaded(c.text);
  ASSERT_EQ(l.config.extensions.size(), 3U);
  EXPECT_EQ(l.config.extensions[0].number.value, "0100");
  EXPECT_EQ(l.config.extensions[0].name.reveal(), "no");
  EXPECT_EQ(l.config.extensions[0].password.reveal(), "Second-Secret-1!");
  EXPECT_EQ(l.config.extensions[1].password.reveal(), "Third-Secret-1!");
  EXPECT_EQ(l.config.extensions[2].password.reveal(), "First-Secret-1!");
  EXPECT_EQ(l.config.extensions[2].ring_seconds, 20U);
}

TEST(Change, AMaskWithoutASecretAndAVariableAreRefused) {
  const Change mask = changed(kFile, R"({"voicemail": {"smtp": {"password": "********"}}})");
  ASSERT_EQ(mask.problems.size(), 1U);
  EXPECT_EQ(mask.problems[0].key, "voicemail.smtp.password");
  const Change item = changed(kFile, R"({"extensions": [{"number": "1009", "password": "********"}]})");
  ASSERT_EQ(item.problems.size(), 1U);
  EXPECT_EQ(item.problems[0].key, "extensions[0].password");
  const Change variable = changed(kFile, R"({"server": {"server_name": "${DB_PASSWORD}"}})");
  ASSERT_EQ(variable.problems.size(), 1U);
  EXPECT_EQ(variable.problems[0].key, "server.server_name");
}

TEST(Change, NullGivesTheDefaultBack) {
  const Change c = changed(kFile, R"({"server": {"sip_port": null}, "logging": {"file": null}})");
  EXPECT_THAT(c.keys, ElementsAre("server.sip_port"));
  EXPECT_EQ(after(c).at("server").at("sip_port"), 5060);
  EXPECT_EQ(after(c).at("server").at("server_name"), "Head office");
}

TEST(Change, NewSectionsComeAtTheEndAlsoOfAnEmptyFile) {
  for (const std::string file : {"", "# nothing\n", kFile}) {
    const Change c = changed(file, R"({"events": {"retention_days": 7}, "watch": true})");
    EXPECT_THAT(c.keys, ElementsAre("events.retention_days", "watch"));
    EXPECT_TRUE(c.text.starts_with(file)) << c.text;
    EXPECT_EQ(after(c).at("events").at("retention_days"), 7);
    EXPECT_EQ(after(c).at("watch"), true);
  }
}

TEST(Change, WorksOnFilesInOneLineAndWithAnchors) {
  const Change line = changed("{server: {sip_port: 5070}, watch: true}", R"({"server": {"sip_port": 5071}})");
  EXPECT_EQ(after(line).at("server").at("sip_port"), 5071);
  EXPECT_EQ(after(line).at("watch"), true);
  const Change anchors = changed("server: {server_name: &n Hello}\nmusic_on_hold: {default_class: *n}\n",
                                 R"({"server": {"server_name": "Bye"}})");
  EXPECT_EQ(after(anchors).at("server").at("server_name"), "Bye");
}

TEST(Change, WhatOnlyTheLoaderKnowsIsWrongIsLeftToIt) {
  const Change c = changed(kFile, R"({"server": {"sip_prt": 1, "sip_port": "many"}})");
  EXPECT_THAT(c.problems, IsEmpty());
  EXPECT_FALSE(loaded(c.text).usable());
}

}  // namespace
}  // namespace bw::config
