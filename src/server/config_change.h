// Changes of config.yml that come over the API: checked, written, put in force, and undone.
#pragma once

#include <filesystem>
#include <functional>

#include "api/operations.h"
#include "server/office.h"

namespace bw::server {

struct ConfigChangeScope {
  const OfficeSetup& setup;
  std::filesystem::path data_directory;  // the file before the last change is kept there
  std::function<api::ReloadOutcome()> reload;
};

// On the front thread. What cannot be put in force is not left in the file.
api::ConfigurationOutcome change_configuration(const ConfigChangeScope& scope,
                                               const boost::json::object& wanted);
// Only as long as nobody has edited the file since.
api::ConfigurationOutcome undo_configuration(const ConfigChangeScope& scope);

}  // namespace bw::server
