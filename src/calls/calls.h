// All calls of the system: the back-to-back brain. It owns both legs of every call, decides who rings, joins
// and parts, and writes one record per call. A Core; composed with transactions and registrar by the
// exchange.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/core.h"
#include "base/rng.h"
#include "calls/leg.h"
#include "model/directory.h"
#include "model/settings.h"
#include "ports/contacts.h"
#include "ports/control.h"
#include "ports/media.h"
#include "ports/persistence.h"
#include "sdp/audio.h"
#include "sip/transaction.h"

namespace bw::calls {

struct CallLimits {
  std::size_t calls = 20'000;
  std::size_t forks = 10;         // phones that ring for one call
  std::uint16_t port_stock = 64;  // port pairs asked for at a time while fewer than half of it are free
};

// ---- in ----
struct InviteArrived {  // a new INVITE whose sender is known
  sip::ServerTransactionId tx;
  sip::Flow flow;
  sip::Message request;
  model::ExtensionNumber caller;
};
struct DialogRequest {  // a request with a To tag, ACK to a 2xx included (tx none)
  sip::ServerTransactionId tx;
  sip::Flow flow;
  sip::Message request;
};
// A phone registered again over another connection: its calls go on there (RFC 5626 §5.3).
struct PhoneMoved {
  model::ExtensionNumber extension;
  sip::Flow flow;
  std::string user_agent;
};
struct Asked {
  ports::RequestId id;
  ports::Request request;  // of calls; the others are not for this core
};
struct DoNotDisturb {  // what a person wished besides the directory
  model::ExtensionNumber extension;
  bool on = false;
};
// Which connection carries the sound of a browser, whose legs come over that flow (sip::Transport::kBrowser);
// none: it has none at present.
struct BrowserMedia {
  sip::ConnectionId session;
  media::SessionId media;
};
struct BrowserHeard {  // by its own measure, of the last seconds
  sip::ConnectionId session;
  model::CallId call;
  model::LegQuality quality;
};
// What the browser sends from now on, as its page has agreed.
struct BrowserSpeaks {
  sip::ConnectionId session;
  sdp::Codec codec;
};
struct ShutDown {};

// ---- out ----
struct Engagement {  // of an extension in calls, when it changes
  std::string extension;
  bool ringing = false;  // a phone of it
  bool in_call = false;  // talks, or waits for an answer to its own call
};

// A leg over a flow of the kind kBrowser is in this call, from now on.
struct BrowserInCall {
  sip::ConnectionId session;
  std::string sip_call_id;
  model::CallId call;
};
// Said before the message that ends the leg.
struct BrowserCallEnded {
  sip::ConnectionId session;
  std::string sip_call_id;
  std::string sentence;
};
// What the other side of that leg speaks, the preferred codec first: a page that speaks it too spares the
// transcoding.
struct BrowserPeerSpeaks {
  sip::ConnectionId session;
  std::string sip_call_id;
  std::vector<sdp::Codec> codecs;
};
struct BrowserDigit {  // the other side of that leg pressed a key
  sip::ConnectionId session;
  std::string sip_call_id;
  char digit = '0';
};

class Calls {
 public:
  using Input = std::variant<Tick, InviteArrived, DialogRequest, sip::CancelReceived, sip::ResponseReceived,
                             sip::StrayResponse, sip::RequestFailed, sip::AckMissing, sip::TransportFailed,
                             PhoneMoved, media::Event, Asked, DoNotDisturb, BrowserMedia, BrowserHeard,
                             BrowserSpeaks, model::SettingsSnapshot, model::DirectorySnapshot, ShutDown>;
  using Output = std::variant<Wire, media::TellMedia, ports::Change, ports::Answered, ports::Note, Engagement,
                              BrowserInCall, BrowserCallEnded, BrowserPeerSpeaks, BrowserDigit>;

  Calls(Rng& rng, model::SettingsSnapshot settings, model::DirectorySnapshot directory,
        const ports::Contacts& contacts, media::LoopIndex loops, CallLimits limits = {});
  ~Calls();

  void handle(const Input& input, Instant now);
  void handle(Input&& input, Instant now);
  std::optional<Output> poll();
  Deadline deadline() const;

  // Whether a request belongs to a dialog of ours; a DialogRequest that does not is not heard.
  bool has_dialog(const sip::Message& request) const;
  std::size_t active() const;     // calls that have not ended
  std::uint64_t total() const;    // since start
  std::size_t leg_count() const;  // including those that only wait for a last answer

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

static_assert(Core<Calls>);

}  // namespace bw::calls
