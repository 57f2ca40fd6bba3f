// What a registration is besides its URI: instance and flow (RFC 5626), path (RFC 3327), GRUU (RFC 5627),
// time, connection and restart.
#include "registrar/detail/registrar_fixture.h"
#include "sip/uri.h"

namespace bw::registrar {
namespace {

// ---- phones that reboot; RFC 5626 ----

TEST_F(RegistrarTest, APhoneThatRebootsReplacesItsOldContact) {
  next({with_instance("sip:1001@192.0.2.9:5060")});
  ASSERT_EQ(send({.contacts = {with_instance("sip:1001@192.0.2.77:5062")}, .call_id = "after-boot"}), 200);
  EXPECT_EQ(kinds(), (Kinds{Kind::kRemoved, Kind::kAdded}));
  EXPECT_EQ(listed(), Uris{"sip:1001@192.0.2.77:5062"});
}

TEST_F(RegistrarTest, APhoneThatChangesItsAddressWithoutRebootingIsRefreshed) {
  next({with_instance("sip:1001@192.0.2.9:5060")});
  next({with_instance("sip:1001@192.0.2.77:5062")});
  EXPECT_EQ(kinds(), Kinds{Kind::kRefreshed});
  EXPECT_EQ(changes[0].binding.first_registered, kNow);
  EXPECT_EQ(listed(), Uris{"sip:1001@192.0.2.77:5062"});
}

TEST_F(RegistrarTest, OldAndNewContactOfAnInstanceMayComeInOneRequestInEitherOrder) {
  for (const bool old_first : {true, false}) {
    next({with_instance("sip:old@h.example")});
    std::vector<std::string> both{with_instance("sip:old@h.example", ";expires=0"),
                                  with_instance("sip:new@h.example")};
    if (!old_first) std::swap(both[0], both[1]);
    ASSERT_EQ(next(both), 200);
    EXPECT_EQ(listed(), Uris{"sip:new@h.example"});
  }
}

TEST_F(RegistrarTest, OutboundFlowsOfOnePhoneLiveSideBySideAndOneOfThemIsCalled) {
  const std::vector<std::string> supported{"Supported: path, outbound"};
  ASSERT_EQ(next({with_instance("sip:1001@h.example", ";reg-id=1")}, supported, tcp(1)), 200);
  EXPECT_EQ(response.get(HeaderName::kRequire), "outbound");
  EXPECT_TRUE(response.has(HeaderName::kFlowTimer));
  EXPECT_EQ(listed_contact().reg_id(), 1U);
  EXPECT_EQ(listed_contact().instance(), kInstance);
  now = now + 1s;
  ASSERT_EQ(next({with_instance("sip:1001@h.example", ";reg-id=2")}, supported, tcp(2)), 200);
  EXPECT_EQ(registrar.binding_count(), 2U);
  ASSERT_EQ(registrar.contacts("1001", now).size(), 1U);
  EXPECT_EQ(registrar.contacts("1001", now)[0]->reg_id, 2U);
  registrar.connection_lost({2}, now);
  ASSERT_EQ(registrar.contacts("1001", now).size(), 1U) << "the other flow takes over";
  EXPECT_EQ(registrar.contacts("1001", now)[0]->reg_id, 1U);
}

TEST_F(RegistrarTest, TheSameRegIdReplacesItsFlow) {
  const std::vector<std::string> supported{"Supported: outbound"};
  next({with_instance("sip:1001@a.example", ";reg-id=1")}, supported, tcp(1));
  next({with_instance("sip:1001@b.example", ";reg-id=1")}, supported, tcp(2));
  EXPECT_EQ(registrar.binding_count(), 1U);
  EXPECT_TRUE(registrar.connection_lost({1}, now).empty());
  EXPECT_EQ(reachable(), Uris{"sip:1001@b.example"}) << "the lost connection is not its own any more";
}

TEST_F(RegistrarTest, RegIdWithoutOutboundOrWithoutAnInstanceMeansNothing) {
  next({with_instance("sip:1001@a.example", ";reg-id=1")});
  EXPECT_FALSE(response.has(HeaderName::kRequire));
  EXPECT_EQ(changes.at(0).binding.reg_id, 0U);
  next({"<sip:b@h.example>;reg-id=1"}, {"Supported: outbound"});
  EXPECT_FALSE(response.has(HeaderName::kRequire));
}

TEST_F(RegistrarTest, BehindAProxyThatHoldsNoFlowsTheContactIsAnOrdinaryOne) {
  Reg reg{.contacts = {with_instance("sip:1001@a.example", ";reg-id=1")},
          .lines = {"Supported: outbound"},
          .vias = 2};
  ASSERT_EQ(send(reg), 200);
  EXPECT_FALSE(response.has(HeaderName::kRequire));
  EXPECT_EQ(changes.at(0).binding.reg_id, 0U);
  reg.cseq = 2;
  reg.lines = {"Supported: outbound, path", "Path: <sip:edge.example;lr;ob>"};
  ASSERT_EQ(send(reg), 200);
  EXPECT_EQ(response.get(HeaderName::kRequire), "outbound");
}

TEST_F(RegistrarTest, TwoFlowsInOneRequestAreRefused) {
  EXPECT_EQ(
      next({with_instance("sip:a@h.example", ";reg-id=1"), with_instance("sip:a@h.example", ";reg-id=2")},
           {"Supported: outbound"}),
      400);
}

TEST_F(RegistrarTest, AnInstanceCannotBreakOutOfItsQuotes) {
  EXPECT_EQ(next({"<sip:a@h.example>;+sip.instance=\"<a\\\"b>\""}), 400);
}

// ---- Path, RFC 3327 ----

TEST_F(RegistrarTest, PathIsKeptInOrderAndEchoedToPhonesThatKnowIt) {
  next({"<sip:a@h.example>"},
       {"Supported: path", "Path: <sip:p2.example;lr>,<sip:p1.example;lr>", "Path: <sip:p0.example;lr>"});
  EXPECT_EQ(changes.at(0).binding.path,
            (Uris{"<sip:p2.example;lr>", "<sip:p1.example;lr>", "<sip:p0.example;lr>"}));
  EXPECT_EQ(response.elements(HeaderName::kPath).size(), 3U);
  next({"<sip:a@h.example>"}, {"Path: <sip:p.example;lr>"});
  EXPECT_FALSE(response.has(HeaderName::kPath));
  EXPECT_EQ(changes.at(0).binding.path, Uris{"<sip:p.example;lr>"});
  EXPECT_EQ(next({"<sip:a@h.example>"}, {"Path: nonsense"}), 400);
}

// ---- GRUU, RFC 5627 ----

std::string_view unquoted(const sip::Contact& contact, std::string_view name) {
  std::string_view text = contact.address.params.get(name).value_or("");
  if (text.size() >= 2) text = text.substr(1, text.size() - 2);
  return text;
}

TEST_F(RegistrarTest, GruusAreGivenToPhonesThatAskAndLeadToThatPhone) {
  next({"<sip:other@h.example>"});
  ASSERT_EQ(next({with_instance("sip:1001@a.example")}, {"Supported: gruu"}), 200);
  const std::string ours = response.get(HeaderName::kContact).has_value()
                               ? std::string{response.elements(HeaderName::kContact)[1]}
                               : "";
  const auto contact = *sip::Contact::parse(ours);
  const auto pub = sip::Uri::parse(unquoted(contact, "pub-gruu"));
  const auto temp = sip::Uri::parse(unquoted(contact, "temp-gruu"));
  ASSERT_TRUE(pub && temp) << ours;
  EXPECT_EQ(pub->user, "1001");
  EXPECT_EQ(pub->host, "bellwire.example");
  EXPECT_EQ(*sip::unescape(*pub->params.get("gr")), kInstance);
  EXPECT_EQ(temp->user.find("1001"), std::string_view::npos) << "it hides who it is";
  EXPECT_EQ(temp->params.get("gr"), "");
  const auto* by_pub = registrar.by_gruu("1001", kInstance, now);
  const auto* by_temp = registrar.by_gruu(temp->user, "", now);
  ASSERT_TRUE(by_pub != nullptr && by_temp != nullptr);
  EXPECT_EQ(by_pub->contact, "sip:1001@a.example");
  EXPECT_EQ(by_temp, by_pub);
}

TEST_F(RegistrarTest, ATemporaryGruuEndsWhenThePhoneRegistersWithAnotherCallId) {
  const auto temp_user = [&] {
    const std::string line{response.elements(HeaderName::kContact).at(0)};
    return std::string{sip::Uri::parse(unquoted(*sip::Contact::parse(line), "temp-gruu"))->user};
  };
  next({with_instance("sip:1001@a.example")}, {"Supported: gruu"});
  const std::string first = temp_user();
  next({with_instance("sip:1001@a.example")}, {"Supported: gruu"});
  const std::string second = temp_user();
  EXPECT_NE(first, second);
  EXPECT_NE(registrar.by_gruu(first, "", now), nullptr) << "RFC 5627 §4.2: all of one Call-ID are good";
  EXPECT_NE(registrar.by_gruu(second, "", now), nullptr);
  send({.contacts = {with_instance("sip:1001@a.example")},
        .call_id = "after-boot",
        .lines = {"Supported: gruu"}});
  EXPECT_EQ(registrar.by_gruu(first, "", now), nullptr);
  EXPECT_NE(registrar.by_gruu(temp_user(), "", now), nullptr);
  std::string bent = temp_user();
  bent.back() = bent.back() == 'A' ? 'B' : 'A';
  EXPECT_EQ(registrar.by_gruu(bent, "", now), nullptr);
}

TEST_F(RegistrarTest, GruusOfPhonesThatAreGoneLeadNowhere) {
  next({with_instance("sip:1001@a.example")}, {"Supported: gruu"});
  now = now + 3600s;
  EXPECT_EQ(registrar.by_gruu("1001", kInstance, now), nullptr);
  EXPECT_EQ(registrar.by_gruu("1001", "", now), nullptr);
  EXPECT_EQ(registrar.by_gruu("tgruu.", "", now), nullptr);
}

// ---- time, connections, restart ----

TEST_F(RegistrarTest, AContactExpiresAtItsTimeAndIsToldOnce) {
  next({"<sip:a@h.example>;expires=60", "<sip:b@h.example>;expires=120"});
  EXPECT_EQ(registrar.deadline().at, now + 60s);
  now = now + 60s;
  EXPECT_EQ(reachable(), Uris{"sip:b@h.example"}) << "also before expire() was called";
  changes = registrar.expire(now);
  ASSERT_EQ(kinds(), Kinds{Kind::kRemoved});
  EXPECT_EQ(changes[0].why, "expired");
  EXPECT_TRUE(registrar.expire(now).empty());
  now = now + 60s;
  EXPECT_EQ(registrar.expire(now).size(), 1U);
  EXPECT_EQ(registrar.deadline().at, Instant::far_future());
  EXPECT_EQ(registrar.extension_count(), 0U);
}

TEST_F(RegistrarTest, AnExpiredContactThatComesBackBeforeItsTimerIsNew) {
  next({"<sip:a@h.example>;expires=60"});
  now = now + 60s;
  next({"<sip:a@h.example>"});
  EXPECT_EQ(kinds(), (Kinds{Kind::kRemoved, Kind::kAdded}));
}

TEST_F(RegistrarTest, AContactDiesWithItsConnectionAfterTheGrace) {
  next({"<sip:a@h.example;transport=tcp>"}, {}, tcp(5));
  EXPECT_TRUE(registrar.connection_lost({5}, now).empty());
  EXPECT_TRUE(reachable().empty()) << "it cannot be called meanwhile";
  EXPECT_EQ(registrar.bindings("1001", now).size(), 1U);
  EXPECT_EQ(registrar.deadline().at, now + 10s);
  now = now + 10s;
  changes = registrar.expire(now);
  ASSERT_EQ(kinds(), Kinds{Kind::kRemoved});
  EXPECT_EQ(changes[0].why, "connection lost");
}

TEST_F(RegistrarTest, APhoneBackWithinTheGraceKeepsItsBinding) {
  next({with_instance("sip:1001@192.0.2.1:40001;transport=tcp")}, {}, tcp(5));
  registrar.connection_lost({5}, now);
  now = now + 9s;
  ASSERT_EQ(
      send({.contacts = {with_instance("sip:1001@192.0.2.1:40002;transport=tcp")}, .call_id = "another"},
           tcp(6)),
      200);
  ASSERT_EQ(kinds(), Kinds{Kind::kRefreshed});
  EXPECT_EQ(changes[0].binding.first_registered, kNow);
  EXPECT_EQ(reachable(), Uris{"sip:1001@192.0.2.1:40002;transport=tcp"});
  now = now + 10s;
  EXPECT_TRUE(registrar.expire(now).empty());
  registrar.connection_lost({6}, now);
  EXPECT_TRUE(reachable().empty());
}

TEST_F(RegistrarTest, WithoutGraceALostConnectionEndsItsContactsAtOnce) {
  settings.connection_grace = 0s;
  configure();
  next({"<sip:a@h.example>", "<sip:b@h.example>"}, {}, tcp(5));
  next({"<sip:c@h.example>"});
  EXPECT_EQ(registrar.connection_lost({5}, now).size(), 2U);
  EXPECT_EQ(reachable(), Uris{"sip:c@h.example"});
}

TEST_F(RegistrarTest, AfterARestartPhonesCanBeCalledBeforeTheyRegisterAgain) {
  next({with_instance("sip:1001@a.example")});
  std::vector<model::Binding> stored{changes.at(0).binding};
  next({"<sip:b@h.example>;expires=60"}, {}, tcp(9));
  stored.push_back(changes.at(0).binding);

  now = now + 61s;
  registrar = Registrar{rng, std::make_shared<const model::Settings>()};
  registrar.restore(stored, now);
  EXPECT_EQ(reachable(), Uris{"sip:1001@a.example"});
  EXPECT_EQ(registrar.contacts("1001", now)[0]->flow, udp());
  EXPECT_EQ(registrar.expire(now).size(), 1U)
      << "what ended meanwhile is told, so that it leaves the database";
  EXPECT_EQ(next({with_instance("sip:1001@a.example")}), 200);
  EXPECT_EQ(kinds(), Kinds{Kind::kRefreshed});
}

TEST_F(RegistrarTest, RestoredContactsAreNotTiedToConnectionsOfNow) {
  next({"<sip:a@h.example>"}, {}, tcp(1));
  std::vector<model::Binding> stored{changes.at(0).binding};
  registrar = Registrar{rng, std::make_shared<const model::Settings>()};
  registrar.restore(stored, now);
  registrar.connection_lost({1}, now);
  EXPECT_EQ(reachable(), Uris{"sip:a@h.example"});
  EXPECT_FALSE(registrar.contacts("1001", now)[0]->flow.connection);
}

TEST_F(RegistrarTest, AnExtensionThatIsDeletedLosesItsContacts) {
  next({"<sip:a@h.example>", "<sip:b@h.example>"});
  EXPECT_EQ(registrar.drop("1001", "for a test").size(), 2U);
  EXPECT_EQ(registrar.drop("1001", "for a test").size(), 0U);
  EXPECT_EQ(registrar.extension_count(), 0U);
}

}  // namespace
}  // namespace bw::registrar
