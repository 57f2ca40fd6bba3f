#include "server/serve.h"

#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <vector>

#include "io/host.h"
#include "server/config_file.h"
#include "server/duty.h"
#include "server/office.h"
#include "server/opening.h"
#include "server/program.h"

namespace bw::server {
namespace {

constexpr auto kShutdownPatience = std::chrono::seconds{5};

std::optional<std::filesystem::path> config_path(const std::string& given) {
  if (!given.empty()) return given;
  if (std::filesystem::exists("config.yml")) return "config.yml";
  return std::nullopt;
}

// "SIP on 0.0.0.0 port 5060, TLS 5061; HTTP on 127.0.0.1 port 8080, TLS 8443"
std::string doors_in_words(const config::Config& c) {
  const auto place = [&](std::string_view what, const std::vector<IpAddress>& hosts, std::uint16_t port,
                         std::uint16_t tls_port) {
    std::string text = fmt::format("{} on ", what);
    for (const IpAddress& host : hosts) text += (&host == hosts.data() ? "" : ", ") + host.to_string();
    text += fmt::format(" port {}", port);
    if (c.security.enable_tls && tls_port != 0) text += fmt::format(", TLS {}", tls_port);
    return text;
  };
  return place("SIP", c.server.sip_host, c.server.sip_port, c.server.sip_tls_port) + "; " +
         place("HTTP", c.api.host, c.api.port, c.api.tls_port);
}

int cannot_start(Log& log, const std::string& sentence) {
  log.error("{}", sentence);
  return kCannotStart;
}

int run(OfficeSetup setup, const std::filesystem::path& data, const std::function<void()>& when_ready,
        const Duty& duty, Log& log) {
  auto directory = DataDirectory::open(data);
  if (!directory) return cannot_start(log, directory.error());
  const std::string doors = doors_in_words(setup.config);
  auto office = Office::start(std::move(setup), std::move(*directory), log);
  if (!office) return cannot_start(log, office.error());
  const io::ServiceManager manager;
  if (when_ready) {
    when_ready();
  } else {
    log.info("{}; data in {}", doors, data.string());
  }
  log.info("Bellwire {} is ready", BW_VERSION);
  manager.say("READY=1");
  duty.stand(**office, manager, log);
  manager.say("STOPPING=1");
  log.info("ending calls");
  (*office)->end_calls(kShutdownPatience);
  office->reset();
  log.info("stopped");
  return kOk;
}

}  // namespace

int run_office(OfficeSetup setup, const std::filesystem::path& data,
               const std::function<void()>& when_ready) {
  try {
    const Duty duty(setup.config.watch ? setup.config_file : std::nullopt);  // before the log's thread
    Log log(log_setup(setup.config, data));
    try {
      return run(std::move(setup), data, when_ready, duty, log);
    } catch (const std::exception& e) {  // the system gave no thread, descriptor or randomness
      return cannot_start(log, e.what());
    }
  } catch (const std::exception& e) {
    std::fprintf(stderr, "bellwire: %s\n", e.what());
    return kCannotStart;
  }
}

int serve(const ServeOptions& options) {
  OfficeSetup setup;
  setup.config_file = config_path(options.config);
  config::Loaded loaded = read_config(setup.config_file);
  std::fputs(to_text(loaded.problems).c_str(), stderr);
  if (!loaded.usable()) return kBadConfiguration;
  setup.config = std::move(loaded.config);
  return run_office(std::move(setup),
                    options.data.empty() ? default_data_directory() : std::filesystem::path{options.data},
                    {});
}

}  // namespace bw::server
