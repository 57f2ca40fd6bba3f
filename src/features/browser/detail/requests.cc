// What pages ask. Who asks sees its own extension's sessions; others are not there for it.
#include <algorithm>
#include <array>
#include <utility>

#include "base/uuid.h"
#include "browser/detail/ice_servers.h"
#include "browser/detail/switchboard.h"
#include "calls/browser_side.h"
#include "sip/info_digit.h"

namespace bw::browser {
namespace {

constexpr std::uint64_t kKeys = 1ULL << 62U;  // apart from the numbers of real connections
constexpr std::size_t kIdLetters = 32;
constexpr std::uint32_t kDigitMs = 160;
constexpr std::string_view kHost = "browser.invalid";

ports::Refused bad_request(std::string sentence) {
  return {400, "bad_request", std::move(sentence)};
}
ports::Refused not_found(std::string sentence) {
  return {404, "not_found", std::move(sentence)};
}
ports::Refused conflict(std::string code, std::string sentence) {
  return {409, std::move(code), std::move(sentence)};
}

const ports::Reply kDone{ports::Done{}};

bool is_digit(char c) {
  return std::string_view{"0123456789*#ABCDabcd"}.contains(c);
}

}  // namespace

Switchboard::Answer Switchboard::obey(const ports::AskBrowser& request, ports::RequestId id, Instant now) {
  if (!settings_->browsers.enabled)
    return std::unexpected(not_found("browser calling is switched off (features.webrtc.enabled)"));
  if (const auto* wish = std::get_if<ports::OpenBrowserSession>(&request.wish))
    return open(*wish, request.only, now);
  if (std::holds_alternative<ports::ListBrowserSessions>(request.wish)) return list(request.only);
  if (std::holds_alternative<ports::ShowIceServers>(request.wish)) {
    return ports::Reply{ice_servers(settings_->browsers, request.only.value_or("operator"), now)};
  }
  Session* session = find(request.session);
  if (session == nullptr || (request.only && *request.only != session->extension()))
    return std::unexpected(not_found("there is no such session"));
  if (!std::holds_alternative<ports::ShowBrowserSession>(request.wish)) touch(*session, now);
  return std::visit(
      [&]<typename Wish>(const Wish& wish) -> Answer {
        if constexpr (requires { on_wish(*session, wish, id, now); }) return on_wish(*session, wish, id, now);
        return std::unexpected(bad_request("that is not about a session"));
      },
      request.wish);
}

Switchboard::Answer Switchboard::open(const ports::OpenBrowserSession& wish,
                                      const std::optional<std::string>& only, Instant now) {
  if (directory_->find(wish.extension) == nullptr || (only && *only != wish.extension))
    return std::unexpected(not_found("there is no extension " + wish.extension));
  const auto [first, last] = by_extension_.equal_range(wish.extension);
  // Pages that nobody will come back to make room: a new one is somebody who is there.
  const auto idle = std::find_if(first, last, [&](const auto& e) {
    const Session& s = *sessions_.at(e.second);
    return s.state == Session::State::kDisconnected && s.lines.empty();
  });
  if (static_cast<std::size_t>(std::distance(first, last)) >= limits_.sessions_per_extension) {
    if (idle == last)
      return std::unexpected(conflict("too_many", wish.extension + " has as many sessions as it may have"));
    close(*sessions_.at(idle->second), "The extension opened more sessions than it may have.", now);
  }
  if (sessions_.size() >= limits_.sessions)
    return std::unexpected(ports::Refused{503, "busy", "there are too many browser sessions"});

  const sip::ConnectionId key{kKeys | next_session_++};
  auto session = std::make_unique<Session>(Session{.key = key, .page = Page{rng_}});
  session->id = ports::BrowserSessionId{rng_.token(kIdLetters)};
  session->created = now;
  model::Binding& binding = session->binding;
  binding.extension = model::ExtensionNumber{wish.extension};
  binding.contact = "sip:" + std::to_string(key.value) + '@' + std::string(kHost) + ";transport=browser";
  binding.call_id = session->id.value;
  const Endpoint here{IpAddress::v4(0x7f000001), 5060};
  binding.flow = {sip::Transport::kBrowser, key, here, here};
  binding.user_agent = "browser";
  binding.first_registered = binding.last_registered = now;
  binding.expires_at = Instant::far_future();
  by_id_.emplace(session->id.value, key);
  by_extension_.emplace(wish.extension, key);
  Session& added = *sessions_.emplace(key, std::move(session)).first->second;
  touch(added, now);
  return ports::Reply{
      ports::BrowserSessionOpened{view_of(added), ice_servers(settings_->browsers, wish.extension, now)}};
}

Switchboard::Answer Switchboard::list(const std::optional<std::string>& only) {
  ports::BrowserSessions list;
  for (const auto& [key, session] : sessions_) {
    if (!only || *only == session->extension()) list.sessions.push_back(view_of(*session));
  }
  std::ranges::sort(list.sessions, {}, [](const auto& s) { return std::pair{s.created, s.id.value}; });
  return ports::Reply{std::move(list)};
}

ports::BrowserSession Switchboard::view_of(const Session& session) const {
  ports::BrowserSession view{.id = session.id,
                             .extension = session.extension(),
                             .peer_connection = session.peer_connection,
                             .state = std::string(name_of(session.state)),
                             .created = session.created,
                             .last_activity = session.touched,
                             .call = {},
                             .calls = {}};
  for (const calls::LegId id : session.lines) {
    const Line* line = find(id);
    if (line == nullptr || line->call.empty()) continue;
    view.calls.push_back(line->call);
    const bool sounds = line->leg.up() ? !line->holds : !line->leg.is_incoming();
    if (sounds) view.call = line->call;
  }
  return view;
}

// Without a call named, the one there is.
std::expected<Line*, ports::Refused> Switchboard::line_of(const Session& session, const model::CallId& call) {
  Line* found = nullptr;
  for (const calls::LegId id : session.lines) {
    Line* line = find(id);
    if (line == nullptr || (!call.empty() && line->call != call)) continue;
    if (found != nullptr)
      return std::unexpected(conflict("which_call", "the session has several calls: name call_id"));
    found = line;
  }
  if (found == nullptr) return std::unexpected(not_found("the session has no such call"));
  return found;
}

// ---- the session ----

Switchboard::Answer Switchboard::on_wish(Session& session, const ports::ShowBrowserSession&, ports::RequestId,
                                         Instant now) {
  return ports::Reply{ports::BrowserSessionOpened{
      view_of(session), ice_servers(settings_->browsers, session.extension(), now)}};
}

Switchboard::Answer Switchboard::on_wish(Session& session, const ports::CloseBrowserSession&,
                                         ports::RequestId, Instant now) {
  close(session, "The page ended its session.", now);
  return kDone;
}

Switchboard::Answer Switchboard::on_wish(Session& session, const ports::BrowserOffer& wish, ports::RequestId,
                                         Instant now) {
  auto taken = session.page.take_offer(wish.sdp);
  if (!taken) return std::unexpected(bad_request(std::move(taken.error())));
  const bool fresh =
      *taken == Page::Change::kNewPeer || !session.media || session.state == Session::State::kDisconnected;
  if (fresh) {
    session.page.use(calls::fresh_credentials(rng_));
    open_media(session, session.page.credentials());
  } else if (*taken == Page::Change::kRestart) {
    session.page.use(calls::fresh_credentials(rng_));
    tell(media::RestartSession{session.media, session.page.credentials()});
  }
  const auto answer = session.page.answer(*settings_);
  if (!answer) return std::unexpected(bad_request(answer.error()));
  tell(media::SetSessionRemote{session.media, session.page.remote()});
  if (fresh) enter(session, Session::State::kConnecting, {}, now);
  announce(session, true, "registered", now);
  const std::uint64_t crossed = session.page.offers();
  agreed(session, now);  // may offer again, and that counts
  return ports::Reply{ports::BrowserDescription{*answer, crossed}};
}

Switchboard::Answer Switchboard::on_wish(Session& session, const ports::BrowserAnswer& wish, ports::RequestId,
                                         Instant now) {
  if (wish.offer && *wish.offer != session.page.offers())
    return std::unexpected(conflict("superseded", "another offer has taken the place of that one"));
  if (!session.page.offered()) return std::unexpected(conflict("no_offer", "there is no offer to answer"));
  if (auto taken = session.page.take_answer(wish.sdp); !taken)
    return std::unexpected(bad_request(std::move(taken.error())));
  tell(media::SetSessionRemote{session.media, session.page.remote()});
  announce(session, true, "registered", now);
  agreed(session, now);
  return kDone;
}

// Where the browser is, its own checks tell: we are ICE-lite (RFC 8445 §2.5) and send none.
Switchboard::Answer Switchboard::on_wish(Session& session, const ports::BrowserCandidate& wish,
                                         ports::RequestId, Instant) {
  if (!session.media) return std::unexpected(conflict("no_offer", "the offer comes before its candidates"));
  if (!Page::is_candidate(wish.candidate)) return std::unexpected(bad_request("that is no ICE candidate"));
  if (++session.candidates > limits_.candidates)
    return std::unexpected(ports::Refused{429, "too_many", "these are too many candidates"});
  return kDone;
}

Switchboard::Answer Switchboard::on_wish(Session& session, const ports::RestartBrowser&, ports::RequestId,
                                         Instant now) {
  if (!session.media) return std::unexpected(conflict("no_offer", "the session has no connection yet"));
  session.page.use(calls::fresh_credentials(rng_));
  auto sdp = session.page.offer(*settings_);
  if (!sdp) return std::unexpected(conflict("offer_pending", sdp.error()));
  tell(media::RestartSession{session.media, session.page.credentials()});
  offer(session, std::move(*sdp), now);
  return kDone;
}

Switchboard::Answer Switchboard::on_wish(Session& session, const ports::MissedPushes& wish, ports::RequestId,
                                         Instant) {
  ports::BrowserPushes missed{session.pushes, {}};
  for (const ports::BrowserPush& push : session.told) {
    if (push.number > wish.after) missed.pushes.push_back(push);
  }
  return ports::Reply{std::move(missed)};
}

// ---- its calls ----

Switchboard::Answer Switchboard::on_wish(Session& session, const ports::BrowserDials& wish,
                                         ports::RequestId id, Instant now) {
  if (!session.ready())
    return std::unexpected(conflict("not_connected", "the session has no connection: send its offer first"));
  if (session.lines.size() >= limits_.calls_per_session)
    return std::unexpected(conflict("busy", "the session has as many calls as it may have"));
  hold_others(session, nullptr);
  dial(session, wish.target, id, now);
  return std::nullopt;
}

Switchboard::Answer Switchboard::on_wish(Session& session, const ports::BrowserAccepts& wish,
                                         ports::RequestId, Instant now) {
  std::vector<Line*> ringing;
  for (const calls::LegId id : session.lines) {
    Line* line = find(id);
    const bool meant = line != nullptr && (wish.call.empty() || line->call == wish.call);
    if (meant && line->leg.state() == calls::Leg::State::kInvited) ringing.push_back(line);
  }
  if (ringing.empty()) return std::unexpected(not_found("no such call rings here (any more)"));
  if (ringing.size() > 1)
    return std::unexpected(conflict("which_call", "several calls ring here: name call_id"));
  if (!session.ready())
    return std::unexpected(conflict("not_connected", "the session has no connection: send its offer first"));
  hold_others(session, ringing.front());
  if (!take_up(session, *ringing.front(), now))
    return std::unexpected(conflict("no_codec", "the browser and the caller have no codec in common"));
  return kDone;
}

Switchboard::Answer Switchboard::on_wish(Session& session, const ports::BrowserRejects& wish,
                                         ports::RequestId, Instant now) {
  const auto line = line_of(session, wish.call);
  if (!line) return std::unexpected(line.error());
  if ((*line)->leg.state() != calls::Leg::State::kInvited)
    return std::unexpected(conflict("not_ringing", "the call does not ring here"));
  drop(session, **line, 603, "You declined the call.", now);
  return kDone;
}

Switchboard::Answer Switchboard::on_wish(Session& session, const ports::BrowserHangsUp& wish,
                                         ports::RequestId, Instant now) {
  const auto line = line_of(session, wish.call);
  if (!line) return std::unexpected(line.error());
  drop(session, **line, 603, "You hung up.", now);
  return kDone;
}

Switchboard::Answer Switchboard::on_wish(Session& session, const ports::BrowserHolds& wish,
                                         ports::RequestId id, Instant) {
  const auto line = line_of(session, wish.call);
  if (!line) return std::unexpected(line.error());
  (*line)->holds = true;
  out.push_back(AskCalls{id, ports::HoldCall{(*line)->place, session.extension()}});
  return std::nullopt;
}

Switchboard::Answer Switchboard::on_wish(Session& session, const ports::BrowserResumes& wish,
                                         ports::RequestId id, Instant) {
  const auto line = line_of(session, wish.call);
  if (!line) return std::unexpected(line.error());
  hold_others(session, *line);
  out.push_back(AskCalls{id, ports::ResumeCall{(*line)->place, session.extension()}});
  return std::nullopt;
}

Switchboard::Answer Switchboard::on_wish(Session& session, const ports::BrowserPresses& wish,
                                         ports::RequestId, Instant now) {
  if (wish.digits.empty() || wish.digits.size() > limits_.digits ||
      !std::ranges::all_of(wish.digits, is_digit))
    return std::unexpected(bad_request("digits are 0-9, *, # and A-D, at most 64"));
  const auto line = line_of(session, wish.call);
  if (!line) return std::unexpected(line.error());
  if (!(*line)->leg.up()) return std::unexpected(conflict("not_up", "nobody has answered the call"));
  calls::LegContext cx = context(now);
  for (const char digit : wish.digits) {
    const char upper = digit >= 'a' ? static_cast<char>(digit - 'a' + 'A') : digit;
    (*line)->leg.send_info(sip::kDtmfRelay, sip::write_info_digit(upper, kDigitMs), cx);
  }
  return kDone;
}

Switchboard::Answer Switchboard::on_wish(Session& session, const ports::BrowserTransfers& wish,
                                         ports::RequestId id, Instant) {
  const auto line = line_of(session, wish.call);
  if (!line) return std::unexpected(line.error());
  if (wish.to.empty() == wish.with.empty())
    return std::unexpected(bad_request("either to, or with_call_id, must be given"));
  const model::CallId call = (*line)->place;
  if (wish.with.empty()) {
    out.push_back(AskCalls{id, ports::TransferCall{call, session.extension(), wish.to}});
  } else {
    const auto other = line_of(session, wish.with);
    if (!other) return std::unexpected(other.error());
    out.push_back(AskCalls{id, ports::JoinCalls{call, session.extension(), (*other)->place}});
  }
  return std::nullopt;
}

}  // namespace bw::browser
