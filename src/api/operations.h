// What those who run the server ask of it: its configuration, its figures, whether it is ready.
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "api/services.h"
#include "base/time.h"
#include "model/call_statistics.h"

namespace bw::api {

struct ConfigurationProblem {
  std::string key;  // "server.sip_port"; empty: the file as a whole
  std::string sentence;
  bool warning = false;
};

struct ConfigurationOutcome {
  bool applied = false;
  std::optional<ports::Refused> refused;       // nothing was tried: no file, a file that cannot be written
  std::vector<ConfigurationProblem> problems;  // of what was asked for
  std::vector<std::string> changed;            // keys
  std::vector<std::string> needs_restart;
  boost::json::object before, after;  // of the keys that changed, without secrets
};

struct Readiness {
  bool sip = false;
  bool database = false;
  bool media = false;
};

// Lives on the front thread as Services does; answers come back there.
class Operations {
 public:
  virtual ~Operations() = default;

  // Of the calls that started in [from, before). None: the database does not answer.
  using OnStatistics = std::move_only_function<void(std::optional<model::CallStatistics>&&)>;
  virtual void call_statistics(Instant from, Instant before, OnStatistics on_statistics) = 0;

  // Every key with the value in force; secrets are masked.
  virtual boost::json::object configuration() = 0;
  // Keys whose value in the configuration is not in force before the next start.
  virtual std::vector<std::string> waits_for_restart() const = 0;
  // The file it is read from, with its whole path; empty: there is none.
  virtual std::string configuration_file() const = 0;
  // A merge patch (RFC 7396) to it: checked, written to the file, put in force.
  virtual ConfigurationOutcome change_configuration(const boost::json::object& wanted) = 0;
  // The file as it was before the last change, which then is what can be undone.
  virtual ConfigurationOutcome undo_configuration() = 0;

  // In the text format of Prometheus.
  using OnFigures = std::move_only_function<void(std::string&&)>;
  virtual void figures(OnFigures on_figures) = 0;
  using OnReadiness = std::move_only_function<void(const Readiness&)>;
  virtual void readiness(OnReadiness on_readiness) = 0;
};

}  // namespace bw::api
