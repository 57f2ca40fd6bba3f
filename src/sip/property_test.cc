// parse(write(x)) == x, for generated messages, URIs and headers, the strange ones included.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "sip/auth_header.h"
#include "sip/contact.h"
#include "sip/cseq.h"
#include "sip/event.h"
#include "sip/framing.h"
#include "sip/grammar.h"
#include "sip/name_addr.h"
#include "sip/rack.h"
#include "sip/reason.h"
#include "sip/replaces.h"
#include "sip/session_expires.h"
#include "sip/uri.h"
#include "sip/validate.h"
#include "sip/via.h"

namespace bw::sip {
namespace {

rc::Gen<std::string> text_of(std::string alphabet, std::size_t least = 0) {
  return rc::gen::suchThat(rc::gen::container<std::string>(rc::gen::elementOf(std::move(alphabet))),
                           [least](const std::string& s) { return s.size() >= least; });
}

rc::Gen<std::string> token() {
  return text_of("abcXYZ019-.!%*_+`'~", 1);
}

// Any bytes, line ends among them.
rc::Gen<std::string> any_text() {
  return rc::gen::arbitrary<std::string>();
}

rc::Gen<std::string> host() {
  return rc::gen::element<std::string>("example.com", "h", "my_host.", "192.0.2.1", "[2001:db8::1]",
                                       "[::ffff:1.2.3.4]");
}

rc::Gen<std::string> params(bool uri) {
  return rc::gen::exec([uri] {
    std::string out;
    const int count = *rc::gen::inRange(0, 4);
    for (int i = 0; i < count; ++i) {
      out += ';';
      out += uri ? *text_of("abcX09-_.!~*'()[]/:&+$", 1) : *token();
      const int form = *rc::gen::inRange(0, 3);
      if (form == 1) out += "=" + (uri ? *text_of("abcX09[]/:&+$", 0) : *token());
      if (form == 2) out += "=" + (uri ? escape_param(*any_text()) : quote(*text_of("ab\"\\;,<> =", 0)));
    }
    return out;
  });
}

// The text of a URI: Uri is a view, so tests keep the text.
rc::Gen<std::string> uri_text() {
  return rc::gen::exec([] {
    std::string out = *rc::gen::element<std::string>("sip:", "sips:", "SIP:");
    if (*rc::gen::arbitrary<bool>()) {
      out += escape_user("u" + *any_text());
      if (*rc::gen::arbitrary<bool>()) out += ":" + *text_of("ab&=+$,", 0);
      out += '@';
    }
    out += *host();
    if (*rc::gen::arbitrary<bool>()) out += ":" + std::to_string(*rc::gen::inRange(1, 65536));
    out += *params(true);
    if (*rc::gen::arbitrary<bool>()) out += "?h=" + escape_header(*any_text());
    return out;
  });
}

rc::Gen<Message> message() {
  return rc::gen::exec([] {
    Message m = *rc::gen::arbitrary<bool>() ? Message::request(*token(), "sip:" + *token())
                                            : Message::response(*rc::gen::inRange(100, 700), *any_text());
    const int count = *rc::gen::inRange(0, 12);
    for (int i = 0; i < count; ++i) {
      if (*rc::gen::arbitrary<bool>()) {
        const auto id =
            static_cast<HeaderName>(*rc::gen::inRange<int>(1, static_cast<int>(kHeaderNameCount)));
        m.add(id, *any_text());
      } else {
        m.add(*token(), *any_text());
      }
    }
    if (*rc::gen::arbitrary<bool>()) m.set_body("x/y", *any_text());
    return m;
  });
}

RC_GTEST_PROP(MessageProperty, WrittenAndReadItIsTheSame, ()) {
  const Message m = *message();
  const auto again = parse(to_string(m));
  RC_ASSERT(again.has_value());
  RC_ASSERT(*again == m);
}

RC_GTEST_PROP(MessageProperty, FoldingAndCompactNamesChangeNothing, ()) {
  const Message m = *message();
  const std::string fold = *rc::gen::element<std::string>("\r\n ", " \r\n\t \t", "\t\r\n \r\n ");
  std::string folded;
  for (const char c : to_string(m)) {
    folded += c;
    if (c == '\n' && folded.ends_with("\r\n\r\n")) break;
  }
  // Blanks of header values become folds; the start line is left alone.
  std::string out = folded.substr(0, folded.find('\n') + 1);
  for (const char c : folded.substr(out.size())) out += c == ' ' ? fold : std::string(1, c);
  out += m.body();
  const auto a = parse(to_string(m));
  const auto b = parse(out);
  RC_ASSERT(a.has_value());
  RC_ASSERT(b.has_value());
  RC_ASSERT(a->header_count() == b->header_count());
  RC_ASSERT(a->body() == b->body());
  for (std::size_t i = 0; i < a->header_count(); ++i) RC_ASSERT(a->header(i).name == b->header(i).name);
}

RC_GTEST_PROP(MessageProperty, EditsLeaveTheOtherHeadersAlone, ()) {
  Message m = *message();
  m.remove(HeaderName::kVia);
  const Message before = m;
  const auto vias = *rc::gen::container<std::vector<std::string>>(token());
  for (const std::string& v : vias) m.prepend(HeaderName::kVia, v);
  RC_ASSERT(m.elements(HeaderName::kVia).size() == vias.size());
  for (std::size_t i = vias.size(); i-- > 0;) {
    RC_ASSERT(m.first_element(HeaderName::kVia) == vias[i]);
    m.replace_first_element(HeaderName::kVia, vias[i] + ";x");
    RC_ASSERT(m.first_element(HeaderName::kVia) == vias[i] + ";x");
    m.remove_first_element(HeaderName::kVia);
  }
  RC_ASSERT(m == before);
}

RC_GTEST_PROP(MessageProperty, ManyChangesDoNotGrowItWithoutEnd, ()) {
  Message m = *message();
  for (int i = 0; i < 2'000; ++i) m.set(HeaderName::kSubject, std::string(100, 'x'));
  RC_ASSERT(m.get(HeaderName::kSubject) == std::string(100, 'x'));
  RC_ASSERT(m.memory_bytes() < 40'000U);
}

RC_GTEST_PROP(MessageProperty, ReadingAnyBytesIsHarmless, ()) {
  const std::string bytes = "INVITE sip:a@b SIP/2.0\r\n" + *any_text() + "\r\n\r\n" + *any_text();
  const auto m = parse(bytes);
  if (!m) return;
  (void)validate(*m);
  RC_ASSERT((parse(to_string(*m)) == *m));
}

RC_GTEST_PROP(FramingProperty, SplitsDoNotMatter, ()) {
  const Message a = *message();
  const Message b = *message();
  const std::string stream = to_string(a) + to_string(b);
  StreamFramer framer;
  std::vector<Message> got;
  for (std::size_t at = 0; at < stream.size();) {
    const auto size = *rc::gen::inRange<std::size_t>(1, 200);
    framer.feed(std::string_view{stream}.substr(at, size));
    at += size;
    while (const auto event = framer.next()) {
      RC_ASSERT(std::holds_alternative<StreamFramer::Frame>(*event));
      got.push_back(*parse(std::get<StreamFramer::Frame>(*event).bytes));
    }
  }
  RC_ASSERT(got == (std::vector<Message>{a, b}));
}

RC_GTEST_PROP(UriProperty, WrittenAndReadItIsTheSame, ()) {
  const std::string text = *uri_text();
  const auto u = Uri::parse(text);
  RC_ASSERT(u.has_value());
  const std::string written = u->to_string();
  const auto again = Uri::parse(written);
  RC_ASSERT(again == u);
  RC_ASSERT(equivalent(*u, *again));
}

RC_GTEST_PROP(UriProperty, EquivalenceIsSymmetric, ()) {
  const std::string a = *uri_text();
  const std::string b = *uri_text();
  RC_ASSERT(equivalent(*Uri::parse(a), *Uri::parse(b)) == equivalent(*Uri::parse(b), *Uri::parse(a)));
}

RC_GTEST_PROP(UriProperty, AnyTextCanBeAUser, ()) {
  const std::string user = "x" + *any_text();
  const std::string text = "sip:" + escape_user(user) + "@h";
  RC_ASSERT(unescape(Uri::parse(text)->user) == user);
}

RC_GTEST_PROP(HeaderProperty, NameAddr, ()) {
  const std::string uri = *uri_text();
  const std::string text = make_name_addr(*text_of("ab \"\\<>,;\xC3\xBC", 0), uri, *params(false));
  const auto parsed = NameAddr::parse(text);
  RC_ASSERT(parsed.has_value());
  RC_ASSERT(parsed->uri == uri);
  RC_ASSERT(NameAddr::parse(parsed->to_string()) == parsed);
  const std::string tagged = with_tag(text, "t1");
  RC_ASSERT(tag_of(tagged) == "t1");
  std::string_view rest = text;
  RC_ASSERT(next_element(rest) == text);  // no comma of it splits a list
}

RC_GTEST_PROP(HeaderProperty, Via, ()) {
  std::string text = "SIP/2.0/" + *token() + " " + *host();
  if (*rc::gen::arbitrary<bool>()) text += ":" + std::to_string(*rc::gen::inRange(1, 65536));
  text += *params(false);
  const auto via = Via::parse(text);
  RC_ASSERT(via.has_value());
  RC_ASSERT(via->to_string() == text);
  const Endpoint source{IpAddress::v4(*rc::gen::arbitrary<std::uint32_t>()),
                        *rc::gen::inRange<std::uint16_t>(1, 65535)};
  const std::string with_rport = Params{via->params}.with_flag("rport");
  struct Via asking = *via;
  asking.params = Params{with_rport};
  const std::string rewritten = asking.with_source(source);
  RC_ASSERT(Via::parse(rewritten)->response_address() == source);
}

RC_GTEST_PROP(HeaderProperty, NumbersAndTags, ()) {
  const auto number = *rc::gen::inRange<std::uint32_t>(1, 0x7FFFFFFF);
  const std::string name = *token();
  const CSeq cseq{number, method_from(name), name};
  const std::string cseq_text = cseq.to_string();
  RC_ASSERT(CSeq::parse(cseq_text) == cseq);
  const RAck rack{number, cseq};
  const std::string rack_text = rack.to_string();
  RC_ASSERT(RAck::parse(rack_text) == rack);
  const SessionExpires timer{number,
                             *rc::gen::element(Refresher::kUnspecified, Refresher::kUac, Refresher::kUas)};
  RC_ASSERT(SessionExpires::parse(timer.to_string()) == timer);
  const std::string from_tag = *token();
  const Replaces replaces{name, name, from_tag, *rc::gen::arbitrary<bool>()};
  const std::string replaces_text = replaces.to_string();
  RC_ASSERT(Replaces::parse(replaces_text) == replaces);
  const std::string event_text = name + *params(false);
  RC_ASSERT(Event::parse(event_text)->to_string() == event_text);
  const std::string words = *text_of("ab \"\\,;", 1);
  const std::string reason_text = make_reason(name, static_cast<std::uint16_t>(number & 0xFFFF), words);
  RC_ASSERT(Reason::parse(reason_text)->plain_text() == words);
}

RC_GTEST_PROP(HeaderProperty, DigestCredentials, ()) {
  std::vector<std::string> texts;
  for (int i = 0; i < 8; ++i) {
    const std::string quoted = quote(*text_of("ab09,;<>= \"\\", 1));
    texts.push_back(quoted.substr(1, quoted.size() - 2));
  }
  const std::string algorithm = *token();
  const Credentials c{texts[0],  texts[1], texts[2], texts[3], texts[4],
                      algorithm, texts[5], texts[6], "auth",   "00000001"};
  const std::string text = c.to_string();
  RC_ASSERT(Credentials::parse(text) == c);
  const Challenge challenge{texts[0], texts[1], texts[2], texts[3], algorithm, texts[4], "true"};
  const std::string challenge_text = challenge.to_string();
  RC_ASSERT(Challenge::parse(challenge_text) == challenge);
}

}  // namespace
}  // namespace bw::sip
