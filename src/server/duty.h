// What the main thread does while the others work: signals, the watchdog, a configuration file that changes.
#pragma once

#include <filesystem>
#include <optional>

#include "io/descriptor.h"
#include "io/host.h"
#include "server/log.h"
#include "server/office.h"

namespace bw::server {

// Made before any other thread, so that all of them inherit the blocked signals.
class Duty {
 public:
  // `watched`: a file whose change is a wish to reload.
  explicit Duty(const std::optional<std::filesystem::path>& watched);

  // Until SIGTERM or SIGINT. SIGHUP reloads.
  void stand(Office& office, const io::ServiceManager& manager, Log& log) const;

 private:
  bool take_signals(Office& office, const io::ServiceManager& manager) const;
  bool file_changed() const;

  io::Descriptor signals_;
  io::Descriptor changes_;
  std::string file_name_;
};

}  // namespace bw::server
