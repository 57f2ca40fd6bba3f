// Every route by a table: what goes in, what comes out, and what must never come out.
#include <gtest/gtest.h>

#include "api/json.h"
#include "api/test_services.h"
#include "sip/digest.h"

namespace bw::api {
namespace {

namespace json = boost::json;

struct Case {
  const char* method;
  const char* target;
  const char* body;
  int status;
  const char* code;   // "" for success
  const char* field;  // "" if none
};

class Refusals : public testing::TestWithParam<Case> {};

TEST_P(Refusals, AreWordsWithACodeAndTheField) {
  FakeServices services;
  const Case& c = GetParam();
  const Answer a = call(services, c.method, c.target, c.body);
  EXPECT_EQ(a.status, c.status) << a.text;
  ASSERT_TRUE(a.value.is_object()) << a.text;
  const json::object& o = a.value.as_object();
  ASSERT_TRUE(o.contains("code")) << a.text;
  EXPECT_EQ(o.at("code"), c.code) << a.text;
  EXPECT_FALSE(o.at("error").as_string().empty());
  EXPECT_EQ(o.contains("field") ? std::string(o.at("field").as_string()) : "", c.field) << a.text;
  EXPECT_TRUE(services.changes.empty());
}

INSTANTIATE_TEST_SUITE_P(
    Table, Refusals,
    testing::Values(
        Case{"GET", "/", "", 404, "not_found", ""}, Case{"GET", "/api/extensions/", "", 404, "not_found", ""},
        Case{"GET", "/api/extensions/1001/x", "", 404, "not_found", ""},
        Case{"DELETE", "/api/status", "", 405, "method_not_allowed", ""},
        Case{"GET", "/api/extensions/1999", "", 404, "not_found", "number"},
        Case{"PUT", "/api/extensions/1999", "{}", 404, "not_found", "number"},
        Case{"DELETE", "/api/extensions/1999", "", 404, "not_found", "number"},
        Case{"GET", "/api/registered-phones/extension/1999", "", 404, "not_found", "number"},
        Case{"POST", "/api/extensions", "{", 400, "bad_json", ""},
        Case{"POST", "/api/extensions", "[]", 400, "bad_json", ""},
        Case{"POST", "/api/extensions", "", 400, "missing_field", "number"},
        Case{"POST", "/api/extensions", R"({"number":5})", 400, "bad_request", "number"},
        Case{"POST", "/api/extensions", R"({"number":"1"})", 400, "bad_request", "number"},
        Case{"POST", "/api/extensions", R"({"number":"12345678901"})", 400, "bad_request", "number"},
        Case{"POST", "/api/extensions", R"({"number":"10a2"})", 400, "bad_request", "number"},
        Case{"POST", "/api/extensions", R"({"number":"1001"})", 409, "conflict", "number"},
        Case{"POST", "/api/extensions", R"({"number":"1002","colour":"red"})", 400, "unknown_field",
             "colour"},
        Case{"POST", "/api/extensions", R"({"number":"1002","a":1,"b":2})", 400, "unknown_field", "a, b"},
        Case{"POST", "/api/extensions", R"({"number":"1002","password":"short"})", 400, "weak_password",
             "password"},
        Case{"POST", "/api/extensions", R"({"number":"1002","ring_seconds":601})", 400, "bad_request",
             "ring_seconds"},
        Case{"POST", "/api/extensions", R"({"number":"1002","ring_seconds":1.5})", 400, "bad_request",
             "ring_seconds"},
        Case{"POST", "/api/extensions", R"({"number":"1002","record":"yes"})", 400, "bad_request", "record"},
        Case{"POST", "/api/extensions", R"({"number":"1002","name":"a\u0000b"})", 400, "bad_request", "name"},
        Case{"POST", "/api/extensions", R"({"number":"1002","forward":{"never":"1"}})", 400, "unknown_field",
             "forward.never"},
        Case{"POST", "/api/extensions", R"({"number":"1002","forward":{"busy":1}})", 400, "bad_request",
             "forward.busy"},
        Case{"POST", "/api/extensions", R"({"number":"1002","groups":["a",2]})", 400, "bad_request",
             "groups"},
        Case{"PUT", "/api/extensions/1001", R"({"number":"1002"})", 400, "bad_request", "number"},
        Case{"POST", "/api/call", R"({"from":"1001"})", 400, "missing_field", "to"},
        Case{"POST", "/api/call", R"({"from":"1001","to":"1002","x":1})", 400, "unknown_field", "x"},
        Case{"POST", "/api/call/hangup", "{}", 400, "missing_field", "call_id"},
        Case{"GET", "/api/cdr?limit=0", "", 400, "bad_request", "limit"},
        Case{"GET", "/api/cdr?limit=1001", "", 400, "bad_request", "limit"},
        Case{"GET", "/api/cdr?limit=x", "", 400, "bad_request", "limit"},
        Case{"GET", "/api/cdr?limti=5", "", 400, "unknown_field", "limti"},
        Case{"POST", "/api/backup", R"({"file":"relative"})", 400, "bad_request", "file"}));

TEST(Router, NamesTheMethodsAPathTakes) {
  FakeServices services;
  const Answer a = call(services, "PATCH", "/api/extensions/1001");
  EXPECT_EQ(a.headers, (std::vector<std::pair<std::string, std::string>>{{"Allow", "GET, PUT, DELETE"}}));
}

TEST(Permission, NobodyReachesNothingButWhatNeedsNoLogin) {
  FakeServices services;
  EXPECT_EQ(call(services, "GET", "/health", {}, {}).status, 200);
  for (const Route& r : routes()) {
    if (r.who == Who::kAnyone) continue;
    EXPECT_EQ(call(services, std::string(r.method), std::string(r.pattern), {}, {}).status, 401) << r.pattern;
  }
}

TEST(Permission, EachRoleMayWhatTheTableSays) {
  for (const Route& r : routes()) {
    for (const access::Role role : {access::Role::kUser, access::Role::kSupervisor, access::Role::kAdmin}) {
      const bool may = r.who == Who::kAnyone ||
                       (r.who != Who::kOperator && static_cast<int>(role) + 1 >= static_cast<int>(r.who));
      EXPECT_EQ(!objection_to(as(role), r).has_value(), may) << r.id << " as " << access::name_of(role);
    }
  }
}

TEST(Permission, AnApiKeyNeedsTheScopeAndTheRole) {
  access::Principal key = as(access::Role::kAdmin);
  key.way = access::Way::kKey;
  key.scopes = {"calls:read"};
  FakeServices services;
  services.reply = ports::Calls{};
  EXPECT_EQ(call(services, "GET", "/api/calls", {}, key).status, 200);
  EXPECT_EQ(call(services, "POST", "/api/call", R"({"from":"1001","to":"1002"})", key).status, 403);
  key.scopes = {"*"};
  services.reply = ports::Status{};
  EXPECT_EQ(call(services, "GET", "/api/status", {}, key).status, 200);
  key.role = access::Role::kUser;
  EXPECT_EQ(call(services, "GET", "/api/status", {}, key).status, 403);
}

TEST(Permission, AUserSeesAndTouchesOnlyItsOwnThings) {
  FakeServices services;
  const access::Principal other = as(access::Role::kUser, "1002");
  const access::Principal alice = as(access::Role::kUser, "1001");
  EXPECT_EQ(call(services, "GET", "/api/extensions/1001", {}, alice).status, 200);
  EXPECT_EQ(call(services, "GET", "/api/extensions/1001", {}, other).status, 403);
  EXPECT_EQ(call(services, "GET", "/api/extensions", {}, other).value.as_array().size(), 0u);
  EXPECT_EQ(call(services, "GET", "/api/registered-phones", {}, alice).value.as_array().size(), 1u);
  EXPECT_EQ(call(services, "GET", "/api/registered-phones", {}, other).value.as_array().size(), 0u);
  EXPECT_EQ(call(services, "POST", "/api/call", R"({"from":"1001","to":"1002"})", other).status, 403);
  EXPECT_EQ(call(services, "GET", "/api/cdr?extension=1001", {}, other).status, 403);
  EXPECT_EQ(call(services, "GET", "/api/cdr", {}, other).status, 200);
  EXPECT_EQ(services.record_query.extension, "1002");
  ports::CallView view;
  view.id = model::CallId{"c-9"};
  view.state = "ringing";
  view.from = "1001";
  services.reply = ports::Calls{{view}};
  EXPECT_EQ(call(services, "GET", "/api/calls", {}, alice).value.as_array().size(), 1u);
  EXPECT_EQ(call(services, "GET", "/api/calls", {}, other).value.as_array().size(), 0u);
  EXPECT_EQ(call(services, "POST", "/api/call/hangup", R"({"call_id":"c-9"})", other).status, 404);
  EXPECT_FALSE(std::holds_alternative<ports::HangUpCall>(services.asked));
}

TEST(Permission, AUserWithoutAnExtensionSeesNothing) {
  FakeServices services;
  const access::Principal nobody = as(access::Role::kUser);
  EXPECT_FALSE(nobody.sees(""));
  EXPECT_EQ(call(services, "GET", "/api/cdr", {}, nobody).status, 403);
  EXPECT_EQ(call(services, "GET", "/api/registered-phones", {}, nobody).value.as_array().size(), 0u);
  EXPECT_EQ(call(services, "GET", "/api/extensions", {}, nobody).value.as_array().size(), 0u);
  ports::CallView from_outside;  // with a leg that is no extension's
  from_outside.id = model::CallId{"c-9"};
  from_outside.state = "ringing";
  from_outside.legs.resize(1);
  services.reply = ports::Calls{{from_outside}};
  EXPECT_EQ(call(services, "GET", "/api/calls", {}, nobody).value.as_array().size(), 0u);
  EXPECT_EQ(call(services, "GET", "/api/calls/c-9", {}, nobody).status, 404);
  EXPECT_EQ(call(services, "POST", "/api/call/hangup", R"({"call_id":"c-9"})", nobody).status, 404);
}

TEST(Permission, WhoHasLeftACallNeitherSeesNorEndsIt) {
  FakeServices services;
  const access::Principal alice = as(access::Role::kUser, "1001");
  ports::CallView view;
  view.id = model::CallId{"c-9"};
  view.state = "up";
  view.from = "1001";
  view.to = "1002";
  view.legs.resize(3);
  view.legs[0] = {.party = "1002", .device = {}, .state = "up", .codec = {}, .secured = true, .quality = {}};
  view.legs[1] = {.party = "1003", .device = {}, .state = "up", .codec = {}, .secured = true, .quality = {}};
  view.legs[2] = {
      .party = "1001", .device = {}, .state = "ended", .codec = {}, .secured = true, .quality = {}};
  services.reply = ports::Calls{{view}};
  EXPECT_EQ(call(services, "GET", "/api/calls", {}, alice).value.as_array().size(), 0u);
  EXPECT_EQ(call(services, "GET", "/api/calls/c-9", {}, alice).status, 404);
  for (const char* act : {"hangup", "hold", "resume"}) {
    const std::string path = std::string("/api/call/") + act;
    EXPECT_EQ(call(services, "POST", path, R"({"call_id":"c-9"})", alice).status, 404) << act;
  }
  EXPECT_EQ(call(services, "POST", "/api/call/transfer", R"({"call_id":"c-9","to":"1004"})", alice).status,
            404);
  EXPECT_TRUE(std::holds_alternative<ports::ShowCall>(services.asked));
  EXPECT_EQ(call(services, "GET", "/api/calls/c-9", {}, as(access::Role::kUser, "1003")).status, 200);
  view.legs[2].state = "held";
  services.reply = ports::Calls{{view}};
  EXPECT_EQ(call(services, "GET", "/api/calls/c-9", {}, alice).status, 200);
}

TEST(Router, TakesJsonAlone) {
  FakeServices services;
  for (const auto& [type, status] : {std::pair{"application/json", 200},
                                     {"application/json; charset=utf-8", 200},
                                     {"Application/JSON", 200},
                                     {"text/plain", 415},
                                     {"application/x-www-form-urlencoded", 415},
                                     {"", 415}}) {
    http::Request request{"POST", "/api/extensions", "", R"({"number":"1002"})"};
    request.headers.emplace_back("content-type", type);
    int answered = 0;
    route(routes(), services, std::move(request), as(access::Role::kAdmin),
          [&](http::Response&& r) { answered = r.status; });
    EXPECT_EQ(answered, status) << type;
  }
}

TEST(Router, DecodesThePathOnceAndLeavesNoWayAroundIt) {
  FakeServices services;
  EXPECT_EQ(call(services, "GET", "/api/extensions/10%30%31").status, 200);
  EXPECT_EQ(call(services, "GET", "/api/extensions/%2531001").status, 404);
  EXPECT_EQ(call(services, "GET", "/api/extensions/..%2Fstatus").status, 404);
  EXPECT_EQ(call(services, "GET", "/api/extensions/%zz").status, 404);
}

TEST(Extensions, AreListedWithoutAnythingSecret) {
  FakeServices services;
  const Answer list = call(services, "GET", "/api/extensions");
  ASSERT_EQ(list.value.as_array().size(), 1u);
  EXPECT_EQ(list.value.at(0).at("number"), "1001");
  EXPECT_EQ(list.value.at(0).at("name"), "Alice");
  EXPECT_EQ(list.value.at(0).at("registered"), true);
  const Answer one = call(services, "GET", "/api/extensions/1001");
  EXPECT_EQ(one.value.at("ring_seconds"), 30);
  const auto alice = services.directory()->find("1001")->credentials;
  for (const Answer& a : {list, one}) {
    EXPECT_EQ(a.text.find(alice.ha1_md5.reveal()), std::string::npos);
    EXPECT_EQ(a.text.find(alice.ha1_sha256.reveal()), std::string::npos);
    EXPECT_EQ(a.text.find("password"), std::string::npos);
  }
}

TEST(Extensions, GeneratedPasswordIsShownOnceAndKeptAsDigests) {
  FakeServices services;
  const Answer a = call(
      services, "POST", "/api/extensions",
      R"({"number":"1002","name":"Bob","ring_seconds":20,"forward":{"busy":"1001"},"groups":["sales"]})");
  ASSERT_EQ(a.status, 200) << a.text;
  const std::string password(a.value.at("password").as_string());
  EXPECT_EQ(objection_to(password, {}), std::nullopt);
  ASSERT_EQ(services.changes.size(), 1u);
  const auto& saved = std::get<ports::SaveExtension>(services.changes[0]).extension;
  EXPECT_EQ(saved.number.value, "1002");
  EXPECT_EQ(saved.ring_seconds, 20u);
  EXPECT_EQ(saved.forward.busy, "1001");
  EXPECT_EQ(saved.groups, std::vector<std::string>{"sales"});
  EXPECT_EQ(saved.credentials, credentials_of("1002", Secret{password}));
}

TEST(Extensions, GivenPasswordIsNotSentBack) {
  FakeServices services;
  const Answer a =
      call(services, "POST", "/api/extensions", R"({"number":"1002","password":"Given-Pass-42"})");
  ASSERT_EQ(a.status, 200) << a.text;
  EXPECT_EQ(a.text.find("Given-Pass-42"), std::string::npos);
  EXPECT_EQ(std::get<ports::SaveExtension>(services.changes[0]).extension.credentials,
            credentials_of("1002", Secret<std::string>{"Given-Pass-42"}));
}

TEST(Extensions, ChangeKeepsWhatIsNotNamed) {
  FakeServices services;
  const Answer a = call(services, "PUT", "/api/extensions/1001", R"({"do_not_disturb":true})");
  ASSERT_EQ(a.status, 200) << a.text;
  const auto& saved = std::get<ports::SaveExtension>(services.changes[0]).extension;
  model::Extension expected = *services.directory()->find("1001");
  expected.do_not_disturb = true;
  EXPECT_EQ(saved, expected);
  EXPECT_FALSE(a.value.as_object().contains("password"));
}

TEST(Extensions, NewPasswordOnDemand) {
  FakeServices services;
  const Answer a = call(services, "PUT", "/api/extensions/1001", R"({"generate_password":true})");
  const std::string password(a.value.at("password").as_string());
  EXPECT_EQ(std::get<ports::SaveExtension>(services.changes[0]).extension.credentials,
            credentials_of("1001", Secret{password}));
}

TEST(Extensions, AreRemoved) {
  FakeServices services;
  EXPECT_EQ(call(services, "DELETE", "/api/extensions/1001").status, 200);
  EXPECT_EQ(std::get<ports::DropExtension>(services.changes[0]).number.value, "1001");
}

TEST(Extensions, DatabaseThatRefusesIs503) {
  FakeServices services;
  services.database_works = false;
  EXPECT_EQ(call(services, "POST", "/api/extensions", R"({"number":"1002"})").status, 503);
  EXPECT_EQ(call(services, "GET", "/api/cdr").status, 503);
}

TEST(Status, IsToldInTheNamesOfTheInterface) {
  FakeServices services;
  services.reply = ports::Status{2, 3, 1, 77, 4, kNow};
  const Answer a = call(services, "GET", "/api/status");
  EXPECT_EQ(a.value.at("running"), true);
  EXPECT_EQ(a.value.at("registered_extensions"), 2);
  EXPECT_EQ(a.value.at("registered_contacts"), 3);
  EXPECT_EQ(a.value.at("active_calls"), 1);
  EXPECT_EQ(a.value.at("total_calls"), 77);
  EXPECT_EQ(a.value.at("uptime"), 90);
  EXPECT_EQ(a.value.at("started_at"), "2027-01-15T08:00:00.000Z");
}

TEST(Phones, AreToldWithTheirFlow) {
  FakeServices services;
  const Answer a = call(services, "GET", "/api/registered-phones/extension/1001");
  EXPECT_EQ(std::get<ports::ListPhones>(services.asked).extension, "1001");
  const json::value& phone = a.value.at(0);
  EXPECT_EQ(phone.at("extension_number"), "1001");
  EXPECT_EQ(phone.at("ip_address"), "192.0.2.7");
  EXPECT_EQ(phone.at("transport"), "tls");
  EXPECT_EQ(phone.at("user_agent"), "Phone \"X\"");
  EXPECT_EQ(phone.at("contact_uri"), "sip:1001@192.0.2.7:5070");
}

TEST(Calls, AreStartedListedAndEnded) {
  FakeServices services;
  services.reply = ports::CallStarted{model::CallId{"c-9"}};
  EXPECT_EQ(call(services, "POST", "/api/call", R"({"from":"1001","to":"1002"})").value.at("call_id"), "c-9");
  EXPECT_EQ(std::get<ports::StartCall>(services.asked).to, "1002");
  ports::CallView view;
  view.id = model::CallId{"c-9"};
  view.state = "ringing";
  view.started = kNow;
  view.legs = {
      {.party = "1001", .device = {}, .state = "up", .codec = "PCMU/8000", .secured = true, .quality = {}}};
  view.legs[0].quality.emplace().mos = 4.38982647;
  services.reply = ports::Calls{{view}};
  const Answer list = call(services, "GET", "/api/calls");
  EXPECT_EQ(list.value.at(0).at("state"), "ringing");
  EXPECT_TRUE(list.value.at(0).at("answered_at").is_null());
  EXPECT_EQ(list.value.at(0).at("legs").at(0).at("codec"), "PCMU/8000");
  const auto& quality = list.value.at(0).at("legs").at(0).at("quality");
  EXPECT_EQ(quality.at("mos"), 4.39);
  EXPECT_TRUE(quality.at("jitter_ms").is_int64()) << "0 and not 0E0";
  services.reply = ports::Done{};
  EXPECT_EQ(call(services, "POST", "/api/call/hangup", R"({"call_id":"c-9"})").value.at("success"), true);
  services.reply = ports::Refused{404, "not_found", "There is no such call."};
  const Answer refused = call(services, "POST", "/api/call/hangup", R"({"call_id":"c-8"})");
  EXPECT_EQ(refused.status, 404);
  EXPECT_EQ(refused.value.at("code"), "not_found");
}

TEST(CallRecords, AreAskedWithTheirLimitsAndToldWithDurations) {
  FakeServices services;
  const Answer a = call(services, "GET", "/api/cdr?limit=5&extension=1001");
  EXPECT_EQ(services.record_query.limit, 5u);
  EXPECT_EQ(services.record_query.extension, "1001");
  EXPECT_EQ(a.value.at(0).at("duration"), 65);
  EXPECT_EQ(a.value.at(0).at("billsec"), 60);
  EXPECT_EQ(a.value.at(0).at("disposition"), "answered");
}

TEST(Reload, SaysWhatIsInForceAndWhatNeedsARestart) {
  FakeServices services;
  const Answer good = call(services, "POST", "/api/reload");
  EXPECT_EQ(good.status, 200);
  EXPECT_EQ(good.value.at("needs_restart").at(0), "server.sip_port");
  services.reload_outcome = {false, {"config.yml:3: error"}, {}};
  const Answer bad = call(services, "POST", "/api/reload");
  EXPECT_EQ(bad.status, 422);
  EXPECT_EQ(bad.value.at("code"), "bad_configuration");
  EXPECT_EQ(bad.value.at("problems").at(0), "config.yml:3: error");
}

TEST(Backup, GoesWhereItIsToldOrSaysWhyNot) {
  FakeServices services;
  EXPECT_EQ(call(services, "POST", "/api/backup", R"({"file":"/tmp/x.db"})").status, 200);
  EXPECT_EQ(services.backup_file, "/tmp/x.db");
  services.database_works = false;
  EXPECT_EQ(call(services, "POST", "/api/backup", R"({"file":"/tmp/x.db"})").value.at("error"),
            "the disk is full");
}

TEST(Passwords, RulesAreToldOneByOne) {
  const PasswordRules rules;
  EXPECT_EQ(objection_to("Aa1-Aa1-Aa1-", rules), std::nullopt);
  for (const char* bad :
       {"Aa1-", "aaaaaaaaaa1-", "AAAAAAAAAA1-", "Aaaaaaaaaaa-", "Aaaaaaaaaaa1", "Aa1-Aa1-Aa1-\n"}) {
    EXPECT_TRUE(objection_to(bad, rules).has_value()) << bad;
  }
  EXPECT_TRUE(objection_to(std::string(129, 'A') + "a1-", rules).has_value());
  EXPECT_EQ(objection_to("1234", {4, 8, false, false, false, false}), std::nullopt);
}

TEST(Passwords, GeneratedOnesKeepTheRulesAndSurviveConfigurationLines) {
  SeededRng rng(3);
  for (int i = 0; i < 500; ++i) {
    const std::string password = generate_password(rng, {}).reveal();
    EXPECT_EQ(objection_to(password, {}), std::nullopt) << password;
    EXPECT_EQ(password.find_first_of(";<>\"'@ \\0O1lI"), std::string::npos) << password;
    EXPECT_TRUE(std::isalnum(static_cast<unsigned char>(password.front())) != 0);
    EXPECT_TRUE(std::isalnum(static_cast<unsigned char>(password.back())) != 0);
  }
}

// RFC 2617 §3.2.2.2 computed with md5sum and sha256sum.
TEST(Passwords, AreKeptAsTheDigestsOfTheRealm) {
  const auto c = credentials_of("1001", Secret<std::string>{"Test-Pass-1001!"});
  EXPECT_EQ(c.ha1_md5.reveal(), "75bf21d01bc6c292acf8b96064f92d4f");
  EXPECT_EQ(c.ha1_sha256.reveal(), "4d039e3a701b4a37eeb2d9d2bf31d7cca18ae2a0b127c9267aa651f1946e7f9d");
}

}  // namespace
}  // namespace bw::api
