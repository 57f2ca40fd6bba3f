// Members whose sound travels through a browser's media session and not through ports of their own
// (docs/browser-calling.md). All sessions live in media loop 0, so a call with a browser in it does too.
#include <algorithm>
#include <iterator>
#include <utility>

#include "calls/browser_side.h"
#include "calls/detail/engine.h"
#include "calls/payload_formats.h"
#include "sip/uri.h"

namespace bw::calls {
namespace {

constexpr media::LoopIndex kBrowserLoop = 0;
constexpr Duration kFarewell = 1s;

constexpr std::uint64_t kSessions = 1ULL << 63U;  // apart from the numbers of sessions over REST

bool over_rest(const sip::Flow& flow) {
  return flow.transport == sip::Transport::kBrowser;
}

}  // namespace

bool Engine::is_page(const Member& member) {
  return over_rest(member.leg.flow());
}

std::optional<media::PortPair> Engine::take_port(bool browser, media::LoopIndex loop) {
  if (browser) return media::PortPair{kBrowserLoop, kNoPort};
  return ports_.take(loop);
}

// For a call that begins: moving it later costs a re-INVITE.
media::LoopIndex Engine::loop_for(bool browser, std::string_view callee, Instant now) const {
  const auto phones = contacts_.contacts(callee, now);
  const bool to_browser = std::ranges::any_of(phones, [&](const auto* phone) { return is_browser(*phone); });
  return browser || to_browser ? kBrowserLoop : ports_.roomiest();
}

void Engine::come_to_browsers(Call& call, const std::vector<const model::Binding*>& phones) const {
  if (std::ranges::any_of(phones, [&](const auto* phone) { return is_browser(*phone); }))
    call.loop = kBrowserLoop;
}

// A page does not know where it is, so its contact names a host that cannot be (RFC 7118 §5); other phones
// over WebSocket have an address, and want RTP there.
bool Engine::is_browser(const model::Binding& phone) const {
  if (over_rest(phone.flow)) return true;
  if (!settings_->browsers.enabled || !sip::is_web_socket(phone.flow.transport)) return false;
  const auto uri = sip::Uri::parse(phone.contact);
  return uri && uri->host.ends_with(".invalid");
}

std::optional<BrowserSide> Engine::side_for(const model::Binding& phone) {
  if (over_rest(phone.flow) || !is_browser(phone)) return std::nullopt;
  return BrowserSide{media::SessionId{kSessions | next_session_++}, fresh_credentials(rng_)};
}

// Of a caller, by what it offers.
std::optional<BrowserSide> Engine::side_for(std::string_view sdp) {
  if (!settings_->browsers.enabled || !sdp.contains("UDP/TLS/RTP/SAVPF")) return std::nullopt;
  return BrowserSide{media::SessionId{kSessions | next_session_++}, fresh_credentials(rng_)};
}

void Engine::open_session(Member& member) {
  if (member.browser) tell(kBrowserLoop, media::OpenSession{member.browser->session, member.browser->own});
}

// What a phone says, without what a browser says of its connection; that goes to the media loop, of an offer
// inside the call when it is answered. Or a sentence.
std::expected<sdp::SessionDescription, std::string> Engine::read(Member& member, std::string_view sdp,
                                                                 webrtc::Kind kind) {
  auto theirs = sdp::parse(sdp);
  if (!theirs) return std::unexpected(std::string(sdp::to_sentence(theirs.error())));
  if (!member.browser) return std::move(*theirs);
  BrowserSide& side = *member.browser;
  webrtc::PeerDescription peer = side.peer;
  auto taken = peer.take(std::move(*theirs), kind);
  if (!taken) return std::unexpected(std::string(webrtc::to_sentence(taken.error())));
  side.offered = {std::move(peer), taken->change};
  if (kind == webrtc::Kind::kAnswer || !side.peer.known()) follow(member, kind);
  return std::move(taken->plain);
}

// From now on the connection is as the browser described it last.
void Engine::follow(Member& member, webrtc::Kind kind) {
  if (!member.browser || !member.browser->offered) return;
  BrowserSide& side = *member.browser;
  const bool first = !side.peer.known();
  const auto change = side.offered->change;
  side.peer = std::move(side.offered->peer);
  side.offered.reset();
  using Change = webrtc::PeerDescription::Change;
  if (!first && change == Change::kNewPeer) {
    tell(kBrowserLoop, media::CloseSession{side.session});
    side.session = media::SessionId{kSessions | next_session_++};
    side.own = fresh_credentials(rng_);
    member.media_over.clear();
    open_session(member);
    attach(member);
  } else if (!first && change == Change::kRestart && kind == webrtc::Kind::kOffer) {
    side.own = fresh_credentials(rng_);
    tell(kBrowserLoop, media::RestartSession{side.session, side.own});
  }
  tell(kBrowserLoop, media::SetSessionRemote{side.session, side.peer.remote()});
}

// What we say, as the phone wants to read it.
std::string Engine::said(const Member& member, const std::string& plain, webrtc::Kind kind) const {
  if (!member.browser || plain.empty()) return plain;
  return member.browser->peer.dress(*sdp::parse(plain), kind,
                                    own_parameters(*settings_, member.browser->own));
}

// The connection of a browser ended or never came to be: nobody there hears or is heard.
void Engine::on_session_ended(const media::SessionEvent& event, Instant now) {
  const auto* ended = std::get_if<media::SessionEnded>(&event);
  if (ended == nullptr) return;
  for (const auto& [id, member] : members_) {
    if (!member->browser || member->browser->session != ended->session) continue;
    Call* call = call_of(*member);
    if (call == nullptr || !member->leg.up()) return;
    member->media_over = ended->sentence;
    if (ended->failed) return on_farewell(*call, now);
    // Who hangs up closes the connection and says BYE, which may come second.
    return call_timers_.arm(call->farewell_timer, now + kFarewell, {call->key, CallTimer::Kind::kFarewell});
  }
}

void Engine::on_farewell(Call& call, Instant now) {
  for (const LegId id : call.members) {
    const Member* member = find(id);
    if (member == nullptr || member->media_over.empty()) continue;
    return end_call(call, {.status = 480, .sentence = member->extension + ": " + member->media_over}, now);
  }
}

// Members that are joined live in one loop: who has ports of its own moves to the other, and its phone hears
// of it with the next description.
void Engine::gather(Member& a, Member& b) {
  if (a.port.loop == b.port.loop) return;
  Member& moves = has_ports(a.port) ? a : b;
  const media::LoopIndex loop = (&moves == &a ? b : a).port.loop;
  Call* call = call_of(moves);
  const auto port = ports_.take(loop);
  if (call == nullptr || !port) return note(ports::Note::Level::kWarning, "no media port is free for a call");
  call->loop = loop;
  move_media(moves, *port);
}

void Engine::move_media(Member& member, media::PortPair port) {
  close_media(member);
  member.port = port;
  member.media.move_to(our_ip(member.leg.flow()), port.rtp);
  open_media(member);
  set_peer(member);
}

// A browser hears one call at a time: this one from now on.
void Engine::attach(Member& member) {
  if (has_ports(member.port) || !member.media_leg) return;
  if (member.browser) return tell(kBrowserLoop, media::AttachLeg{member.media_leg, member.browser->session});
  const auto it = browser_media_.find(member.leg.flow().connection);
  if (it == browser_media_.end()) return;
  tell(kBrowserLoop, media::AttachLeg{member.media_leg, it->second});
}

// The page was loaded again: what sounds in it goes on over its new connection.
void Engine::on(const BrowserMedia& in, Instant) {
  if (!in.media) {
    browser_media_.erase(in.session);
    browser_codecs_.erase(in.session);
    return;
  }
  browser_media_.insert_or_assign(in.session, in.media);
  for (auto& [id, member] : members_) {
    if (member->leg.flow().connection == in.session && !member->held_for_it) attach(*member);
  }
}

void Engine::on(const BrowserSpeaks& in, Instant) {
  browser_codecs_.insert_or_assign(in.session, in.codec);
  for (auto& [id, member] : members_) {
    if (member->leg.flow().connection == in.session && is_page(*member)) set_peer(*member);
  }
}

// Where it is not what was agreed for this one call.
std::optional<sdp::Codec> Engine::spoken_by(const Member& member) const {
  const auto it =
      is_page(member) ? browser_codecs_.find(member.leg.flow().connection) : browser_codecs_.end();
  return it == browser_codecs_.end() ? std::nullopt : std::optional{it->second};
}

void Engine::tell_codecs(Member& member) {
  const Call* call = call_of(member);
  if (call == nullptr || call->state != Call::State::kUp) return;
  const Member* peer = call->echo ? &member : peer_of(*call, member);
  if (peer == nullptr) return;
  const auto tell_page = [&](const Member& page, const Member& other) {
    const auto& agreed = other.media.negotiated();
    if (!is_page(page) || !agreed) return;
    BrowserPeerSpeaks told{page.leg.flow().connection, page.leg.call_id(), {}};
    std::ranges::copy_if(agreed->receive_formats, std::back_inserter(told.codecs), &sdp::Codec::is_voice);
    out.push_back(std::move(told));
  };
  tell_page(member, *peer);
  if (peer != &member) tell_page(*peer, member);
}

// A caller's phone makes the sound of ringing by itself; a page hears only what we send, in the codecs of its
// session, for there is no answer yet. Who is in the call already hears no ringing from its own phone either;
// the relay keeps quiet while the one who transfers is still there.
void Engine::ring_back(Call& call, Member& origin) {
  if (!origin.media_leg) return;
  if (!origin.leg.up()) {
    const auto* said = origin.media.remote_audio();
    if (!is_page(origin) || said == nullptr || std::exchange(call.dialling->sounds, true)) return;
    const auto formats = tone_formats(sdp::codecs(*said));
    media::SetPeer set{.leg = origin.media_leg};
    set.payloads = {formats, formats};
    tell(origin.port.loop, std::move(set));
  }
  tell(origin.port.loop, media::Play{origin.media_leg, media::Tone::kRingBack, settings_->region});
}

void Engine::on(const BrowserHeard& in, Instant) {
  const Call* call = find_call(in.call);
  if (call == nullptr) return;
  for (const LegId id : call->members) {
    Member* member = find(id);
    if (member == nullptr || member->leg.flow().connection != in.session) continue;
    member->heard = in.quality;
    if (in.quality.mos <= 0) continue;
    member->heard_sum.mos += in.quality.mos;
    member->heard_sum.loss_percent += in.quality.loss_percent;
    member->heard_sum.jitter_ms += in.quality.jitter_ms;
    ++member->heard_count;
  }
}

void Engine::tell_browser(const Member& member) {
  const Call* call = call_of(member);
  if (!over_rest(member.leg.flow()) || call == nullptr) return;
  out.push_back(BrowserInCall{member.leg.flow().connection, member.leg.call_id(), call->record.id});
}

void Engine::tell_browser_ended(const Member& member, const std::string& sentence) {
  if (!over_rest(member.leg.flow())) return;
  out.push_back(BrowserCallEnded{member.leg.flow().connection, member.leg.call_id(), sentence});
}

}  // namespace bw::calls
