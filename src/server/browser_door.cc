#include "server/browser_door.h"

#include <fmt/format.h>

#include <cerrno>

#include "io/certificate.h"
#include "io/host.h"
#include "server/opening.h"
#include "server/prompts.h"
#include "webrtc/fingerprint.h"

namespace bw::server {
namespace {

std::expected<io::BrowserPort, std::string> open_port(const config::Config& config) {
  const config::Server& s = config.server;
  const auto open = [&](std::uint32_t port) {
    return io::BrowserPort::open(browser_addresses(config, static_cast<std::uint16_t>(port)));
  };
  if (s.webrtc_port != 0) {
    auto opened = open(s.webrtc_port);
    if (!opened) return std::unexpected("server.webrtc_port: " + opened.error().sentence);
    return std::move(*opened);
  }
  // Another server beside this one may hold any of them, and its first hundreds at once.
  const std::uint32_t first = s.rtp_port_range_start + s.rtp_port_range_start % 2U;
  for (std::uint32_t port = first;; port += 2) {
    auto opened = open(port);
    if (opened) return std::move(*opened);
    if (opened.error().error != EADDRINUSE)
      return std::unexpected("browsers' media: " + opened.error().sentence);
    if (port + 2 >= s.rtp_port_range_end) break;
  }
  return std::unexpected(
      fmt::format("browsers' media: other programs hold every port of {} to {}. Choose another range with "
                  "server.rtp_port_range_start and server.rtp_port_range_end, or one port with "
                  "server.webrtc_port.",
                  first, s.rtp_port_range_end));
}

}  // namespace

std::expected<OpenedBrowserDoor, std::string> open_browser_door(const config::Config& config,
                                                                const std::filesystem::path& data_directory,
                                                                Instant now) {
  if (!config.features.webrtc.enabled) return OpenedBrowserDoor{};
  const auto certificate = io::dtls_certificate(data_directory, now);
  if (!certificate) return std::unexpected(certificate.error());
  auto context = webrtc::DtlsContext::make(*certificate);
  if (!context) return std::unexpected(context.error());
  auto port = open_port(config);
  if (!port) return std::unexpected(port.error());
  OpenedBrowserDoor opened;
  opened.door = {port->port(), webrtc::to_string(context->fingerprint())};
  opened.side = std::make_unique<io::BrowserSide>(std::move(*port), std::move(*context));
  return opened;
}

model::SettingsSnapshot settings_of(const config::Config& config, const BrowserDoor& door, Log& log) {
  model::Settings settings = config::to_settings(config, io::local_addresses());
  settings.browsers.enabled = settings.browsers.enabled && door.port != 0;
  settings.browsers.port = door.port;
  settings.browsers.fingerprint = door.fingerprint;
  if (settings.browsers.enabled) {
    settings.browsers.prompts = read_prompts(config.prompts.directory);
    if (const auto lack = lack_of_prompts(settings.browsers.prompts, config.prompts.directory))
      log.info("{}", *lack);
  }
  return std::make_shared<const model::Settings>(std::move(settings));
}

}  // namespace bw::server
