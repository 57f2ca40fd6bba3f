// The state behind Calls, and the steps of a call's life, each family in a file of its own:
//   engine.cc     legs, media ports, events in turn        dialling.cc  who rings, who answers first, who is
//   next bridging.cc   offers and answers between two legs      transfer.cc  REFER and what follows from it
//   ending.cc     how calls end and are written down       views.cc     what the API sees and asks
//   telling.cc    what the journal hears                   control.cc   what operators do to calls
//   browser_media.cc  members without ports of their own
#pragma once

#include <deque>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "calls/calls.h"
#include "calls/detail/call.h"
#include "calls/detail/member_facts.h"
#include "calls/detail/port_stock.h"
#include "calls/leg.h"
#include "calls/route.h"
#include "sip/uri.h"

namespace bw::calls {

class Engine {
 public:
  Engine(Rng& rng, model::SettingsSnapshot settings, model::DirectorySnapshot directory,
         const ports::Contacts& contacts, media::LoopIndex loops, CallLimits limits);

  // ---- inputs (engine.cc) ----
  void on(Tick tick, Instant now);
  void on(InviteArrived in, Instant now);
  void on(DialogRequest in, Instant now);
  void on(const sip::CancelReceived& in, Instant now);
  void on(const sip::ResponseReceived& in, Instant now);
  void on(const sip::StrayResponse& in, Instant now);
  void on(const sip::RequestFailed& in, Instant now);
  void on(const sip::AckMissing& in, Instant now);
  void on(const sip::TransportFailed& in, Instant now);
  void on(const PhoneMoved& in, Instant now);
  void on(const media::Event& in, Instant now);
  void on(const Asked& in, Instant now);
  void on(const DoNotDisturb& in, Instant now);
  void on(const BrowserMedia& in, Instant now);
  void on(const BrowserHeard& in, Instant now);
  void on(const BrowserSpeaks& in, Instant now);
  void on(const model::SettingsSnapshot& settings, Instant now);
  void on(const model::DirectorySnapshot& directory, Instant now);
  void on(ShutDown in, Instant now);
  void settle(Instant now);  // hands out every event the last input caused

  std::deque<Calls::Output> out;
  Deadline deadline() const;
  std::size_t active() const { return active_; }
  std::uint64_t total() const { return total_; }
  std::size_t leg_count() const { return members_.size(); }
  Member* addressee(const sip::Message& request);  // null: it belongs to no dialog of ours

 private:
  // ---- engine.cc ----
  LegContext context(Instant now);
  Member* find(LegId id);
  Call* call_of(const Member& member);
  Member& admit(Leg leg, Call& call, std::string extension, media::PortPair port,
                std::optional<BrowserSide> browser = {});
  void forget_finished(LegId id);
  void let_go(Member& member);
  void open_media(Member& member);
  void close_media(Member& member);
  void set_peer(Member& member);
  void connect_media(Member& a, Member& b);
  void watch(Member& member);
  void tell(media::LoopIndex loop, media::Command command);
  void restock();
  void note(ports::Note::Level level, std::string text);
  void dispatch(const LegEvent& event, Instant now);
  void on_leg_event(Member& member, const LegEvent::Progressed& what, Instant now);
  void on_leg_event(Member& member, const LegEvent::Accepted& what, Instant now);
  void on_leg_event(Member& member, const LegEvent::Refused& what, Instant now);
  void on_leg_event(Member& member, const LegEvent::Cancelled& what, Instant now);
  void on_leg_event(Member& member, const LegEvent::Confirmed& what, Instant now);
  void on_leg_event(Member& member, const LegEvent::Offered& what, Instant now);
  void on_leg_event(Member& member, const LegEvent::OfferAnswered& what, Instant now);
  void on_leg_event(Member& member, const LegEvent::ReferAsked& what, Instant now);
  void on_leg_event(Member& member, const LegEvent::InfoReceived& what, Instant now);
  void on_leg_event(Member& member, const LegEvent::ProbeAnswered& what, Instant now);
  void on_leg_event(Member& member, const LegEvent::Gone& what, Instant now);
  void on_digit(const media::DigitPressed& pressed, Instant now);
  void on_media_behind(const media::LoopBehind& late);
  void on_media_figures(const media::LegFigures& figures);
  void on_strangers(const media::StrangersRefused& refused);
  void on_media_silent(const media::LegSilent& silent, Instant now);
  void on_media_closed(const media::LegClosed& closed, Instant now);
  void on_call_timer(CallTimer timer, Instant now);
  IpAddress our_ip(const sip::Flow& flow) const;
  std::string our_contact(const sip::Flow& flow) const;
  sdp::LocalSide local_side(const sip::Flow& flow, media::PortPair port) const;

