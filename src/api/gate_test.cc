// What stands before the table: logins, pages of others, repeats, floods, and what is written down of it all.
#include "api/gate.h"

#include <fmt/format.h>

#include "api/test_services.h"

namespace bw::api {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

class GateTest : public testing::Test {
 protected:
  GateTest() {
    access::Settings settings;
    settings.rate_limit = {5, std::chrono::seconds{300}, std::chrono::seconds{900}};
    settings.origins = {"https://intranet.example"};
    services.access().configure(settings);
    const access::Change admin =
        access::SaveUser{{"admin", access::Role::kAdmin, Secret<std::string>{"hash of Open-Sesame-1"}, kNow}};
    services.access().apply(std::span{&admin, 1});
  }

  Answer ask(std::string method, std::string path, std::string body = {}, Headers headers = {}) {
    http::Request request{std::move(method), std::move(path), "", std::move(body)};
    request.headers = std::move(headers);
    request.headers.emplace_back("host", "pbx:8080");
    if (!request.body.empty()) request.headers.emplace_back("content-type", "application/json");
    request.from = *Endpoint::parse(from);
    const auto answer = std::make_shared<Answer>();  // may be given after this has returned
    gate.from_network(std::move(request), [answer](http::Response&& r) {
      boost::system::error_code error;
      *answer = {r.status, r.body, json::parse(r.body, error), r.headers};
    });
    return *answer;
  }
  Answer log_in(const std::string& name, const std::string& password, const char* cookie = "false") {
    return ask("POST", "/api/login",
               R"({"username":")" + name + R"(","password":")" + password + R"(","cookie":)" + cookie + "}");
  }
  std::string token() { return std::string(log_in("admin", "Open-Sesame-1").value.at("token").as_string()); }
  std::string cookie() {
    const std::string set = header(log_in("admin", "Open-Sesame-1", "true"), "Set-Cookie");
    return set.substr(0, set.find(';'));
  }
  static std::string header(const Answer& a, std::string_view name) {
    for (const auto& [n, value] : a.headers) {
      if (n == name) return value;
    }
    return {};
  }
  static Headers bearer(const std::string& token) { return {{"authorization", "Bearer " + token}}; }

