// All sessions and their calls. The methods are spread over the files of this folder by what they are about:
//   switchboard.cc  inputs, the life of a session         requests.cc  what pages ask
//   lines.cc        calls: legs, their events, their end  figures.cc   what browsers measured
//   sound.cc        which codec they speak, keys, tones
#pragma once

#include <deque>
#include <expected>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "browser/browsers.h"
#include "browser/detail/session.h"
#include "calls/leg.h"
#include "sip/transaction.h"

namespace bw::browser {

class Switchboard {
 public:
  Switchboard(Rng& rng, model::SettingsSnapshot settings, model::DirectorySnapshot directory, Limits limits);

  // ---- inputs (switchboard.cc) ----
  void on(const Tick& tick, Instant now);
  void on(Asked&& in, Instant now);
  void on(Arrived&& in, Instant now);
  void on(const InCall& in, Instant now);
  void on(const CallEnded& in, Instant now);
  void on(const PeerSpeaks& in, Instant now);
  void on(const PeerPressed& in, Instant now);
  void on(const media::Event& in, Instant now);
  void on(const model::SettingsSnapshot& settings, Instant now);
  void on(const model::DirectorySnapshot& directory, Instant now);
  void settle(Instant now);

  std::deque<Browsers::Output> out;
  Deadline deadline() const;

  const model::ExtensionNumber* extension_of(sip::ConnectionId session) const;
  std::vector<const model::Binding*> contacts(std::string_view extension, bool only_ready) const;
  std::size_t sessions() const { return sessions_.size(); }
  std::size_t transactions() const { return layer_.server_count() + layer_.client_count(); }
  std::size_t legs() const { return lines_.size(); }

 private:
  struct Alarm {
    enum class Kind : std::uint8_t { kIdle, kReattach, kFirstWord, kTone };
    Kind kind = Kind::kIdle;
    sip::ConnectionId session;
    calls::LegId line;
  };
  // No reply: it comes later.
  using Answer = std::expected<std::optional<ports::Reply>, ports::Refused>;

  // ---- switchboard.cc ----
  Session* find(sip::ConnectionId key);
  Session* find(const ports::BrowserSessionId& id);
  void enter(Session& session, Session::State next, std::string reason, Instant now);
  void touch(Session& session, Instant now);
  void close(Session& session, std::string_view sentence, Instant now);
  void announce(Session& session, bool present, std::string_view why, Instant now);
  void open_media(Session& session, webrtc::IceCredentials local);
  void close_media(Session& session);
  void tell(media::Command command);
  void push(Session& session, ports::BrowserPush::What what, Instant now);
  void on_alarm(const Alarm& alarm, Instant now);

  // ---- requests.cc ----
  Answer obey(const ports::AskBrowser& request, ports::RequestId id, Instant now);
  Answer open(const ports::OpenBrowserSession& wish, const std::optional<std::string>& only, Instant now);
  Answer list(const std::optional<std::string>& only);
  Answer on_wish(Session& session, const ports::ShowBrowserSession& wish, ports::RequestId id, Instant now);
  Answer on_wish(Session& session, const ports::CloseBrowserSession& wish, ports::RequestId id, Instant now);
  Answer on_wish(Session& session, const ports::BrowserOffer& wish, ports::RequestId id, Instant now);
  Answer on_wish(Session& session, const ports::BrowserAnswer& wish, ports::RequestId id, Instant now);
  Answer on_wish(Session& session, const ports::BrowserCandidate& wish, ports::RequestId id, Instant now);
  Answer on_wish(Session& session, const ports::BrowserDials& wish, ports::RequestId id, Instant now);
  Answer on_wish(Session& session, const ports::BrowserAccepts& wish, ports::RequestId id, Instant now);
  Answer on_wish(Session& session, const ports::BrowserRejects& wish, ports::RequestId id, Instant now);
  Answer on_wish(Session& session, const ports::BrowserHangsUp& wish, ports::RequestId id, Instant now);
  Answer on_wish(Session& session, const ports::BrowserHolds& wish, ports::RequestId id, Instant now);
  Answer on_wish(Session& session, const ports::BrowserResumes& wish, ports::RequestId id, Instant now);
  Answer on_wish(Session& session, const ports::BrowserPresses& wish, ports::RequestId id, Instant now);
  Answer on_wish(Session& session, const ports::BrowserTransfers& wish, ports::RequestId id, Instant now);
  Answer on_wish(Session& session, const ports::RestartBrowser& wish, ports::RequestId id, Instant now);
  Answer on_wish(Session& session, const ports::BrowserFigures& wish, ports::RequestId id, Instant now);
  Answer on_wish(Session& session, const ports::MissedPushes& wish, ports::RequestId id, Instant now);
  ports::BrowserSession view_of(const Session& session) const;
  std::expected<Line*, ports::Refused> line_of(const Session& session, const model::CallId& call);