  // ---- browser_media.cc ----
  static bool is_page(const Member& member);  // over REST
  std::optional<media::PortPair> take_port(bool browser, media::LoopIndex loop);
  std::optional<BrowserSide> side_for(std::string_view sdp);
  std::optional<BrowserSide> side_for(const model::Binding& phone);
  bool is_browser(const model::Binding& phone) const;
  void open_session(Member& member);
  std::expected<sdp::SessionDescription, std::string> read(Member& member, std::string_view sdp,
                                                           webrtc::Kind kind);
  void follow(Member& member, webrtc::Kind kind);
  std::string said(const Member& member, const std::string& plain, webrtc::Kind kind) const;
  void on_session_ended(const media::SessionEvent& event, Instant now);
  void on_farewell(Call& call, Instant now);
  media::LoopIndex loop_for(bool browser, std::string_view callee, Instant now) const;
  void come_to_browsers(Call& call, const std::vector<const model::Binding*>& phones) const;
  void gather(Member& a, Member& b);
  void move_media(Member& member, media::PortPair port);
  void attach(Member& member);
  std::optional<sdp::Codec> spoken_by(const Member& member) const;
  void tell_codecs(Member& member);
  void ring_back(Call& call, Member& origin);
  void tell_browser(const Member& member);
  void tell_browser_ended(const Member& member, const std::string& sentence);

  // ---- dialling.cc ----
  Call& new_call(std::string caller, std::string dialled, Instant now);
  struct Callee {
    std::string number;
    std::string instance;  // of the one phone of it that is called (RFC 5627); empty: all of them
  };
  Callee callee_of(const sip::Uri& uri, Instant now) const;
  void place(Call& call, Dialling dialling, const Attempt& attempt, Instant now);
  void ring(Call& call, Dialling dialling, const RingExtension& target, Instant now);
  bool ring_phone(Call& call, const model::Binding& phone, Instant now);
  void answer_echo(Call& call, Instant now);
  void stop_dialling(Call& call, LegId keep, std::string_view reason_header, Instant now);
  void dialling_failed(Call& call, int status, std::string sentence, Instant now);
  void no_answer(Call& call, Instant now);
  void forward_or_fail(Call& call, ForwardCause cause, int status, std::string sentence, Instant now);
  void answered(Call& call, Member& winner, Instant now);
  std::optional<std::string> too_many_legs(std::string_view extension) const;  // the sentence, if so
  std::string display_of(const std::string& extension) const;

  // ---- bridging.cc ----
  void bridge_new_answer(Call& call, Member& origin, Member& winner, Instant now);
  void start_join(Call& call, Member& first, Member& second, bool both, Instant now);
  void negotiate(Call& call, Negotiation next, Instant now);
  void offer_unanswered(Call& call, Instant now);
  void pass_media_again(Call& call, Member& a, Member& b);
  void join_step(Call& call, Member& asked, Member& other, Instant now);
  void relay_offer(Call& call, Member& asker, Member& asked, Instant now);
  void answer_alone(Member& member, Instant now);
  bool take_answer(Member& member, const std::string& sdp, sdp::OfferAnswer::Certainty certainty);
  std::string identity_of(const Member& member) const;
  bool is_our_media(const Endpoint& peer, const Member& member) const;

  // ---- transfer.cc ----
  void blind_transfer(Call& call, Member& transferor, Callee target, bool attended, Instant now);
  bool attended_transfer(Call& call, Member& transferor, Member& consulted, Instant now);
  Member* find_replaced(std::string_view replaces_header);
  void replace_leg(InviteArrived in, Member& replaced, Instant now);
  void transfer_progress(Call& call, int status, Instant now);
  void transfer_failed(Call& call, Dialling dialling, int status, std::string sentence, Instant now);
  void adopt(Call& call, Call& from, Member& member);
  void release_transferor(Call& call, Dialling& dialling, Instant now);