  FakeServices services;
  Gate gate{services};
  std::string from = "192.0.2.9:40000";
};

TEST_F(GateTest, WhoHasNoLoginHearsHowToGetIn) {
  const Answer a = ask("GET", "/api/extensions");
  EXPECT_EQ(a.status, 401);
  EXPECT_EQ(header(a, "WWW-Authenticate"), "Bearer realm=\"bellwire\"");
  EXPECT_EQ(ask("GET", "/health").status, 200);
}

TEST_F(GateTest, ATokenOpensUntilItIsGivenBack) {
  const std::string mine = token();
  EXPECT_EQ(ask("GET", "/api/me", {}, bearer(mine)).value.at("role"), "admin");
  EXPECT_EQ(ask("POST", "/api/logout", {}, bearer(mine)).status, 200);
  EXPECT_EQ(ask("GET", "/api/me", {}, bearer(mine)).status, 401);
}

TEST_F(GateTest, ATokenEndsWithItsTime) {
  const std::string mine = token();
  services.moment_ = services.moment_ + std::chrono::hours{12};
  EXPECT_EQ(ask("GET", "/api/me", {}, bearer(mine)).status, 401);
}

TEST_F(GateTest, ACookieEndsWhenNobodyUsesIt) {
  const std::string mine = cookie();
  services.moment_ = services.moment_ + std::chrono::minutes{29};
  EXPECT_EQ(ask("GET", "/api/me", {}, {{"cookie", mine}}).status, 200);
  services.moment_ = services.moment_ + std::chrono::minutes{31};
  EXPECT_EQ(ask("GET", "/api/me", {}, {{"cookie", mine}}).status, 401);
}

TEST_F(GateTest, ACookieIsOutOfReachOfScriptsAndOtherSites) {
  const std::string set = header(log_in("admin", "Open-Sesame-1", "true"), "Set-Cookie");
  EXPECT_NE(set.find("; HttpOnly"), std::string::npos);
  EXPECT_NE(set.find("; SameSite=Strict"), std::string::npos);
  EXPECT_EQ(set.find("; Secure"), std::string::npos);  // this request did not come over TLS
}

TEST_F(GateTest, AnotherPasswordEndsTheSessionsOfTheOldOne) {
  const std::string mine = token();
  const access::Change changed =
      access::SaveUser{{"admin", access::Role::kAdmin, Secret<std::string>{"hash of another"}, kNow}};
  services.access().apply(std::span{&changed, 1});
  EXPECT_EQ(ask("GET", "/api/me", {}, bearer(mine)).status, 401);
}

TEST_F(GateTest, AnExtensionLogsInWithThePasswordOfItsPhones) {
  const Answer a = log_in("1001", "Very-Secret-1");
  ASSERT_EQ(a.status, 200) << a.text;
  EXPECT_EQ(a.value.at("role"), "user");
  const Headers mine = bearer(std::string(a.value.at("token").as_string()));
  EXPECT_EQ(ask("GET", "/api/extensions/1001", {}, mine).status, 200);
  EXPECT_EQ(ask("DELETE", "/api/extensions/1001", {}, mine).status, 403);
  EXPECT_EQ(log_in("1001", "very-secret-1").status, 401);
}

TEST_F(GateTest, UnknownNamesAndWrongPasswordsAreToldTheSameAndTakeTheSameWork) {
  const Answer wrong = log_in("admin", "nope");
  const Answer unknown = log_in("nobody", "nope");
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(wrong.text, unknown.text);
  EXPECT_EQ(services.hashes, 2);
  // Numbers cost no slow hash, whether somebody has them or not.
  const Answer extension = log_in("1001", "nope");
  const Answer nobodys = log_in("1999", "nope");
  EXPECT_EQ(extension.status, 401);
  EXPECT_EQ(extension.text, wrong.text);
  EXPECT_EQ(extension.text, nobodys.text);
  EXPECT_EQ(services.hashes, 2);
}

TEST_F(GateTest, WhatNobodyLookedAtIsHeldAgainstNobody) {
  services.no_room_for_jobs = true;
  for (int i = 0; i < 20; ++i) EXPECT_EQ(log_in("admin", "Open-Sesame-1").status, 503);
  EXPECT_TRUE(services.told.empty());
  services.no_room_for_jobs = false;
  EXPECT_EQ(log_in("admin", "Open-Sesame-1").status, 200);
}

TEST_F(GateTest, AnAddressThatSendsManyLoginsAtOnceIsToldToWaitAndNobodyIsLockedOut) {
  services.jobs_wait = true;
  for (int i = 0; i < 4; ++i) log_in("user" + std::to_string(i), "nope");
  for (int i = 0; i < 20; ++i) {
    const Answer crowded = log_in("admin", "Open-Sesame-1");
    EXPECT_EQ(crowded.status, 429);
    EXPECT_EQ(header(crowded, "Retry-After"), "1");
  }
  EXPECT_EQ(services.hashes, 4);
  services.jobs_wait = false;
  for (auto& on_verified : services.waiting) on_verified(false);
  EXPECT_EQ(log_in("admin", "Open-Sesame-1").status, 200);
}

TEST_F(GateTest, WhoGuessesIsLockedOutAndThatIsTold) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(log_in("admin", "nope").status, 401);
  const Answer locked = log_in("admin", "Open-Sesame-1");
  EXPECT_EQ(locked.status, 423);
  EXPECT_EQ(header(locked, "Retry-After"), "900");
  EXPECT_EQ(services.hashes, 5);
  ASSERT_EQ(services.told.size(), 2u);  // the address and the name
  EXPECT_EQ(std::get<events::SecurityLockout>(services.told[1]).subject, "admin");
  // What repeats itself is told of once more, with a count.
  ASSERT_EQ(services.audited.size(), 2u);
  EXPECT_EQ(services.audited[0].who, "admin");
  EXPECT_EQ(services.audited[0].from, "192.0.2.9");
  EXPECT_EQ(services.audited[0].after.find("nope"), std::string::npos);
  EXPECT_EQ(services.audited[1].status, 423);
  services.moment_ = services.moment_ + std::chrono::seconds{901};
  gate.look_after();
  ASSERT_EQ(services.audited.size(), 3u);
  EXPECT_EQ(services.audited[2].after.find(R"({"repeated":4,)"), 0u);
  EXPECT_EQ(log_in("admin", "Open-Sesame-1").status, 200);
}

TEST_F(GateTest, GuessingAllAtOnceIsNoWayAroundTheLockout) {
  services.jobs_wait = true;
  // From ten addresses, or the limit of passwords looked at for one would come first.
  for (int i = 0; i < 10; ++i) {
    from = fmt::format("192.0.2.{}:40000", i);
    log_in("admin", "nope");
  }
  EXPECT_EQ(services.waiting.size(), 5u);
  for (auto& on_verified : services.waiting) on_verified(false);
  EXPECT_EQ(log_in("admin", "Open-Sesame-1").status, 423);
}

