// RFC 3665 §2 and RFC 3261 §10.3, and the limits.
#include "registrar/detail/registrar_fixture.h"

namespace bw::registrar {
namespace {

// ---- RFC 3665 §2: the flows after authentication ----

TEST_F(RegistrarTest, ANewRegistrationIsStoredAndListed) {  // §2.1
  ASSERT_EQ(next({"<sip:bob@client.biloxi.example.com>"}, {"Expires: 3600", "User-Agent: Desk 1.0"}), 200);
  EXPECT_EQ(listed(), Uris{"sip:bob@client.biloxi.example.com"});
  EXPECT_EQ(listed_contact().expires(), 3600U);
  EXPECT_EQ(response.get(HeaderName::kDate), "Sat, 13 Nov 2010 23:29:00 GMT");
  EXPECT_EQ(response.get(HeaderName::kCallId), "call-1");
  EXPECT_NE(response.get(HeaderName::kTo)->find(";tag="), std::string_view::npos);
  ASSERT_EQ(kinds(), Kinds{Kind::kAdded});
  const model::Binding& b = changes[0].binding;
  EXPECT_EQ(b.extension, k1001);
  EXPECT_EQ(b.flow, udp());
  EXPECT_EQ(b.user_agent, "Desk 1.0");
  EXPECT_EQ(b.expires_at, now + 3600s);
  EXPECT_EQ(changes[0].why, "registered");
}

TEST_F(RegistrarTest, AnUpdateOfTheContactListAddsAContact) {  // §2.2
  next({"<sip:bob@one.example>"});
  ASSERT_EQ(next({"mailto:bob@biloxi.example.com"}), 400) << "only what can be called";
  ASSERT_EQ(next({"<sip:bob@two.example>"}), 200);
  EXPECT_EQ(listed(), (Uris{"sip:bob@one.example", "sip:bob@two.example"}));
}

TEST_F(RegistrarTest, AQueryWithoutContactsListsAndChangesNothing) {  // §2.3
  next({"<sip:bob@one.example>"});
  now = now + 600s;
  ASSERT_EQ(next({}), 200);
  EXPECT_TRUE(changes.empty());
  EXPECT_EQ(listed(), Uris{"sip:bob@one.example"});
  EXPECT_EQ(listed_contact().expires(), 3000U);
}

TEST_F(RegistrarTest, StarWithExpiresZeroRemovesEverything) {  // §2.4
  next({"<sip:bob@one.example>"});
  next({"<sip:bob@two.example>"});
  ASSERT_EQ(next({"*"}, {"Expires: 0"}), 200);
  EXPECT_TRUE(listed().empty());
  EXPECT_EQ(kinds(), (Kinds{Kind::kRemoved, Kind::kRemoved}));
  EXPECT_EQ(changes[0].why, "unregistered by the phone");
  EXPECT_EQ(registrar.binding_count(), 0U);
}

// ---- RFC 3261 §10.3 ----

TEST_F(RegistrarTest, OnlyTheOwnExtensionCanBeRegistered) {
  EXPECT_EQ(send({.contacts = {"<sip:x@h.example>"}, .to = "<sip:1002@bellwire.example>"}), 403);
  EXPECT_EQ(send({.contacts = {"<sip:x@h.example>"}, .to = "<sip:%31001@bellwire.example>"}), 200);
  EXPECT_EQ(registrar.contacts("1002", now).size(), 0U);
}

TEST_F(RegistrarTest, AnUnknownExtensionInRequireIsNamedBack) {
  EXPECT_EQ(next({"<sip:x@h.example>"}, {"Require: path, teleport", "Require: gruu"}), 420);
  EXPECT_EQ(response.get(HeaderName::kUnsupported), "teleport");
  EXPECT_EQ(registrar.binding_count(), 0U);
}

TEST_F(RegistrarTest, TheExpiresParameterWinsOverTheHeaderAndTheHeaderOverTheDefault) {
  next({"<sip:a@h.example>;expires=600", "<sip:b@h.example>"}, {"Expires: 1200"});
  EXPECT_EQ(listed_contact(0).expires(), 600U);
  EXPECT_EQ(listed_contact(1).expires(), 1200U);
  next({"<sip:c@h.example>"});
  EXPECT_EQ(listed_contact(2).expires(), 3600U);
}

TEST_F(RegistrarTest, TooBriefAnIntervalIsRefusedWithTheMinimum) {
  EXPECT_EQ(next({"<sip:a@h.example>;expires=59"}), 423);
  EXPECT_EQ(response.get(HeaderName::kMinExpires), "60");
  EXPECT_EQ(next({"<sip:a@h.example>;expires=60"}), 200);
}

TEST_F(RegistrarTest, TooLongAnIntervalIsCut) {
  next({"<sip:a@h.example>;expires=99999999999999"});
  EXPECT_EQ(listed_contact().expires(), 3600U);
  now = now + 3600s;
  EXPECT_TRUE(reachable().empty());
}

TEST_F(RegistrarTest, AnHourIsNeverTooBrief) {
  settings.registration_min_s = 7200;
  settings.registration_max_s = 7200;
  configure();
  EXPECT_EQ(next({"<sip:a@h.example>;expires=3599"}), 423);
  EXPECT_EQ(next({"<sip:a@h.example>;expires=3600"}), 200);
}

TEST_F(RegistrarTest, StarMustStandAloneAndWithExpiresZero) {
  next({"<sip:a@h.example>"});
  EXPECT_EQ(next({"*"}), 400);
  EXPECT_EQ(next({"*"}, {"Expires: 60"}), 400);
  EXPECT_EQ(next({"*", "<sip:b@h.example>"}, {"Expires: 0"}), 400);
  EXPECT_EQ(next({"*"}, {"Expires: nonsense"}), 400);
  EXPECT_EQ(registrar.binding_count(), 1U);
}

TEST_F(RegistrarTest, ExpiresZeroRemovesThatContactAlone) {
  next({"<sip:a@h.example>", "<sip:b@h.example>"});
  ASSERT_EQ(next({"<sip:a@h.example>;expires=0"}), 200);
  EXPECT_EQ(listed(), Uris{"sip:b@h.example"});
  EXPECT_EQ(kinds(), Kinds{Kind::kRemoved});
}

TEST_F(RegistrarTest, RemovingWhatIsNotThereSucceeds) {
  EXPECT_EQ(next({"<sip:a@h.example>;expires=0"}), 200);
  EXPECT_TRUE(changes.empty());
}

TEST_F(RegistrarTest, ContactsAreComparedAsUris) {
  next({"<sip:a@Host.Example;transport=udp>"});
  next({"<sip:a@host.example;transport=UDP>"});
  EXPECT_EQ(listed(), Uris{"sip:a@host.example;transport=UDP"});
  next({"<sip:a@host.example:5060;transport=udp>"});
  EXPECT_EQ(listed().size(), 2U) << "RFC 3261 §19.1.4: a port given is not a port left out";
}

TEST_F(RegistrarTest, ARefreshKeepsTheFirstTimeAndSaysRefreshed) {
  next({"<sip:a@h.example>"});
  now = now + 1800s;
  next({"<sip:a@h.example>"});
  ASSERT_EQ(kinds(), Kinds{Kind::kRefreshed});
  EXPECT_EQ(changes[0].binding.first_registered, kNow);
  EXPECT_EQ(changes[0].binding.last_registered, now);
  EXPECT_EQ(changes[0].binding.expires_at, now + 3600s);
  EXPECT_EQ(changes[0].binding.cseq, cseq);
}

TEST_F(RegistrarTest, AnOldOrRepeatedCSeqOfTheSameCallIdFailsWith500AndChangesNothing) {
  const Reg first{.contacts = {"<sip:a@h.example>"}, .cseq = 5};
  ASSERT_EQ(send(first), 200);
  EXPECT_EQ(send(first), 500);
  EXPECT_EQ(send({.contacts = {"<sip:a@h.example>;expires=0"}, .cseq = 4}), 500);
  EXPECT_EQ(send({.contacts = {"*"}, .cseq = 5, .lines = {"Expires: 0"}}), 500);
  EXPECT_EQ(reachable(), Uris{"sip:a@h.example"});
  EXPECT_EQ(send({.contacts = {"<sip:b@h.example>"}, .cseq = 5}), 200) << "touches no binding that saw 5";
  EXPECT_EQ(send({.contacts = {"<sip:a@h.example>"}, .call_id = "call-2", .cseq = 1}), 200);
}

TEST_F(RegistrarTest, ARequestIsCarriedOutWholeOrNotAtAll) {
  next({"<sip:a@h.example>"});
  EXPECT_EQ(next({"<sip:b@h.example>", "<sip:c@h.example>;expires=5"}), 423);
  EXPECT_EQ(next({"<sip:b@h.example>", "<sip:>"}), 400);
  EXPECT_EQ(send({.contacts = {"<sip:b@h.example>", "<sip:a@h.example>"}, .cseq = 1}), 500);
  EXPECT_EQ(reachable(), Uris{"sip:a@h.example"});
}

TEST_F(RegistrarTest, SeveralContactsInOneHeaderLineCount) {
  next({"<sip:a@h.example>;q=0.5, \"B, b\" <sip:b@h.example>"});
  EXPECT_EQ(listed().size(), 2U);
  EXPECT_EQ(reachable(), (Uris{"sip:b@h.example", "sip:a@h.example"})) << "q order";
  EXPECT_EQ(listed_contact(0).q(), 500U);
}

TEST_F(RegistrarTest, AmongEqualsTheLatestIsCalledFirst) {
  next({"<sip:a@h.example>"});
  now = now + 1s;
  next({"<sip:b@h.example>"});
  EXPECT_EQ(reachable(), (Uris{"sip:b@h.example", "sip:a@h.example"}));
}

// ---- limits ----

TEST_F(RegistrarTest, BeyondTheLimitTheLeastRecentlyRefreshedContactGoes) {
  settings.contacts_per_extension = 3;
  configure();
  for (const char* host : {"a", "b", "c"}) {
    next({fmt::format("<sip:x@{}.example>", host)});
    now = now + 1s;
  }
  next({"<sip:x@a.example>"});  // so b is the oldest
  now = now + 1s;
  ASSERT_EQ(next({"<sip:x@d.example>"}), 200);
  EXPECT_EQ(kinds(), (Kinds{Kind::kRemoved, Kind::kAdded}));
  EXPECT_EQ(changes[0].binding.contact, "sip:x@b.example");
  EXPECT_EQ(registrar.binding_count(), 3U);
}

TEST_F(RegistrarTest, MoreContactsThanAllowedInOneRequestAreForbidden) {
  settings.contacts_per_extension = 2;
  configure();
  EXPECT_EQ(next({"<sip:a@h.example>", "<sip:b@h.example>", "<sip:c@h.example>"}), 403);
  EXPECT_EQ(registrar.binding_count(), 0U);
}

TEST_F(RegistrarTest, AContactThatCarriesHeadersIsRefused) {  // RFC 3261 §19.1.5: they would go into INVITEs
  EXPECT_EQ(next({"<sip:a@h.example?Subject=x>"}), 400);
  EXPECT_EQ(next({"<sip:a@h.example;transport=tcp?Route=%3Csip:evil.example%3E>"}), 400);
  EXPECT_EQ(registrar.binding_count(), 0U);
  EXPECT_EQ(next({"<sip:a@h.example>"}), 200);
}

TEST_F(RegistrarTest, OversizedPartsAreRefused) {
  const std::string big(600, 'x');
  EXPECT_EQ(next({"<sip:" + big + "@h.example>"}), 400);
  EXPECT_EQ(next({with_instance("sip:a@h.example", "", big)}), 400);
  EXPECT_EQ(next({"<sip:a@h.example>"},
                 {"Supported: path", "Path: <sip:" + big + "@p.example>, <sip:" + big + "@q.example>"}),
            400);
  EXPECT_EQ(send({.contacts = {"<sip:a@h.example>"}, .call_id = big}), 400);
  EXPECT_EQ(next(std::vector<std::string>(33, "<sip:a@h.example>")), 400);
  EXPECT_EQ(next({"<sip:a@h.example>"}, {"User-Agent: " + big}), 200);
  EXPECT_EQ(changes.at(0).binding.user_agent.size(), 128U);
}

TEST_F(RegistrarTest, AFullRegistrarAsksToTryAgainLater) {
  registrar = Registrar{rng, std::make_shared<const model::Settings>(), {.bindings = 1}};
  ASSERT_EQ(next({"<sip:a@h.example>"}), 200);
  EXPECT_EQ(next({"<sip:b@h.example>"}), 503);
  EXPECT_TRUE(response.has(HeaderName::kRetryAfter));
}

}  // namespace
}  // namespace bw::registrar
