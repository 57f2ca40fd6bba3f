// The whole phone system as one value: the object that tests and the server both run.
//
// Owner: the control thread (or a test). Not thread-safe; never blocks; sees no clock, socket, disk or chance
// other than what comes in. See ARCHITECTURE.md, "life of one call".
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/core.h"
#include "base/rng.h"
#include "model/binding.h"
#include "model/directory.h"
#include "model/settings.h"
#include "ports/control.h"
#include "ports/media.h"
#include "ports/persistence.h"
#include "sip/dns.h"
#include "sip/flow.h"
#include "sip/transaction.h"

namespace bw::exchange {

// ---- in ----
struct Received {  // one datagram, or one message cut from a stream
  sip::Flow flow;
  std::string bytes;
};
struct ConnectionLost {  // a stream connection ended, or a datagram/connect to flow.remote failed for good
  sip::Flow flow;
};
struct NameResolved {
  dns::QueryId id;
  dns::Answer answer;
};
struct MediaReported {
  media::Event event;
};
struct DirectoryChanged {
  model::DirectorySnapshot directory;
};
struct SettingsChanged {
  model::SettingsSnapshot settings;
};
struct BindingsRestored {  // once, at start, from the database
  std::vector<model::Binding> bindings;
};
struct Asked {
  ports::RequestId id;
  ports::Request request;
};
struct ShutDown {
};  // ends every call with a sentence; the driver goes on until all is quiet or it loses patience

// ---- out ----
struct Resolve {
  dns::QueryId id;
  dns::Question question;
};
using media::TellMedia;
struct CloseConnection {  // a peer that broke the framing or sent garbage for too long
  sip::ConnectionId connection;
};
using ports::Answered;
using ports::BrowserPush;
using ports::Note;

class Exchange {
 public:
  using Input = std::variant<Tick, Received, ConnectionLost, NameResolved, ports::Stored, MediaReported,
                             DirectoryChanged, SettingsChanged, BindingsRestored, Asked, ShutDown>;
  using Output = std::variant<sip::Transmit, Resolve, ports::Persist, TellMedia, CloseConnection, Answered,
                              Note, BrowserPush>;

  // `media_loops`: how many loops there are; each is told OpenPorts at once.
  Exchange(Rng& rng, model::SettingsSnapshot settings, model::DirectorySnapshot directory, Instant now,
           media::LoopIndex media_loops = 1);
  ~Exchange();

  void handle(const Input& input, Instant now);
  void handle(Input&& input, Instant now);
  std::optional<Output> poll();
  Deadline deadline() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

static_assert(Core<Exchange>);

}  // namespace bw::exchange