TEST_F(GateTest, SipIsSpokenByPhonesAndByPagesOfOurs) {
  const auto upgrade = [&](Headers headers) {
    http::Request request{"GET", "/sip", {}, {}};
    request.headers = std::move(headers);
    request.headers.emplace_back("host", "pbx:8080");
    request.web_socket = true;
    int status = 0;
    gate.from_network(std::move(request), [&](http::Response&& r) { status = r.status; });
    return status;
  };
  EXPECT_EQ(upgrade({}), 101) << "a phone";
  EXPECT_EQ(upgrade({{"origin", "http://pbx:8080"}}), 101);
  EXPECT_EQ(upgrade({{"origin", "https://intranet.example"}}), 101);
  EXPECT_EQ(upgrade({{"origin", "http://evil.example"}}), 403);
  EXPECT_EQ(upgrade({{"origin", "null"}}), 403);
  EXPECT_EQ(upgrade({{"origin", "http://pbx:8080"}, {"origin", "http://evil.example"}}), 400);
}

TEST_F(GateTest, OnlyAPageOfOursMakesChangesWithTheCookie) {
  const std::string mine = cookie();
  const auto add = [&](Headers headers) {
    headers.emplace_back("cookie", mine);
    return ask("POST", "/api/extensions", R"({"number":"1002"})", std::move(headers)).status;
  };
  EXPECT_EQ(add({}), 403);
  EXPECT_EQ(add({{"origin", "null"}}), 403);
  EXPECT_EQ(add({{"origin", "http://evil.example"}}), 403);
  EXPECT_EQ(add({{"origin", "http://pbx:8080.evil.example"}}), 403);
  EXPECT_EQ(add({{"origin", "http://pbx:8081"}}), 403);
  EXPECT_TRUE(services.changes.empty());
  EXPECT_EQ(add({{"origin", "http://pbx:8080"}}), 200);
  EXPECT_EQ(add({{"origin", "https://intranet.example"}}), 200);
}

TEST_F(GateTest, AWebSocketByCookieIsAskedForItsPageToo) {
  http::Request request{"GET", "/api/extensions", "", ""};
  request.web_socket = true;
  request.headers = {{"cookie", cookie()}, {"host", "pbx:8080"}, {"origin", "http://evil.example"}};
  int status = 0;
  gate.from_network(std::move(request), [&](http::Response&& r) { status = r.status; });
  EXPECT_EQ(status, 403);
}

TEST_F(GateTest, WhatIsSaidTwiceIsNotHeard) {
  const std::string mine = token();
  for (const char* name :
       {"origin", "authorization", "x-api-key", "cookie", "content-type", "idempotency-key"}) {
    Headers twice{{name, "http://pbx:8080"}, {name, "http://evil.example"}};
    if (std::string_view(name) != "authorization") twice.emplace_back("authorization", "Bearer " + mine);
    const Answer a = ask("POST", "/api/extensions", {}, twice);
    EXPECT_EQ(a.status, 400) << name;
    EXPECT_NE(a.text.find(std::string("more than one ") + name), std::string::npos) << a.text;
  }
}

TEST_F(GateTest, ABodyThatIsNoJsonIsToldSoAlsoToThoseWhoMayOnlySpeakOfThemselves) {
  Headers mine = bearer(std::string(log_in("1001", "Very-Secret-1").value.at("token").as_string()));
  mine.emplace_back("content-type", "text/plain");
  EXPECT_EQ(ask("POST", "/api/call", {}, mine).status, 403);  // without a body it names nobody
  http::Request request{"POST", "/api/call", "", "from 1001 to 1002", mine};
  request.headers.emplace_back("host", "pbx:8080");
  int status = 0;
  gate.from_network(std::move(request), [&](http::Response&& r) { status = r.status; });
  EXPECT_EQ(status, 415);
}

