// What ties the control thread to the others: arrivals go into its inbox, departures to where they belong.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <variant>
#include <vector>

#include "io/front.h"
#include "io/media_loop.h"
#include "io/name_service.h"
#include "server/control_thread.h"
#include "server/figures.h"
#include "server/log.h"
#include "store/store_thread.h"

namespace bw::server {

// The front thread's way into the control inbox.
class Arrivals final : public io::FrontSink {
 public:
  Arrivals(ControlInbox& inbox, Figures& figures) : inbox_(inbox), figures_(figures) {}
  bool received(const sip::Flow& flow, std::string&& bytes) override;
  void lost(const sip::Flow& flow) override;

 private:
  ControlInbox& inbox_;
  Figures& figures_;
};

using MediaLoops = std::vector<std::unique_ptr<io::MediaLoop>>;

// The control thread's way out. Used by that thread alone.
class Departures final : public Surroundings {
 public:
  struct Ways {
    io::Front& front;
    store::StoreThread& store;
    MediaLoops& media;
    io::NameService& names;
    Log& log;
    Figures& figures;
    std::function<void(ports::Answered&&)> answered;
    std::function<void(ports::BrowserPush&&)> push;
  };
  explicit Departures(Ways ways) : ways_(std::move(ways)), commands_(ways_.media.size()) {}

  void to_streams(std::vector<sip::Transmit>&& messages) override;
  void close_connection(sip::ConnectionId connection) override;
  void resolve(exchange::Resolve&& question) override;
  void persist(ports::Persist&& changes) override;
  void tell_media(exchange::TellMedia&& command) override;
  void answered(exchange::Answered&& answer) override;
  void push(exchange::BrowserPush&& push) override;
  void note(exchange::Note&& note) override;
  void counted(std::size_t datagrams_in, std::size_t datagrams_out) override;
  void turn_ended() override;

 private:
  Ways ways_;
  std::vector<std::vector<media::Command>> commands_;  // of this turn, by loop
  std::vector<std::variant<ports::Answered, ports::BrowserPush>> for_front_;
  // The database thread refused them for now. In order, so nothing overtakes.
  std::deque<ports::Persist> waiting_;
  bool said_full_ = false;
};

}  // namespace bw::server
