// A telephone: a SIP user agent that knows nothing of src/calls, driven by a story, with bad habits on
// demand.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sip/transaction.h"
#include "testkit/line.h"
#include "testkit/network.h"

namespace bw::testkit {

class Stage;

struct Habits {
  sip::Transport transport = sip::Transport::kUdp;
  std::string password;
  std::string instance;  // +sip.instance, without <>
  std::uint32_t register_expires = 600;
  std::vector<PhoneCodec> codecs = {{0, "PCMU/8000"}, {8, "PCMA/8000"}};
  int telephone_event = 101;    // payload number, -1: none
  Duration media_every = 20ms;  // zero: sends none
  std::size_t lines = 4;        // more calls are refused with 486

  bool supports_100rel = false;
  bool rings_reliably = false;
  bool early_media = false;
  bool delayed_offer = false;     // INVITE and re-INVITE without a description
  bool holds_by_address = false;  // c=0.0.0.0 in place of a=sendonly
  bool changes_with_update = false;
  bool multipart_bodies = false;  // its descriptions are a part among others
  bool supports_timer = true;
  std::optional<std::uint32_t> session_expires;  // asked for in INVITE
  std::optional<Duration> answers_after;
  std::optional<int> rejects_with;
  std::string redirects_to;  // number in the Contact of a 3xx
  bool hangs_up_when_transferred = true;

  std::string claims_to_be;  // number written into From of its INVITEs
  std::uint32_t max_forwards = 70;
  bool never_acks = false;
  bool never_answers_reinvites = false;
  bool ignores_cancel = false;  // never says 487: stays ringing
  bool refreshes_sessions = true;
};

class Phone final : public Host, public Actor {
 public:
  Phone(Stage& stage, std::string name, std::string number, IpAddress ip, Habits habits);
  ~Phone() override;

  Habits& habits() { return habits_; }
  const std::string& number() const { return number_; }
  std::uint32_t tone() const { return tone_; }
  Endpoint endpoint() const { return {ip_, 5060}; }

  // ---- what its owner does; nothing waits, unless it says so ----
  void belongs_to(Endpoint server, std::string domain);  // before registers()
  void registers();
  void unregisters(bool all_contacts = false);
  void dials(const Phone& other) { dials(other.number()); }
  void dials(std::string_view number);
  void dials_the_phone(const Phone& other);  // by its public GRUU: none of the same extension beside it
  // Goes on with the call of another phone of its extension (RFC 3891).
  void takes_over(const Phone& desk);
  void dials_directly(const Phone& other);  // phone to phone, no server between them
  void answers();                           // waits until it rings, picks up, waits until the call is up
  void picks_up();
  void rejects(int status = 486);  // waits until it rings
  void hangs_up();                 // BYE, CANCEL or a refusal, as the state of the current line asks for
  void hangs_up_all();
  void holds();
  void resumes();
  void updates();  // UPDATE without a body
  void transfers_to(const Phone& other) { transfers_to(other.number()); }
  void transfers_to(std::string_view number);
  void completes_transfer();                      // connects the peers of its two newest lines
  void presses(std::string_view digits);          // RFC 4733
  void presses_by_info(std::string_view digits);  // application/dtmf-relay

  // ---- what befalls it ----
  void dies();        // at once, without a word
  void comes_back();  // with empty memory; registers again
  void reboots();
  void loses_connection();
  void sends_raw(std::string bytes);  // to its server, from its address
  // A request inside the current call with an odd CSeq.
  void sends_out_of_order(sip::Method method);

  // ---- what one can see of it ----
  bool is_registered() const { return registered_; }
  int registration_status() const { return registration_status_; }
  bool is_ringing() const;
  bool hears_ringback() const;
  bool in_call() const;
  bool is_idle() const;  // no line that has not ended
  bool is_held() const;  // the other side of the current line holds
  bool is_on() const { return on_; }
  std::size_t call_count() const;  // lines that have not ended
  std::size_t calls_seen() const { return lines_.size(); }
  // Listens for 300 ms, so time goes on; is_hearing() looks back over the last 200 ms.
  bool hears(const Phone& other);
  bool is_hearing(const Phone& other) const;
  int ended_with() const;            // of the last line that ended: status, 0 if none did
  std::string ended_reason() const;  // its Reason header
  bool was_hung_up_on() const;
  std::optional<int> transfer_status() const;
  std::string digits_heard() const;
  const Line& line() const;  // the current one: newest that has not ended, else the newest
  const std::deque<std::unique_ptr<Line>>& lines() const { return lines_; }
  std::string status_text() const;

  const std::string& name() const override { return name_; }
  IpAddress ip() const override { return ip_; }
  void on_datagram(Endpoint local, Endpoint remote, const Bytes& bytes) override;
  void on_stream(sip::ConnectionId id, Endpoint local, Endpoint remote, const Bytes& bytes) override;
  void on_stream_closed(sip::ConnectionId id, Endpoint local, Endpoint remote) override;
  Deadline deadline() const override;
  void wake() override;

