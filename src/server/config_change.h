// Changes of config.yml that come over the API: checked, written, put in force, and undone.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "api/operations.h"
#include "server/office.h"

namespace bw::server {

struct ConfigChangeScope {
  const OfficeSetup& setup;
  std::filesystem::path data_directory;                // the file before the last change is kept there
  std::vector<std::filesystem::path> log_directories;  // of the log files at the start
  std::function<api::ReloadOutcome()> reload;
};

// On the front thread. What cannot be put in force is not left in the file.
api::ConfigurationOutcome change_configuration(const ConfigChangeScope& scope,
                                               const boost::json::object& wanted);
// The keys below which two documents of config::document() differ; lists as a whole.
std::vector<std::string> differing_keys(const boost::json::object& before, const boost::json::object& after);
// The directories in which the log files of a configuration lie.
std::vector<std::filesystem::path> log_directories(const config::Config& config,
                                                   const std::filesystem::path& data_directory);
// Only as long as nobody has edited the file since.
api::ConfigurationOutcome undo_configuration(const ConfigChangeScope& scope);

}  // namespace bw::server
