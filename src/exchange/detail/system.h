// The composition: transactions, who is asking, where phones are, and calls; and the traffic between them.
#pragma once

#include <sodium.h>

#include <array>
#include <deque>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/timer_heap.h"
#include "browser/browsers.h"
#include "calls/calls.h"
#include "exchange/detail/locator.h"
#include "exchange/detail/presence.h"
#include "exchange/exchange.h"
#include "ports/contacts.h"
#include "registrar/authenticator.h"
#include "registrar/registrar.h"
#include "sip/transaction.h"
#include "sip/validate.h"

namespace bw::exchange {

struct SystemLimits {
  std::size_t waiting_answers = 10'000;  // responses held back: a commit to come, a guesser to slow down
};

class System : private ports::Contacts {
 public:
  System(Rng& rng, model::SettingsSnapshot settings, model::DirectorySnapshot directory, Instant now,
         media::LoopIndex media_loops);

  void on(Tick tick, Instant now);
  void on(Received in, Instant now);
  void on(const ConnectionLost& in, Instant now);
  void on(const NameResolved& in, Instant now);
  void on(const ports::Stored& in, Instant now);
  void on(const MediaReported& in, Instant now);
  void on(const DirectoryChanged& in, Instant now);
  void on(const SettingsChanged& in, Instant now);
  void on(BindingsRestored in, Instant now);
  void on(const Asked& in, Instant now);
  void on(ShutDown in, Instant now);
  void settle(Instant now);  // carries everything between the cores until all are quiet

  std::deque<Exchange::Output> out;
  Deadline deadline() const;

 private:
  struct Held {
    sip::ServerTransactionId tx;
    sip::Message response;
  };

  // ports::Contacts
  std::vector<const model::Binding*> contacts(std::string_view extension, Instant now) const override;
  const model::Binding* by_gruu(std::string_view user, std::string_view gr, Instant now) const override;

  // requests.cc
  void on_request(sip::RequestReceived in, Instant now);
  void on_new_request(sip::RequestReceived in, Instant now);
  void on_browser_invite(sip::RequestReceived in, Instant now);
  void on_register(sip::RequestReceived in, const model::ExtensionNumber& who, Instant now);
  void challenge(sip::RequestReceived& in, const registrar::Challenge& challenge, Instant now);
  void refuse(const sip::RequestReceived& in, int status, Instant now);
  void refuse_once(sip::RequestReceived& in, sip::Message response, Instant now);
  bool answer_without_state(const sip::Flow& flow, sip::Message& request, Instant now);
  void answer_statelessly(const sip::Flow& flow, sip::Message& request, sip::Message response);
  std::string stateless_tag(const sip::Message& request) const;
  void answer_unreadable(const sip::Flow& flow, const sip::Message& request, const sip::Rejection& why);
  void respond(sip::ServerTransactionId tx, sip::Message response, Instant now);

  void on_layer(sip::TransactionLayer::Output output, Instant now);
  void on_calls(calls::Calls::Output output, Instant now);
  void on_browsers(browser::Browsers::Output output, Instant now);
  void on_wire(calls::Wire wire, Instant now);
  void take(Locator::Step step, Instant now);
  void store(const model::ChangeSet& changes, ports::Ticket ticket, Instant now);
  void tell_of(const model::BindingChange& change, std::vector<ports::Change>& wanted, Instant now);
  ports::Tell entry(events::Event event, Instant now);
  void tell_presence(Instant now);
  void quiet(model::ExtensionNumber extension, bool on, Instant now);
  void report_lockouts(Instant now);
  ports::Reply list_lockouts(Instant now);
  ports::Reply lift_lockout(const ports::LiftLockout& wish, Instant now);
  ports::Status status() const;
  ports::Reply list_presence(const std::string& extension) const;
  ports::Reply set_presence(const ports::SetPresence& wish, Instant now);

  Rng& rng_;
  model::SettingsSnapshot settings_;
  model::DirectorySnapshot directory_;
  Instant started_;
  SystemLimits limits_;
  sip::TransactionLayer layer_;
  registrar::Authenticator authenticator_;
  registrar::Registrar registrar_;
  browser::Browsers browsers_;  // before those who look up where phones are
  calls::Calls calls_;
  Locator locator_;
  PresenceTable presence_;

  std::array<unsigned char, crypto_shorthash_KEYBYTES> tag_key_{};
  std::vector<ports::Change> changes_;  // of this turn, for nobody to wait on
  std::uint64_t next_ticket_ = 1;
  std::unordered_map<ports::Ticket, Held> until_stored_;
  struct Delayed {
    std::uint64_t key;
    TimerHandle timer;
    Held held;
  };
  std::unordered_map<std::uint64_t, Delayed> delayed_;
  std::uint64_t next_delayed_ = 1;
  TimerHeap<std::uint64_t> delays_;
};

struct Exchange::Impl : System {
  using System::System;
};

}  // namespace bw::exchange
