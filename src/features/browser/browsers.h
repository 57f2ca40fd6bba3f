// Browsers that are phones over REST (docs/browser-calling.md): their sessions, and the calls in them.
//
// To the exchange each session is a user agent that it reaches over a flow of the kind kBrowser: calls are
// made, held and ended by SIP messages that never leave the process. A Core, composed by the exchange.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/core.h"
#include "base/rng.h"
#include "browser/limits.h"
#include "model/binding.h"
#include "model/directory.h"
#include "model/settings.h"
#include "ports/browser.h"
#include "ports/control.h"
#include "ports/media.h"
#include "sdp/audio.h"
#include "sip/flow.h"
#include "sip/transaction.h"

namespace bw::browser {

// ---- in ----
struct Asked {
  ports::RequestId id;
  ports::AskBrowser request;
};
struct Arrived {  // a message of the exchange to the session of flow.connection
  sip::Flow flow;
  std::string bytes;
};
// A leg of the exchange towards a session belongs to this call (from now on).
struct InCall {
  sip::ConnectionId session;
  std::string sip_call_id;
  model::CallId call;
};
struct CallEnded {  // told before the SIP message that ends it
  sip::ConnectionId session;
  std::string sip_call_id;
  std::string sentence;
};
// The other side of that call speaks these, the preferred one first.
struct PeerSpeaks {
  sip::ConnectionId session;
  std::string sip_call_id;
  std::vector<sdp::Codec> codecs;
};
struct PeerPressed {
  sip::ConnectionId session;
  std::string sip_call_id;
  char digit = '0';
};

// ---- out ----
struct Sent {  // to the exchange, as if it had come over that flow
  sip::Flow flow;
  std::string bytes;
};
// Which connection carries the sound of the session from now on; none: it has none. Told to the media loop in
// the same order.
struct MediaOf {
  sip::ConnectionId session;
  media::SessionId media;
};
// What the browser sends from now on.
struct Speaks {
  sip::ConnectionId session;
  sdp::Codec codec;
};
struct Heard {
  sip::ConnectionId session;
  model::CallId call;
  model::LegQuality quality;
};
// To be asked of the exchange in the session's name; it answers the id, none: nobody waits.
struct AskCalls {
  ports::RequestId id;
  ports::Request request;
};

class Browsers {
 public:
  using Input = std::variant<Tick, Asked, Arrived, InCall, CallEnded, PeerSpeaks, PeerPressed, media::Event,
                             model::SettingsSnapshot, model::DirectorySnapshot>;
  // A BindingChange is for whoever tells of phones that come and go; nothing of it is stored.
  using Output = std::variant<Sent, media::TellMedia, MediaOf, ports::Answered, ports::BrowserPush,
                              model::BindingChange, AskCalls, Speaks, Heard>;

  Browsers(Rng& rng, model::SettingsSnapshot settings, model::DirectorySnapshot directory,
           Limits limits = {});
  ~Browsers();

  void handle(const Input& input, Instant now);
  void handle(Input&& input, Instant now);
  std::optional<Output> poll();
  Deadline deadline() const;

  // Whose session it is: who sends over its flow is that extension. Null: there is no such session.
  const model::ExtensionNumber* extension_of(sip::ConnectionId session) const;
  // What a call to the extension rings.
  std::vector<const model::Binding*> contacts(std::string_view extension) const;
  // Of one extension, or all if empty: also those that wait for their page to come back.
  std::vector<const model::Binding*> bindings(std::string_view extension) const;
  std::size_t sessions() const;
  std::size_t transactions() const;
  std::size_t legs() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

static_assert(Core<Browsers>);

}  // namespace bw::browser
