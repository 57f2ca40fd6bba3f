// The thread of the phone system: SIP over UDP, the exchange, its timers.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "exchange/exchange.h"
#include "io/clock.h"
#include "io/inbox.h"
#include "io/udp_links.h"

namespace bw::server {

using ControlInbox = io::Inbox<exchange::Exchange::Input>;

// Where the outputs of the exchange go, except datagrams. All calls come from the control thread and must
// not block.
class Surroundings {
 public:
  virtual ~Surroundings() = default;
  virtual void to_streams(std::vector<sip::Transmit>&& messages) = 0;  // all of one turn
  virtual void close_connection(sip::ConnectionId connection) = 0;
  virtual void resolve(exchange::Resolve&& question) = 0;
  virtual void persist(ports::Persist&& changes) = 0;
  virtual void tell_media(exchange::TellMedia&& command) = 0;
  virtual void answered(exchange::Answered&& answer) = 0;
  virtual void push(exchange::BrowserPush&& push) = 0;
  virtual void note(exchange::Note&& note) = 0;
  virtual void counted(std::size_t datagrams_in, std::size_t datagrams_out) = 0;  // in this turn
  // The time to hand on what was collected, media first: who reads an answer finds the media it speaks of.
  virtual void turn_ended() = 0;
};

struct ControlLimits {
  std::size_t batches_per_turn = 4;  // per socket, so that a flood of datagrams cannot starve the timers
  // While turns follow each other closer than `busy`, and have done so `busy_turns` times, datagrams are let
  // gather so long before the next: one wake-up then serves many, and waking costs more than a message does
  // (tests/load/load.py calls registers). A single call is answered at once.
  Duration busy = 8ms;
  Duration gather = 4ms;
  unsigned busy_turns = 16;
};

// Runs from construction to destruction. One turn: take what waits, let the exchange work, send what came
// of it; then sleep until something arrives or the exchange's deadline. What is sent in a turn leaves in
// as few system calls as possible.
class ControlThread {
 public:
  ControlThread(io::UdpLinks links, std::unique_ptr<exchange::Exchange> exchange, const io::Clock& clock,
                ControlInbox& inbox, Surroundings& surroundings, ControlLimits limits = {});
  ~ControlThread();
  ControlThread(const ControlThread&) = delete;
  ControlThread& operator=(const ControlThread&) = delete;

  // Turns completed, for the watchdog: it must grow after every signal() of the inbox. Any thread.
  std::uint64_t turns() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bw::server
