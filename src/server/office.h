// The running server: every thread and what ties them together.
#pragma once

#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "api/services.h"
#include "config/config.h"
#include "server/data_directory.h"
#include "server/log.h"

namespace bw::server {

struct OfficeSetup {
  config::Config config;
  std::optional<std::filesystem::path> config_file;  // for reload
};

// Runs from start() to destruction. The main thread owns it.
class Office {
 public:
  // The error is a sentence for the operator: which port, file or database, and what to do.
  static std::expected<std::unique_ptr<Office>, std::string> start(OfficeSetup setup, DataDirectory directory,
                                                                   Log& log);
  struct Impl;
  explicit Office(std::unique_ptr<Impl> impl);  // of start() alone: Impl is defined there
  ~Office();
  Office(const Office&) = delete;
  Office& operator=(const Office&) = delete;

  // Reads the configuration file again. `done` is called on another thread.
  void reload(std::function<void(const api::ReloadOutcome&)> done);
  // Takes the certificates that now are in force; an error is logged and the old ones stay.
  void renew_certificates();
  // Ends every call with a sentence and waits until they are gone, at most so long. Blocks.
  void end_calls(std::chrono::milliseconds patience);
  // Removes from the database what is older than it is kept for, in the background.
  void forget_old_things();
  // Does the control thread still turn? Asked by the watchdog, at least a second apart.
  bool alive();

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace bw::server