TEST_F(GateTest, WhatAUrlOpensWithIsNotWrittenDown) {
  ask("POST", "/api/webhooks", R"({"url":"https://crm.example/in?key=s3cret"})", bearer(token()));
  ASSERT_EQ(services.audited.back().action, "addWebhook");
  EXPECT_EQ(services.audited.back().after, R"~({"url":"https://crm.example/in?(secret)"})~");
}

TEST_F(GateTest, NoUserHasANameThatLeadsElsewhere) {
  const Headers mine = bearer(token());
  for (const char* name : {".", "..", "...", "1001", "10.01", "@", "-"}) {
    const Answer a = ask("POST", "/api/users", R"({"name":")" + std::string(name) + R"("})", mine);
    EXPECT_EQ(a.status, 400) << name;
    EXPECT_EQ(a.value.at("field"), "name");
  }
}

TEST_F(GateTest, TokensNeedNoOrigin) {
  Headers mine = bearer(token());
  mine.emplace_back("origin", "http://evil.example");
  EXPECT_EQ(ask("POST", "/api/extensions", R"({"number":"1002"})", mine).status, 200);
}

TEST_F(GateTest, NoPageOfOthersLogsSomebodyIn) {
  EXPECT_EQ(ask("POST", "/api/login", R"({"username":"admin","password":"Open-Sesame-1","cookie":true})",
                {{"origin", "http://evil.example"}})
                .status,
            403);
}

TEST_F(GateTest, TheSameIdempotencyKeyActsOnce) {
  services.reply = ports::CallStarted{model::CallId{"c-1"}};
  Headers mine = bearer(token());
  mine.emplace_back("idempotency-key", "k-1");
  const std::string body = R"({"from":"1001","to":"1002"})";
  const Answer first = ask("POST", "/api/call", body, mine);
  services.reply = ports::CallStarted{model::CallId{"c-2"}};
  const Answer again = ask("POST", "/api/call", body, mine);
  EXPECT_EQ(first.value.at("call_id"), "c-1");
  EXPECT_EQ(again.text, first.text);
  EXPECT_EQ(ask("POST", "/api/call", R"({"from":"1001","to":"1003"})", mine).status, 422);
  services.moment_ = services.moment_ + std::chrono::hours{25};
  mine[0] = bearer(token())[0];
  EXPECT_EQ(ask("POST", "/api/call", body, mine).value.at("call_id"), "c-2");
}

TEST_F(GateTest, TheSameKeyOfSomebodyElseIsAnother) {
  services.reply = ports::CallStarted{model::CallId{"c-1"}};
  const std::string body = R"({"from":"1001","to":"1002"})";
  Headers alice = bearer(std::string(log_in("1001", "Very-Secret-1").value.at("token").as_string()));
  Headers admin = bearer(token());
  for (Headers* h : {&alice, &admin}) h->emplace_back("idempotency-key", "k-1");
  ask("POST", "/api/call", body, alice);
  services.reply = ports::CallStarted{model::CallId{"c-2"}};
  EXPECT_EQ(ask("POST", "/api/call", body, admin).value.at("call_id"), "c-2");
}

TEST_F(GateTest, AFloodIsToldWhenToComeAgain) {
  Answer last;
  int taken = 0;
  for (int i = 0; i < 3'000; ++i) {
    last = ask("GET", "/health");
    taken += last.status == 200 ? 1 : 0;
  }
  EXPECT_EQ(taken, 2'000);
  EXPECT_EQ(last.status, 429);
  EXPECT_EQ(header(last, "Retry-After"), "1");
  services.moment_ = services.moment_ + std::chrono::seconds{1};
  EXPECT_EQ(ask("GET", "/health").status, 200);
}

TEST_F(GateTest, ChangesAreWrittenDownWithoutSecrets) {
  const Headers mine = bearer(token());
  services.audited.clear();
  ask("POST", "/api/extensions", R"({"number":"1002","password":"Given-Pass-42"})", mine);
  ask("PUT", "/api/extensions/1001", R"({"name":"Alicia"})", mine);
  ask("PUT", "/api/extensions/1999", R"({"name":"X"})", mine);  // refused: no change
  ASSERT_EQ(services.audited.size(), 2u);
  EXPECT_EQ(services.audited[0].action, "addExtension");
  EXPECT_EQ(services.audited[0].who, "admin");
  EXPECT_EQ(services.audited[0].after, R"~({"number":"1002","password":"(secret)"})~");
  EXPECT_NE(services.audited[1].before.find("Alice"), std::string::npos);
  EXPECT_NE(services.audited[1].after.find("Alicia"), std::string::npos);
}

TEST_F(GateTest, OtherOriginsReadOnlyWhereTheConfigurationNamesThem) {
  const Headers mine = bearer(token());
  Headers welcome = mine;
  welcome.emplace_back("origin", "https://intranet.example");
  Headers other = mine;
  other.emplace_back("origin", "https://evil.example");
  EXPECT_EQ(header(ask("GET", "/api/me", {}, welcome), "Access-Control-Allow-Origin"),
            "https://intranet.example");
  EXPECT_EQ(header(ask("GET", "/api/me", {}, other), "Access-Control-Allow-Origin"), "");
}

TEST_F(GateTest, KeysAreMadeShownOnceAndRevoked) {
  const Headers mine = bearer(token());
  const Answer made = ask("POST", "/api/keys", R"({"name":"crm","scopes":["calls:read"]})", mine);
  ASSERT_EQ(made.status, 200) << made.text;
  const std::string key(made.value.at("key").as_string());
  services.reply = ports::Calls{};
  EXPECT_EQ(ask("GET", "/api/calls", {}, {{"x-api-key", key}}).status, 200);
  EXPECT_EQ(ask("GET", "/api/calls", {}, bearer(key)).status, 200);
  EXPECT_EQ(ask("GET", "/api/extensions", {}, bearer(key)).status, 403);
  EXPECT_EQ(ask("GET", "/api/keys", {}, mine).text.find(key), std::string::npos);
  const std::string id(made.value.at("id").as_string());
  EXPECT_EQ(ask("DELETE", "/api/keys/" + id, {}, mine).status, 200);
  EXPECT_EQ(ask("GET", "/api/calls", {}, bearer(key)).status, 401);
  const Answer unknown = ask("POST", "/api/keys", R"({"name":"x","scopes":["no:such"]})", mine);
  EXPECT_EQ(unknown.status, 400);
  EXPECT_TRUE(unknown.text.contains("no scope no:such; there are *, audit:read, calls:read")) << unknown.text;
}

TEST_F(GateTest, TheLastAdminStays) {
  const Headers mine = bearer(token());
  EXPECT_EQ(ask("DELETE", "/api/users/admin", {}, mine).status, 409);
  EXPECT_EQ(ask("PUT", "/api/users/admin", R"({"role":"user"})", mine).status, 409);
  EXPECT_EQ(ask("POST", "/api/users", R"({"name":"eve"})", mine).status, 200);
  EXPECT_EQ(ask("POST", "/api/users", R"({"name":"12345"})", mine).status, 400);
  EXPECT_EQ(ask("DELETE", "/api/users/admin", {}, mine).status, 200);
}

TEST_F(GateTest, AnotherPasswordDoesNotUndoWhatHappenedWhileItWasHashed) {
  const Headers mine = bearer(token());
  for (const char* name : {"eve", "bob"})
    ASSERT_EQ(ask("POST", "/api/users", R"({"name":")" + std::string(name) + R"("})", mine).status, 200);
  services.jobs_wait = true;
  ask("PUT", "/api/users/eve", R"({"generate_password":true})", mine);
  ask("PUT", "/api/users/bob", R"({"generate_password":true})", mine);
  ASSERT_EQ(services.waiting_hashes.size(), 2u);
  EXPECT_EQ(ask("PUT", "/api/users/eve", R"({"role":"user"})", mine).status, 200);
  services.store_waits = true;
  ask("DELETE", "/api/users/bob", {}, mine);  // on its way to the database when the hash is there
  for (auto& hashed : services.waiting_hashes) hashed();
  for (auto& stored : services.waiting_stores) stored();
  EXPECT_EQ(services.access().users().at("eve").role, access::Role::kUser);
  EXPECT_FALSE(services.access().users().contains("bob"));
  EXPECT_FALSE(services.access().is_changing("eve") || services.access().is_changing("bob"));
}

TEST_F(GateTest, WhatIsNoLoginAtAllIsNotWrittenDown) {
  EXPECT_EQ(ask("POST", "/api/login").status, 400);
  EXPECT_EQ(ask("POST", "/api/login", "{").status, 400);
  EXPECT_TRUE(services.audited.empty());
  EXPECT_EQ(log_in("admin", "wrong").status, 401);
  EXPECT_EQ(services.audited.size(), 1u);
}

TEST_F(GateTest, TwoAdminsWhoRemoveEachOtherAtOnceLeaveOne) {
  const Headers mine = bearer(token());
  ASSERT_EQ(ask("POST", "/api/users", R"({"name":"eve"})", mine).status, 200);
  services.store_waits = true;
  ask("DELETE", "/api/users/eve", {}, mine);
  EXPECT_EQ(ask("DELETE", "/api/users/admin", {}, mine).status, 409);
  EXPECT_EQ(ask("PUT", "/api/users/admin", R"({"role":"user"})", mine).status, 409);
  ASSERT_EQ(services.waiting_stores.size(), 1u);
  services.database_works = false;  // nothing came of it: eve is an admin still
  services.waiting_stores[0]();
  services.store_waits = false;
  services.database_works = true;
  EXPECT_EQ(ask("DELETE", "/api/users/admin", {}, mine).status, 200);
}

}  // namespace
}  // namespace bw::api
