// Where browsers' media comes in: the port, and the certificate behind it.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <string>

#include "base/time.h"
#include "config/config.h"
#include "io/media_loop.h"
#include "model/settings.h"
#include "server/log.h"

namespace bw::server {

// What pages are told of it; settled at start, unlike the rest of the settings.
struct BrowserDoor {
  std::uint16_t port = 0;  // 0: closed
  std::string fingerprint;
};

struct OpenedBrowserDoor {
  BrowserDoor door;
  std::unique_ptr<io::BrowserSide> side;  // null: closed
};
// Closed when features.webrtc.enabled is off. Without server.webrtc_port it is the first pair of the RTP
// range whose number is free on UDP and TCP.
std::expected<OpenedBrowserDoor, std::string> open_browser_door(const config::Config& config,
                                                                const std::filesystem::path& data_directory,
                                                                Instant now);

// The settings of the configuration on this host, with this door and the recordings there are; of those that
// are missing the log tells. Blocks on the disk.
model::SettingsSnapshot settings_of(const config::Config& config, const BrowserDoor& door, Log& log);

}  // namespace bw::server