  // ---- lines.cc ----
  calls::LegContext context(Instant now);
  Line* find(calls::LegId id);
  const Line* find(calls::LegId id) const;
  Line* line_with(const Session& session, std::string_view sip_call_id);
  void on_layer(sip::TransactionLayer::Output output, Instant now);
  void on_wire(calls::Wire wire, Instant now);
  void on_request(sip::RequestReceived in, Instant now);
  void invited(sip::RequestReceived in, Instant now);
  void dial(Session& session, const std::string& target, ports::RequestId id, Instant now);
  void hold_others(const Session& session, const Line* except);
  bool take_up(Session& session, Line& line, Instant now);
  void dispatch(const calls::LegEvent& event, Instant now);
  void on_leg_event(Session& session, Line& line, const calls::LegEvent::Progressed& what, Instant now);
  void on_leg_event(Session& session, Line& line, const calls::LegEvent::Accepted& what, Instant now);
  void on_leg_event(Session& session, Line& line, const calls::LegEvent::Refused& what, Instant now);
  void on_leg_event(Session& session, Line& line, const calls::LegEvent::Cancelled& what, Instant now);
  void on_leg_event(Session& session, Line& line, const calls::LegEvent::Confirmed& what, Instant now);
  void on_leg_event(Session& session, Line& line, const calls::LegEvent::Offered& what, Instant now);
  void on_leg_event(Session& session, Line& line, const calls::LegEvent::OfferAnswered& what, Instant now);
  void on_leg_event(Session& session, Line& line, const calls::LegEvent::ReferAsked& what, Instant now);
  void on_leg_event(Session& session, Line& line, const calls::LegEvent::InfoReceived& what, Instant now);
  void on_leg_event(Session& session, Line& line, const calls::LegEvent::ProbeAnswered& what, Instant now);
  void on_leg_event(Session& session, Line& line, const calls::LegEvent::Gone& what, Instant now);
  void placed(Line& line);  // its page is told that it has a call
  void drop(Session& session, Line& line, int status, std::string sentence, Instant now);
  void over(Session& session, Line& line, std::string sentence, Instant now);
  void forget_finished(calls::LegId id);

  // ---- sound.cc ----
  const Line* sounding(const Session& session) const;
  void agreed(Session& session, Instant now);
  void tune(Session& session, Instant now);
  void offer(Session& session, std::string sdp, Instant now);
  void sound_refusal(Session& session, int status, Instant now);
  void stop_tone(Session& session);

  Rng& rng_;
  model::SettingsSnapshot settings_;
  model::DirectorySnapshot directory_;
  Limits limits_;
  sip::TransactionLayer layer_;

  std::unordered_map<sip::ConnectionId, std::unique_ptr<Session>> sessions_;
  std::unordered_map<std::string, sip::ConnectionId, TextHash, std::equal_to<>> by_id_;
  std::unordered_map<media::SessionId, sip::ConnectionId> by_media_;
  std::unordered_multimap<std::string, sip::ConnectionId, TextHash, std::equal_to<>> by_extension_;
  std::unordered_map<calls::LegId, std::unique_ptr<Line>> lines_;
  std::unordered_map<sip::ServerTransactionId, calls::LegId> by_invite_;  // that are not answered
  std::uint64_t next_session_ = 1, next_leg_ = 1, next_media_ = 1, next_tone_ = 1;
  TimerHeap<calls::LegTimer> leg_timers_;
  TimerHeap<Alarm> alarms_;
  std::deque<calls::Wire> wire_;
  std::deque<calls::LegEvent> events_;
};

struct Browsers::Impl : Switchboard {
  using Switchboard::Switchboard;
};

}  // namespace bw::browser
