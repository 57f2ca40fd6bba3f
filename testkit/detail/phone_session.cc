// Offer and answer (RFC 3264) and session timers (RFC 4028) of a phone.
#include <fmt/format.h>

#include <algorithm>

#include "testkit/detail/pending.h"
#include "testkit/phone_text.h"
#include "testkit/stage.h"

namespace bw::testkit {
namespace {

constexpr std::uint16_t kFirstMediaPort = 20000;

Direction direction_of(bool sends, bool receives) {
  if (sends) return receives ? Direction::kSendRecv : Direction::kSendOnly;
  return receives ? Direction::kRecvOnly : Direction::kInactive;
}

bool supports_timer(const sip::Message& m) {
  return lists(m, sip::HeaderName::kSupported, "timer");
}

}  // namespace

void Phone::describe(sip::Message& message, std::string_view sdp) const {
  if (!habits_.multipart_bodies) return message.set_body("application/sdp", sdp);
  message.set_body("multipart/mixed;boundary=\"next part\"",
                   fmt::format("--next part\r\nContent-Type: application/pidf+xml\r\n\r\n<presence/>\r\n"
                               "--next part\r\nContent-Type: application/sdp\r\n\r\n{}\r\n--next part--\r\n",
                               sdp));
}

PhoneSdp Phone::make_offer(Line& line) {
  PhoneSdp sdp;
  sdp.session = tone_ * 1000ULL + line.id;
  sdp.version = line.local.version + 1;
  sdp.rtp = {ip_, static_cast<std::uint16_t>(kFirstMediaPort + 2 * line.id)};
  sdp.codecs = habits_.codecs;
  sdp.telephone_event = habits_.telephone_event;
  if (line.held_by_me && habits_.holds_by_address) {
    sdp.black_hole = true;
  } else if (line.held_by_me) {
    sdp.direction = Direction::kSendOnly;
  }
  return sdp;
}

PhoneSdp Phone::make_answer(Line& line, const PhoneSdp& offer) {
  line.remote = offer;
  PhoneSdp sdp = make_offer(line);
  sdp.black_hole = false;
  sdp.codecs.clear();
  for (const auto& theirs : offer.codecs) {  // RFC 3264 §6.1: with the payload numbers of the offer
    const auto mine = std::ranges::find(habits_.codecs, theirs.name, &PhoneCodec::name);
    if (mine != habits_.codecs.end()) sdp.codecs.push_back(theirs);
  }
  sdp.telephone_event = habits_.telephone_event >= 0 ? offer.telephone_event : -1;
  const bool sends = offer.receives();
  const bool receives = offer.sends() && !line.held_by_me;
  sdp.direction = direction_of(sends, receives);
  return sdp;
}

void Phone::take_answer(Line& line, std::string_view body) {
  if (auto answer = PhoneSdp::parse(body)) line.remote = std::move(*answer);
}

void Phone::add_session_timer(sip::Message& request, const Line& line) const {
  if (!habits_.supports_timer || line.session_s == 0) return;
  std::string value = fmt::format("{}", line.session_s);
  if (line.dialog) value += line.refresher ? ";refresher=uac" : ";refresher=uas";
  request.set(sip::HeaderName::kSessionExpires, value);
}

void Phone::answer_session_timer(Line& line, const sip::Message& request, sip::Message& response) {
  const auto asked = request.get(sip::HeaderName::kSessionExpires);
  if (!asked || !habits_.supports_timer) return;
  line.session_s = leading_number(*asked).value_or(0);
  const std::string_view wish = parameter(*asked, "refresher");
  const bool theirs = wish == "uac" || (wish.empty() && supports_timer(request));
  line.refresher = !theirs;
  response.set(sip::HeaderName::kSessionExpires,
               fmt::format("{};refresher={}", line.session_s, theirs ? "uac" : "uas"));
  if (supports_timer(request)) response.add(sip::HeaderName::kRequire, "timer");
}

void Phone::start_session_timer(Line& line, const sip::Message& response) {
  const auto granted = response.get(sip::HeaderName::kSessionExpires);
  line.session_s = granted && habits_.supports_timer ? leading_number(*granted).value_or(0) : 0;
  if (granted) line.refresher = parameter(*granted, "refresher") != "uas";
  arm_session(line);
}

void Phone::arm_session(Line& line) {
  const std::uint32_t round = ++line.session_round;
  if (line.session_s == 0) return;
  const Duration whole = std::chrono::seconds{line.session_s};
  if (line.refresher && habits_.refreshes_sessions) {
    later(whole / 2, line, [this, round](Line& l) {
      if (l.session_round != round || l.state != LineState::kUp) return;
      ++l.refreshes;
      send_change(l);
    });
  }
  // RFC 4028 §10: the side that waits ends it a little before the end.
  const Duration margin = std::min<Duration>(32s, whole / 3);
  later(whole - margin, line, [this, round](Line& l) {
    if (l.session_round == round && l.state == LineState::kUp && habits_.refreshes_sessions) send_bye(l);
  });
}

}  // namespace bw::testkit
