#include "browser/detail/switchboard.h"

#include <algorithm>
#include <utility>

namespace bw::browser {
namespace {

constexpr media::LoopIndex kLoop = 0;  // of all sessions
constexpr std::size_t kPeerLetters = 16;

}  // namespace

std::string_view name_of(Session::State state) {
  switch (state) {
    case Session::State::kNew:
      return "new";
    case Session::State::kConnecting:
      return "connecting";
    case Session::State::kConnected:
      return "connected";
    case Session::State::kDisconnected:
      return "disconnected";
  }
  return "disconnected";
}

Switchboard::Switchboard(Rng& rng, model::SettingsSnapshot settings, model::DirectorySnapshot directory,
                         Limits limits)
    : rng_(rng),
      settings_(std::move(settings)),
      directory_(std::move(directory)),
      limits_(limits),
      layer_(rng) {}

// ---- inputs ----

void Switchboard::on(const Tick&, Instant now) {
  layer_.handle(sip::TransactionLayer::Input{Tick{}}, now);
  while (const auto due = leg_timers_.pop_due(now)) {
    if (Line* line = find(due->leg)) {
      calls::LegContext cx = context(now);
      line->leg.on_timer(due->kind, cx);
      forget_finished(due->leg);
    }
  }
  while (const auto due = alarms_.pop_due(now)) on_alarm(*due, now);
}

void Switchboard::on(Asked&& in, Instant now) {
  Answer answer = obey(in.request, in.id, now);
  if (!answer) {
    out.push_back(ports::Answered{in.id, std::move(answer.error())});
  } else if (*answer) {
    out.push_back(ports::Answered{in.id, std::move(**answer)});
  }
}

void Switchboard::on(Arrived&& in, Instant now) {
  auto message = sip::parse(in.bytes);
  if (!message) return;
  layer_.handle(sip::TransactionLayer::Input{sip::MessageArrived{in.flow, std::move(*message)}}, now);
}

void Switchboard::on(const InCall& in, Instant) {
  Session* session = find(in.session);
  if (session == nullptr) return;
  if (Line* line = line_with(*session, in.sip_call_id)) {
    if (line->call.empty()) line->call = in.call;
    line->place = in.call;
    return;
  }
  if (session->expected.size() < limits_.calls_per_session * 2)
    session->expected.insert_or_assign(in.sip_call_id, in.call);
}

void Switchboard::on(const CallEnded& in, Instant) {
  Session* session = find(in.session);
  if (session == nullptr) return;
  if (Line* line = line_with(*session, in.sip_call_id)) line->sentence = in.sentence;
}

void Switchboard::on(const media::Event& in, Instant now) {
  const auto* event = std::get_if<media::SessionEvent>(&in);
  if (event == nullptr) return;
  const auto owner = [&](media::SessionId id) {
    const auto it = by_media_.find(id);
    return it == by_media_.end() ? nullptr : find(it->second);
  };
  std::visit(Overloaded{
                 [&](const media::SessionConnected& e) {
                   if (Session* s = owner(e.session)) enter(*s, Session::State::kConnected, {}, now);
                 },
                 [&](const media::SessionMoved&) {},  // the call goes on; nobody need know
                 [&](const media::SessionSilent& e) {
                   if (Session* s = owner(e.session))
                     enter(*s, Session::State::kDisconnected, "Nothing comes from the browser.", now);
                 },
                 [&](const media::SessionHeard& e) {
                   if (Session* s = owner(e.session)) enter(*s, Session::State::kConnected, {}, now);
                 },
                 [&](const media::SessionEnded& e) {
                   Session* s = owner(e.session);
                   if (s == nullptr) return;
                   close_media(*s);
                   enter(*s, Session::State::kDisconnected, e.sentence, now);
                 },
             },
             *event);
}

void Switchboard::on(const model::SettingsSnapshot& settings, Instant now) {
  settings_ = settings;
  if (settings_->browsers.enabled) return;
  while (!sessions_.empty()) close(*sessions_.begin()->second, "Browser calling was switched off.", now);
}

void Switchboard::on(const model::DirectorySnapshot& directory, Instant now) {
  const model::DirectorySnapshot before = std::exchange(directory_, directory);
  std::vector<std::pair<sip::ConnectionId, std::string_view>> orphans;
  for (const auto& [key, session] : sessions_) {
    const model::Extension* now_is = directory_->find(session->extension());
    const model::Extension* was = before->find(session->extension());
    if (now_is == nullptr) {
      orphans.emplace_back(key, "The extension was removed.");
    } else if (was != nullptr && was->credentials != now_is->credentials) {
      // Whoever was let in by the old password has no right to a call any more.
      orphans.emplace_back(key, "The password of the extension was changed.");
    }
  }
  for (const auto& [key, sentence] : orphans) close(*find(key), sentence, now);
}

void Switchboard::settle(Instant now) {
  for (bool busy = true; busy;) {
    busy = false;
    while (!events_.empty()) {
      busy = true;
      const calls::LegEvent event = std::move(events_.front());
      events_.pop_front();
      dispatch(event, now);
    }
    while (!wire_.empty()) {
      busy = true;
      calls::Wire wish = std::move(wire_.front());
      wire_.pop_front();
      on_wire(std::move(wish), now);
    }
    while (auto output = layer_.poll()) {
      busy = true;
      on_layer(std::move(*output), now);
    }
  }
}

Deadline Switchboard::deadline() const {
  Deadline next = layer_.deadline();
  if (const auto at = leg_timers_.next()) next = next.earliest({*at, "a browser's leg"});
  if (const auto at = alarms_.next()) next = next.earliest({*at, "a browser's session"});
  return next;
}

// ---- who is there ----

Session* Switchboard::find(sip::ConnectionId key) {
  const auto it = sessions_.find(key);
  return it == sessions_.end() ? nullptr : it->second.get();
}

Session* Switchboard::find(const ports::BrowserSessionId& id) {
  const auto it = by_id_.find(id.view());
  return it == by_id_.end() ? nullptr : find(it->second);
}

const model::ExtensionNumber* Switchboard::extension_of(sip::ConnectionId session) const {
  const auto it = sessions_.find(session);
  return it == sessions_.end() ? nullptr : &it->second->binding.extension;
}

std::vector<const model::Binding*> Switchboard::contacts(std::string_view extension, bool only_ready) const {
  std::vector<const model::Binding*> found;
  const auto take = [&](const Session& session) {
    if (only_ready ? session.ready() : session.present) found.push_back(&session.binding);
  };
  if (extension.empty()) {
    for (const auto& [key, session] : sessions_) take(*session);
    return found;
  }
  const auto [first, last] = by_extension_.equal_range(extension);
  for (auto it = first; it != last; ++it) take(*sessions_.at(it->second));
  std::ranges::sort(found, {}, [](const model::Binding* b) { return b->flow.connection; });
  return found;
}

// ---- the life of a session ----

void Switchboard::enter(Session& session, Session::State next, std::string reason, Instant now) {
  if (std::exchange(session.state, next) == next) return;
  push(session, ports::BrowserPush::SessionChanged{std::string(name_of(next)), std::move(reason)}, now);
  if (next == Session::State::kDisconnected) {
    alarms_.arm(session.reattach_timer, now + limits_.reattach,
                {Alarm::Kind::kReattach, session.key, calls::LegId{}});
  } else {
    alarms_.cancel(session.reattach_timer);
  }
  touch(session, now);
  if (next == Session::State::kConnected) tune(session, now);
}

// Somebody is there. While its media flows a session needs no other sign of life.
void Switchboard::touch(Session& session, Instant now) {
  session.touched = now;
  if (session.state == Session::State::kConnected) return alarms_.cancel(session.idle_timer);
  alarms_.arm(session.idle_timer, now + settings_->browsers.session_timeout,
              {Alarm::Kind::kIdle, session.key, calls::LegId{}});
}

void Switchboard::on_alarm(const Alarm& alarm, Instant now) {
  if (alarm.kind == Alarm::Kind::kFirstWord) {
    if (Line* line = find(alarm.line)) placed(*line);
    return;
  }
  Session* session = find(alarm.session);
  if (session == nullptr) return;
  if (alarm.kind == Alarm::Kind::kTone) return stop_tone(*session);
  if (alarm.kind == Alarm::Kind::kIdle)
    return close(*session, "The browser was not heard of for too long.", now);
  for (const calls::LegId id : std::vector{session->lines}) {
    if (Line* line = find(id)) drop(*session, *line, 480, "The browser did not come back.", now);
  }
  announce(*session, false, "connection lost", now);
}

void Switchboard::close(Session& session, std::string_view sentence, Instant now) {
  for (const calls::LegId id : std::vector{session.lines}) {
    if (Line* line = find(id)) drop(session, *line, 480, std::string(sentence), now);
  }
  push(session, ports::BrowserPush::SessionChanged{"closed", std::string(sentence)}, now);
  announce(session, false, "the page was closed", now);
  close_media(session);
  alarms_.cancel(session.idle_timer);
  alarms_.cancel(session.reattach_timer);
  by_id_.erase(session.id.value);
  const auto [first, last] = by_extension_.equal_range(session.extension());
  by_extension_.erase(std::find_if(first, last, [&](const auto& e) { return e.second == session.key; }));
  sessions_.erase(session.key);
}

void Switchboard::announce(Session& session, bool present, std::string_view why, Instant now) {
  if (std::exchange(session.present, present) == present) return;
  if (present) session.binding.last_registered = now;
  using Kind = model::BindingChange::Kind;
  out.push_back(
      model::BindingChange{present ? Kind::kAdded : Kind::kRemoved, session.binding, std::string(why)});
}

void Switchboard::push(Session& session, ports::BrowserPush::What what, Instant now) {
  ports::BrowserPush push{session.id, session.extension(), ++session.pushes, now, std::move(what)};
  session.told.push_back(push);
  while (session.told.size() > limits_.pushes_kept || session.told.front().at + limits_.reattach < now)
    session.told.pop_front();
  out.push_back(std::move(push));
}

// ---- media ----

void Switchboard::tell(media::Command command) {
  out.push_back(media::TellMedia{kLoop, std::move(command)});
}

// A new connection in place of whatever there was: the legs of its calls move to it.
void Switchboard::open_media(Session& session, webrtc::IceCredentials local) {
  close_media(session);
  session.media = media::SessionId{next_media_++};
  session.peer_connection = rng_.token(kPeerLetters);
  session.candidates = 0;
  by_media_.emplace(session.media, session.key);
  tell(media::OpenSession{session.media, std::move(local)});
  out.push_back(MediaOf{session.key, session.media});
}

void Switchboard::close_media(Session& session) {
  if (!session.media) return;
  stop_tone(session);
  by_media_.erase(session.media);
  tell(media::CloseSession{std::exchange(session.media, {})});
  out.push_back(MediaOf{session.key, {}});
}

}  // namespace bw::browser
