#include "server/browser_door.h"

#include "io/certificate.h"
#include "io/host.h"
#include "server/opening.h"
#include "webrtc/fingerprint.h"

namespace bw::server {
namespace {

// Pairs of the range that are tried: on a busy host some are taken.
constexpr std::uint32_t kTries = 32;

std::expected<io::BrowserPort, io::OpenError> open_port(const config::Config& config, Log& log) {
  const config::Server& s = config.server;
  if (s.webrtc_port != 0) return io::BrowserPort::open(browser_addresses(config, s.webrtc_port));
  const std::uint32_t first = s.rtp_port_range_start + s.rtp_port_range_start % 2U;
  auto opened = io::BrowserPort::open(browser_addresses(config, static_cast<std::uint16_t>(first)));
  for (std::uint32_t port = first + 2; !opened && port < first + 2 * kTries && port < s.rtp_port_range_end;
       port += 2) {
    log.warning("browsers' media: {}", opened.error().sentence);
    opened = io::BrowserPort::open(browser_addresses(config, static_cast<std::uint16_t>(port)));
  }
  return opened;
}

}  // namespace

std::expected<OpenedBrowserDoor, std::string> open_browser_door(const config::Config& config,
                                                                const std::filesystem::path& data_directory,
                                                                Instant now, Log& log) {
  if (!config.features.webrtc.enabled) return OpenedBrowserDoor{};
  const auto certificate = io::dtls_certificate(data_directory, now);
  if (!certificate) return std::unexpected(certificate.error());
  auto context = webrtc::DtlsContext::make(*certificate);
  if (!context) return std::unexpected(context.error());
  auto port = open_port(config, log);
  if (!port) return std::unexpected(port.error().sentence);
  OpenedBrowserDoor opened;
  opened.door = {port->port(), webrtc::to_string(context->fingerprint())};
  opened.side = std::make_unique<io::BrowserSide>(std::move(*port), std::move(*context));
  return opened;
}

model::SettingsSnapshot settings_of(const config::Config& config, const BrowserDoor& door) {
  model::Settings settings = config::to_settings(config, io::local_addresses());
  settings.browsers.enabled = settings.browsers.enabled && door.port != 0;
  settings.browsers.port = door.port;
  settings.browsers.fingerprint = door.fingerprint;
  return std::make_shared<const model::Settings>(std::move(settings));
}

}  // namespace bw::server