  // ---- ending.cc ----
  void end_call(Call& call, Ending ending, Instant now);
  void drop_leg(Member& member, int status, std::string_view reason_header, Instant now);
  void write_down(Call& call, Instant now);
  void record_leg(Call& call, Member& member);
  void one_side_left(Call& call, Member& left, const LegEvent::Gone& what, Instant now);

  // ---- telling.cc ----
  void journal(Call& call, events::Event event, Instant at);
  void open_record(Call& call, Instant now);
  void close_record(Call& call, Instant now);
  void tell_ringing(Call& call, Member& phone, Instant now);
  void record_answer(Call& call, const Member* who, Instant now);  // who: none if the system itself answers
  void note_hold(Call& call, Member& member, Instant now);
  void tell_transfer(Call& call, std::string from, std::string to, bool attended, bool completed,
                     Instant now);
  void tell_transfer(Call& call, const Dialling& dialling, bool completed, Instant now);
  void tell_digit(Call& call, Member& member, char digit, Instant now);
  void engage(Member& member, Member::Engagement next);

  // ---- views.cc ----
  ports::Calls list_calls();
  ports::CallView view_of(const Call& call);
  ports::Reply show_call(const ports::ShowCall& wish);
  ports::Reply start_call(const ports::StartCall& wish, Instant now);

  // ---- control.cc ----
  struct Grip {
    Call& call;
    Member& mine;
    Member& peer;
  };
  Call* find_call(const model::CallId& id);  // none: it ended
  std::optional<std::string> nobody_there(RingExtension target, Instant now) const;
  Member* peer_of(const Call& call, const Member& member);
  std::expected<Grip, ports::Refused> take_hold_of(const model::CallId& id, const std::string& extension);
  ports::Reply hang_up_call(const ports::HangUpCall& wish, Instant now);
  ports::Reply transfer_call(const ports::TransferCall& wish, Instant now);
  ports::Reply join_calls(const ports::JoinCalls& wish, Instant now);
  ports::Reply hold_call(const ports::HoldCall& wish, Instant now);
  ports::Reply resume_call(const ports::ResumeCall& wish, Instant now);

  Rng& rng_;
  model::SettingsSnapshot settings_;
  model::DirectorySnapshot directory_;
  const ports::Contacts& contacts_;
  CallLimits limits_;
  Dialplan dialplan_;

  std::unordered_map<LegId, std::unique_ptr<Member>> members_;
  std::unordered_map<CallKey, std::unique_ptr<Call>> calls_;
  std::unordered_map<std::string, CallKey, TextHash, std::equal_to<>> by_name_;  // CallId → call
  std::unordered_map<media::MediaLegId, MediaOwner> by_media_;
  std::unordered_map<sip::ServerTransactionId, LegId> by_invite_;  // unanswered callers
  struct Engaged {                                                 // legs of one extension
    std::uint32_t legs = 0;
    std::uint32_t ringing = 0;
    std::uint32_t talking = 0;
  };
  std::unordered_map<std::string, Engaged, TextHash, std::equal_to<>> engaged_;
  std::unordered_set<std::string, TextHash, std::equal_to<>> undisturbed_;
  std::unordered_map<sip::ConnectionId, media::SessionId> browser_media_;
  std::unordered_map<sip::ConnectionId, sdp::Codec> browser_codecs_;  // what they send
  std::uint64_t next_leg_ = 1, next_call_ = 1, next_media_ = 1, next_session_ = 1;
  PortStock ports_;
  TimerHeap<LegTimer> leg_timers_;
  TimerHeap<CallTimer> call_timers_;
  std::deque<Wire> wire_;
  std::deque<LegEvent> events_;
  std::size_t active_ = 0;
  std::uint64_t total_ = 0;
  bool shutting_down_ = false;
};

struct Calls::Impl : Engine {
  using Engine::Engine;
};

// RFC 3326.
inline constexpr std::string_view kCompletedElsewhere = "SIP;cause=200;text=\"Call completed elsewhere\"";

}  // namespace bw::calls