 private:
  struct Pending;  // a request of ours that waits for its response

  // phone.cc
  Line* current();
  Line* ringing();
  void later(Duration d, std::function<void()> what);  // forgotten at reboot
  void later(Duration d, const Line& line, std::function<void(Line&)> what);
  Line* line_with(std::uint32_t id);
  std::string contact() const;
  // phone_transport.cc
  void arrived(const sip::Flow& flow, const Bytes& bytes);
  void drain();
  void transmit(const sip::Transmit& out);
  sip::Flow flow_to_server();
  sip::Flow flow_of(const Line& line) const;
  sip::ClientTransactionId send(sip::Message request, const sip::Flow& to, std::uint32_t line,
                                bool again = false);
  void send_inside(Line& line, sip::Message request);
  void respond(sip::ServerTransactionId id, sip::Message response);
  void on_response(const sip::ResponseReceived& in);
  void on_failure(const sip::RequestFailed& in);
  bool authenticate(sip::ClientTransactionId old, const Pending& p, const sip::Message& response);
  // phone_register.cc
  void send_register(std::uint32_t expires, bool all_contacts);
  void on_register_response(const sip::Message& response);
  // phone_caller.cc
  Line& place_call(std::string uri, std::string peer, const sip::Flow& to, std::string_view replaces);
  void send_invite(Line& line);
  void on_invite_response(Line& line, const Pending& p, const sip::Message& response);
  void on_provisional(Line& line, const sip::Message& response);
  void on_answer(Line& line, const Pending& p, const sip::Message& response);
  void on_stray(const sip::StrayResponse& in);
  bool repeat_ack(const Line& line, const sip::Message& response);  // false: this 2xx is new
  void send_ack(Line& line, const sip::Dialog& dialog, const sip::Message& response, std::string_view sdp);
  void cancel(Line& line);
  // phone_callee.cc
  void on_request(const sip::RequestReceived& in);
  void on_invite(const sip::RequestReceived& in);
  void on_cancel(const sip::CancelReceived& in);
  void ring(Line& line);
  void repeat_until_prack(std::uint32_t line, sip::Message response, Duration wait, Duration waited);
  void accept_call(Line& line);
  void refuse(Line& line, int status);
  Line* line_replaced_by(const sip::Message& invite);
  // phone_inside.cc: requests inside a dialog
  void on_inside(Line& line, const sip::RequestReceived& in);
  void on_ack(Line& line, const sip::Message& ack);
  void on_reinvite(Line& line, const sip::RequestReceived& in);
  void on_update(Line& line, const sip::RequestReceived& in);
  void on_bye(Line& line, const sip::RequestReceived& in);
  void on_refer(Line& line, const sip::RequestReceived& in);
  void on_notify(Line& line, const sip::RequestReceived& in);
  void on_info(Line& line, const sip::RequestReceived& in);
  void on_change_response(Line& line, const Pending& p, const sip::Message& response);
  void send_change(Line& line);  // re-INVITE or UPDATE with the present wish
  void send_bye(Line& line);
  void report_transfer(Line& from, int status);
  void end(Line& line, int status, std::string_view reason, bool by_peer);
  // phone_session.cc: offer/answer and session timer
  void describe(sip::Message& message, std::string_view sdp) const;
  PhoneSdp make_offer(Line& line);
  PhoneSdp make_answer(Line& line, const PhoneSdp& offer);
  void take_answer(Line& line, std::string_view body);
  void add_session_timer(sip::Message& request, const Line& line) const;
  void answer_session_timer(Line& line, const sip::Message& request, sip::Message& response);
  void start_session_timer(Line& line, const sip::Message& response);
  void arm_session(Line& line);
  // phone_media.cc
  void media_tick();
  void start_media();
  bool sends_media(const Line& line) const;
  void send_voice(Line& line);
  void send_digit(std::uint32_t line, char digit, std::uint32_t timestamp, std::uint16_t duration);
  void on_media(Endpoint local, const std::string& bytes);

  Stage& stage_;
  std::string name_;
  std::string number_;
  IpAddress ip_;
  Habits habits_;
  std::uint32_t tone_;
  bool on_ = true;
  std::uint32_t lives_ = 0;  // reboots so far: what was planned in an earlier life is forgotten

  std::unique_ptr<sip::TransactionLayer> layer_;
  Endpoint server_;
  std::string domain_;
  sip::ConnectionId connection_;
  std::uint64_t next_transaction_ = 0;
  std::unordered_map<std::uint64_t, std::unique_ptr<Pending>> pending_;

  bool registered_ = false;
  int registration_status_ = 0;
  std::string register_call_id_;
  std::uint32_t register_cseq_ = 0;
  std::uint32_t register_round_ = 0;

  std::deque<std::unique_ptr<Line>> lines_;
  std::uint32_t next_line_ = 0;
  bool media_runs_ = false;
};

}  // namespace bw::testkit
