// Live reload: a good file is put in force as far as that is possible, a bad one changes nothing.
#pragma once

#include <filesystem>

#include "api/services.h"
#include "server/administration.h"
#include "server/browser_door.h"
#include "server/office.h"

namespace bw::server {

struct ReloadScope {
  OfficeSetup& setup;             // of the running server; its configuration is replaced
  const config::Config& started;  // what the server was started with
  std::filesystem::path data_directory;
  io::Front& front;
  ControlInbox& inbox;
  Administration& administration;
  WebhookThread& webhooks;
  const BrowserDoor& browsers;
  const io::Clock& clock;
  Log& log;
};

// On the front thread.
api::ReloadOutcome reload_configuration(const ReloadScope& scope);

// Keys whose change only a restart applies.
std::vector<std::string> needs_restart(const config::Config& started, const config::Config& next);

}  // namespace bw::server
