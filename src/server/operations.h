// The running server as those see it who operate it: configuration, figures, readiness.
#pragma once

#include <atomic>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "api/operations.h"
#include "io/clock.h"
#include "server/config_change.h"
#include "server/couplings.h"
#include "server/figures.h"
#include "store/store_thread.h"

namespace bw::server {

// Lives on the front thread, as long as the doors.
class ServerOperations final : public api::Operations {
 public:
  struct Surroundings {
    api::Services& services;  // for questions to the exchange
    io::Front& front;
    store::StoreThread& store;
    const MediaLoops& media;
    const std::atomic<std::size_t>& stocked;  // media loops that have opened ports
    const Figures& figures;
    const io::Clock& clock;
    const config::Config& started;  // what the server was started with
    ConfigChangeScope configuration;
  };
  explicit ServerOperations(Surroundings surroundings) : s_(std::move(surroundings)) {}

  void call_statistics(Instant from, Instant before, OnStatistics on_statistics) override;
  boost::json::object configuration() override;
  std::vector<std::string> waits_for_restart() const override;
  std::string configuration_file() const override;
  api::ConfigurationOutcome change_configuration(const boost::json::object& wanted) override {
    return server::change_configuration(s_.configuration, wanted);
  }
  api::ConfigurationOutcome undo_configuration() override {
    return server::undo_configuration(s_.configuration);
  }
  void figures(OnFigures on_figures) override;
  void readiness(OnReadiness on_readiness) override;

  // One request more that was answered so.
  void served(std::string_view operation, int status) { ++requests_[{operation, status}]; }

 private:
  void with_webhooks(const ports::Status& status, std::uint64_t newest_event, OnFigures on_figures);
  std::string exposition(const ports::Status& status, std::uint64_t newest_event,
                         const std::vector<webhooks::View>& subscriptions) const;
  void answer_if_known();
  api::Readiness now_ready() const;

  Surroundings s_;
  std::map<std::pair<std::string_view, int>, std::uint64_t> requests_;  // ids of the table: they stay
  // A question about readiness that is under way, and who waits for it.
  std::vector<OnReadiness> waiting_;
  std::optional<Instant> asked_;
  std::optional<bool> sip_, database_;
};

}  // namespace bw::server
