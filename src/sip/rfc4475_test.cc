// The torture messages of RFC 4475, each with the verdict its section gives. The files in testdata/rfc4475
// were rebuilt from the text of the RFC: <repeat>, <hex> and <allOneLine> are expanded, line ends are CRLF.
// As in the archive of the RFC, baddn.dat lacks the empty line after its headers.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "sip/auth_header.h"
#include "sip/contact.h"
#include "sip/framing.h"
#include "sip/name_addr.h"
#include "sip/number.h"
#include "sip/validate.h"
#include "sip/via.h"

namespace bw::sip {
namespace {

std::string load(std::string_view name) {
  const std::string path =
      std::string{BW_SOURCE_DIR "/src/sip/testdata/rfc4475/"} + std::string{name} + ".dat";
  std::ifstream in{path, std::ios::binary};
  EXPECT_TRUE(in.good()) << path;
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

Message parsed(std::string_view name) {
  auto m = parse(load(name));
  EXPECT_TRUE(m.has_value()) << name << ": " << (m ? "" : to_sentence(m.error()));
  return m ? std::move(*m) : Message::response(500);
}

// What becomes of the message: a status for a request; kTaken; or kDropped for a response.
constexpr int kTaken = 0;
constexpr int kDropped = -1;

int fate(std::string_view bytes) {
  Message salvage;
  const auto m = parse(bytes, {}, &salvage);
  if (!m)
    return salvage.is_request() && !salvage.method_name().empty() ? status_of(m.error()).value_or(-1)
                                                                  : kDropped;
  if (m->is_response()) return validate_response(*m) ? kDropped : kTaken;
  const auto rejection = validate(*m);
  return rejection ? rejection->status : kTaken;
}

struct Verdict {
  std::string_view section;
  std::string_view name;
  int fate;
};

constexpr Verdict kVerdicts[] = {
    {"3.1.1.1", "wsinv", kTaken},
    {"3.1.1.2", "intmeth", kTaken},
    {"3.1.1.3", "esc01", kTaken},
    {"3.1.1.4", "escnull", kTaken},
    {"3.1.1.5", "esc02", kTaken},
    {"3.1.1.6", "lwsdisp", kTaken},
    {"3.1.1.7", "longreq", kTaken},
    {"3.1.1.8", "dblreq", kTaken},
    {"3.1.1.9", "semiuri", kTaken},
    {"3.1.1.10", "transports", kTaken},
    {"3.1.1.11", "mpart01", kTaken},
    {"3.1.1.12", "unreason", kTaken},
    {"3.1.1.13", "noreason", kTaken},
    {"3.1.2.1", "badinv01", 400},
    {"3.1.2.2", "clerr", 400},
    {"3.1.2.3", "ncl", 400},
    {"3.1.2.4", "scalar02", 400},
    {"3.1.2.5", "scalarlg", kDropped},
    {"3.1.2.6", "quotbal", 400},
    {"3.1.2.7", "ltgtruri", 400},
    {"3.1.2.8", "lwsruri", 400},
    {"3.1.2.9", "lwsstart", 400},  // "acceptable"; being liberal would be, too
    {"3.1.2.10", "trws", 400},     // likewise
    {"3.1.2.11", "escruri", 400},
    {"3.1.2.12", "baddate", kTaken},  // either is allowed; nothing here reads Date
    {"3.1.2.13", "regbadct", 400},
    {"3.1.2.14", "badaspec", 400},
    {"3.1.2.15", "baddn", 400},
    {"3.1.2.16", "badvers", 505},
    {"3.1.2.17", "mismatch01", 400},
    {"3.1.2.18", "mismatch02", 400},  // 501 or 400
    {"3.1.2.19", "bigcode", kDropped},
    {"3.2.1", "badbranch", kTaken},
    {"3.3.1", "insuf", 400},
    {"3.3.2", "unkscm", 416},
    {"3.3.3", "novelsc", 416},
    {"3.3.4", "unksm2", 400},
    {"3.3.5", "bext01", 420},
    {"3.3.6", "invut", 415},
    {"3.3.7", "regaut01", kTaken},  // the registrar challenges it
    {"3.3.8", "multi01", 400},
    {"3.3.9", "mcl01", 400},
    {"3.3.10", "bcast", kDropped},
    {"3.3.11", "zeromf", kTaken},  // an OPTIONS for us ends here, so it is answered
    {"3.3.12", "cparam01", kTaken},
    {"3.3.13", "cparam02", kTaken},
    {"3.3.14", "regescrt", kTaken},
    {"3.3.15", "sdp01", 406},
    {"3.4.1", "inv2543", kTaken},
};

class Rfc4475 : public testing::TestWithParam<Verdict> {};

TEST_P(Rfc4475, MeetsItsVerdict) {
  EXPECT_EQ(fate(load(GetParam().name)), GetParam().fate);
}

TEST_P(Rfc4475, WhatIsTakenSurvivesBeingWritten) {
  const auto m = parse(load(GetParam().name));
  if (!m) return;
  const auto again = parse(to_string(*m));
  ASSERT_TRUE(again.has_value()) << to_string(*m);
  EXPECT_EQ(*again, *m) << to_string(*m);
}

std::string test_name(const testing::TestParamInfo<Verdict>& info) {
  return std::string{info.param.name};
}
INSTANTIATE_TEST_SUITE_P(Messages, Rfc4475, testing::ValuesIn(kVerdicts), test_name);

TEST(Rfc4475Content, AllFortyNineAreHere) {
  EXPECT_EQ(std::size(kVerdicts), 49U);
}

TEST(Rfc4475Content, WhiteSpaceAndFoldsLeaveTheValuesIntact) {
  const Message m = parsed("wsinv");
  EXPECT_EQ(tag_of(*m.get(HeaderName::kTo)), "1918181833n");
  const auto from = NameAddr::parse(*m.get(HeaderName::kFrom));
  EXPECT_EQ(from->tag(), "98asjd8");
  EXPECT_EQ(from->display_name(), "J Rosenberg \\\"");
  EXPECT_EQ(max_forwards_of(m), 68);
  EXPECT_EQ(m.get(HeaderName::kSubject), "");
  EXPECT_EQ(m.get("NewFangledHeader"), "newfangled value continued newfangled value");
  EXPECT_EQ(m.get("UnknownHeaderWithUnusualValue"), ";;,,;;,;");
  const auto vias = m.elements(HeaderName::kVia);
  ASSERT_EQ(vias.size(), 3U);
  EXPECT_EQ(Via::parse(vias[0])->host, "192.0.2.2");
  EXPECT_EQ(Via::parse(vias[0])->branch(), "390skdjuw");
  EXPECT_EQ(Via::parse(vias[1])->transport, "TCP");
  EXPECT_EQ(Via::parse(vias[1])->branch(), "z9hG4bK9ikj8");
  EXPECT_EQ(Via::parse(vias[2])->branch(), "z9hG4bK30239");
  const auto contact = Contact::parse(*m.first_element(HeaderName::kContact));
  EXPECT_EQ(contact->address.display_name(), "Quoted string \"\"");
  EXPECT_EQ(contact->address.params.get("newparam"), "newvalue");
  EXPECT_TRUE(contact->address.params.has("secondparam"));
  EXPECT_EQ(contact->q(), 330);
  EXPECT_EQ(m.body().size(), 150U);
}

TEST(Rfc4475Content, UnusualCharactersAreKept) {
  const Message m = parsed("intmeth");
  EXPECT_EQ(m.method(), Method::kUnknown);
  EXPECT_EQ(m.method_name(), "!interesting-Method0123456789_*+`.%indeed'~");
  const auto uri = Uri::parse(m.request_uri());
  EXPECT_EQ(uri->user, "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*");
  EXPECT_EQ(uri->password, "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)");
  const auto to = NameAddr::parse(*m.get(HeaderName::kTo));
  EXPECT_EQ(to->display_name(), std::string("BEL:\x07 NUL:\x00 DEL:\x7F", 17));
  EXPECT_EQ(m.get("extensionheader-!.%*+_`'~"), "\xEF\xBB\xBF大停電");
  const auto from = NameAddr::parse(*m.get(HeaderName::kFrom));
  EXPECT_EQ(from->params.get("fromParam''~+*_!.-%"), "\"работающий\"");
  EXPECT_EQ(from->tag(), "_token~1'+`*%!-.");
}

TEST(Rfc4475Content, EscapesAreDecodedOnlyWhenAsked) {
  const Message m = parsed("esc01");
  const auto uri = Uri::parse(m.request_uri());
  EXPECT_EQ(uri->user, "sips%3Auser%40example.com");
  EXPECT_EQ(uri->decoded_user(), "sips:user@example.com");
  EXPECT_EQ(uri->host, "example.net");
  const auto contact = Uri::parse(uri_of(*m.first_element(HeaderName::kContact)));
  EXPECT_TRUE(equivalent(*contact, *Uri::parse("sip:caller@host5.example.net;lr;name=value%25%34%31")));
}

TEST(Rfc4475Content, EscapedNullIsPartOfTheUser) {
  const Message m = parsed("escnull");
  EXPECT_EQ(Uri::parse(uri_of(*m.get(HeaderName::kTo)))->decoded_user(), std::string("null-\0-null", 11));
  EXPECT_EQ(m.elements(HeaderName::kContact).size(), 2U);
}

TEST(Rfc4475Content, PercentInAMethodOrHeaderNameIsNoEscape) {
  const Message m = parsed("esc02");
  EXPECT_EQ(m.method(), Method::kUnknown);
  EXPECT_EQ(m.elements(HeaderName::kContact).size(), 2U);
  EXPECT_EQ(m.get("C%6Fntact"), "<sip:alias2@host2.example.com>");
  EXPECT_EQ(NameAddr::parse(*m.get(HeaderName::kTo))->display_name(), "%Z%45");
}

TEST(Rfc4475Content, OctetsBehindTheBodyOfADatagramAreIgnored) {
  const Message m = parsed("dblreq");
  EXPECT_EQ(m.method(), Method::kRegister);
  EXPECT_TRUE(m.body().empty());
}

TEST(Rfc4475Content, OnAStreamTheSecondRequestIsReadToo) {
  StreamFramer framer;
  framer.feed(load("dblreq"));
  EXPECT_TRUE(std::holds_alternative<StreamFramer::Frame>(*framer.next()));
  EXPECT_TRUE(std::holds_alternative<StreamFramer::Pong>(*framer.next()));
  const auto second = framer.next();
  ASSERT_TRUE(second && std::holds_alternative<StreamFramer::Frame>(*second));
  EXPECT_EQ(parse(std::get<StreamFramer::Frame>(*second).bytes)->method(), Method::kInvite);
}

TEST(Rfc4475Content, ParametersOfTheUserPartAreNotOfTheUri) {
  const Message m = parsed("semiuri");
  const auto uri = Uri::parse(m.request_uri());
  EXPECT_EQ(uri->user, "user;par=u%40example.net");
  EXPECT_EQ(uri->host, "example.com");
  EXPECT_TRUE(uri->params.text.empty());
}

TEST(Rfc4475Content, UnknownTransportsAreReadInTheirOrder) {
  std::string all;
  const Message m = parsed("transports");
  for (const auto via : m.elements(HeaderName::kVia)) all.append(Via::parse(via)->transport).append(" ");
  EXPECT_EQ(all, "UDP SCTP TLS UNKNOWN TCP ");
}

TEST(Rfc4475Content, BinaryBodyIsKeptByteForByte) {
  const std::string bytes = load("mpart01");
  const Message m = parsed("mpart01");
  EXPECT_EQ(m.body().size(), 553U);
  EXPECT_TRUE(bytes.ends_with(m.body()));
}

TEST(Rfc4475Content, ReasonPhrasesMayBeForeignOrEmpty) {
  EXPECT_EQ(parsed("unreason").reason(), "= 2**3 * 5**2 но сто девяносто девять - простое");
  EXPECT_EQ(parsed("noreason").reason(), "");
  EXPECT_TRUE(to_string(parsed("noreason")).starts_with("SIP/2.0 100 \r\n"));
}

TEST(Rfc4475Content, BareDisplayNameWithCommaIsRefusedEvenInACompleteMessage) {
  const std::string bytes = load("baddn") + "\r\n";
  EXPECT_TRUE(parse(bytes).has_value());
  EXPECT_EQ(fate(bytes), 400);
}

TEST(Rfc4475Content, UnsupportedExtensionsAreNamed) {
  const auto rejection = validate(parsed("bext01"));
  EXPECT_EQ(rejection->header, HeaderName::kUnsupported);
  EXPECT_EQ(rejection->header_value, "nothingSupportsThis, nothingSupportsThisEither");
}

TEST(Rfc4475Content, BranchThatIsOnlyTheCookieIsNoBranch) {
  const Message m = parsed("badbranch");
  EXPECT_FALSE(Via::top(m)->has_magic_branch());
}

TEST(Rfc4475Content, UnknownAuthorizationSchemeIsNoCredential) {
  const Message m = parsed("regaut01");
  EXPECT_EQ(auth_scheme(*m.get(HeaderName::kAuthorization)), "NoOneKnowsThisScheme");
  EXPECT_FALSE(Credentials::parse(*m.get(HeaderName::kAuthorization)));
}

TEST(Rfc4475Content, ParametersBelongToTheHeaderWithoutBracketsAndToTheUriWithin) {
  const Message bare = parsed("cparam01");
  const Message within = parsed("cparam02");
  const auto a = Contact::parse(*bare.get(HeaderName::kContact));
  const auto b = Contact::parse(*within.get(HeaderName::kContact));
  EXPECT_TRUE(a->address.params.has("unknownparam"));
  EXPECT_FALSE(Uri::parse(a->address.uri)->params.has("unknownparam"));
  EXPECT_FALSE(b->address.params.has("unknownparam"));
  EXPECT_TRUE(Uri::parse(b->address.uri)->params.has("unknownparam"));
}

TEST(Rfc4475Content, EscapedHeadersOfAContactAreKept) {
  const Message m = parsed("regescrt");
  const auto contact = Contact::parse(*m.get(HeaderName::kContact));
  EXPECT_EQ(Uri::parse(contact->address.uri)->headers, "Route=%3Csip:sip.example.com%3E");
}

TEST(Rfc4475Content, ZeroMaxForwardsIsReadAsZero) {
  EXPECT_EQ(max_forwards_of(parsed("zeromf")), 0);
}

}  // namespace
}  // namespace bw::sip
