// `bellwire doctor`: what could keep the server from doing its work on this machine.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "io/certificate.h"
#include "io/clock.h"
#include "io/entropy.h"
#include "io/host.h"
#include "io/socket_address.h"
#include "io/udp_links.h"
#include "server/commands.h"
#include "server/config_file.h"
#include "server/control_client.h"
#include "server/data_directory.h"
#include "server/opening.h"
#include "server/program.h"
#include "server/prompts.h"
#include "server/showing.h"
#include "store/seal.h"

namespace bw::server {
namespace {

enum class Verdict : std::uint8_t { kGood, kWarning, kBad };

struct Finding {
  std::string name;
  Verdict verdict = Verdict::kGood;
  std::string detail;
};

constexpr std::uint64_t kComfortableFiles = 8'192;
constexpr std::uint64_t kComfortableBytes = 512ULL << 20U;
constexpr Duration kSoon = std::chrono::hours{24 * 14};

std::string_view name_of(Verdict v) {
  switch (v) {
    case Verdict::kGood:
      return "ok";
    case Verdict::kWarning:
      return "warning";
    case Verdict::kBad:
      return "bad";
  }
  return "bad";
}

Finding check_config(const config::Loaded& loaded, const std::optional<std::filesystem::path>& file,
                     bool running) {
  if (!loaded.usable()) return {"configuration", Verdict::kBad, to_text(loaded.problems)};
  if (!loaded.problems.empty()) return {"configuration", Verdict::kWarning, to_text(loaded.problems)};
  return {"configuration", Verdict::kGood,
          file      ? file->string() + ": no errors"
          : running ? "the running server was started without a file"
                    : "no file was looked at, only the defaults; --config FILE names that of the server"};
}

Finding check_data(const std::filesystem::path& data) {
  struct stat s{};
  if (::stat(data.c_str(), &s) != 0) {
    return {"data directory", Verdict::kWarning,
            fmt::format("{}: {}; `serve` makes it", data.string(), std::strerror(errno))};
  }
  if (::access(data.c_str(), R_OK | W_OK | X_OK) != 0) {
    return {"data directory", Verdict::kBad, fmt::format("{} is not writable for this user", data.string())};
  }
  if ((s.st_mode & 0077U) != 0) {
    return {
        "data directory", Verdict::kWarning,
        fmt::format("{} is open to others (mode {:o}); `serve` closes it", data.string(), s.st_mode & 0777U)};
  }
  struct statvfs v{};
  if (::statvfs(data.c_str(), &v) == 0 && v.f_bavail * v.f_frsize < kComfortableBytes) {
    return {"data directory", Verdict::kWarning,
            fmt::format("only {} MiB are free", v.f_bavail * v.f_frsize >> 20U)};
  }
  return {"data directory", Verdict::kGood, data.string()};
}

Finding check_database(const config::Config& config, const std::filesystem::path& data) {
  if (!std::filesystem::exists(data / "secret.key"))
    return {"database", Verdict::kGood, "will be made at the first start"};
  const auto key = store::SealKey::load_or_make(data);
  if (!key) return {"database", Verdict::kBad, key.error()};
  auto opened = store::Store::open(database_target(config, data), *key);
  if (!opened) return {"database", Verdict::kBad, opened.error().sentence};
  const auto extensions = opened->load_extensions();
  if (!extensions) return {"database", Verdict::kBad, extensions.error().sentence};
  return {"database", Verdict::kGood,
          fmt::format("{} extension{}, schema {}", extensions->size(), extensions->size() == 1 ? "" : "s",
                      opened->schema_version())};
}

bool can_listen(const Endpoint& at, int type) {
  const io::Descriptor fd{::socket(at.ip.is_v4() ? AF_INET : AF_INET6, type | SOCK_CLOEXEC, 0)};
  const int yes = 1;
  // As the server itself does: connections in TIME_WAIT are no obstacle, and the families stay apart.
  if (type == SOCK_STREAM) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (at.ip.is_v6()) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
  sockaddr_storage name{};
  const socklen_t length = io::to_sockaddr(at, name);
  return ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), length) == 0;
}

Finding check_ports(const config::Config& config, const std::filesystem::path& data) {
  if (ask_server(data, "GET", "/health"))
    return {"ports", Verdict::kGood, "held by the running server of this data directory"};
  const io::FrontDoors doors = front_doors(config, data);
  std::string taken, other;
  const auto look = [&](const std::vector<Endpoint>& all, int type, std::string_view what) {
    for (const Endpoint& at : all) {
      if (can_listen(at, type)) continue;
      if (errno == EADDRINUSE) {
        taken += fmt::format("{}{} {}", taken.empty() ? "" : ", ", what, at.to_string());
      } else {
        other += io::open_error(what, at, errno).sentence + " ";
      }
    }
  };
  look(sip_addresses(config), SOCK_DGRAM, "UDP (SIP)");
  look(doors.sip_tcp, SOCK_STREAM, "TCP (SIP)");
  look(doors.sip_tls, SOCK_STREAM, "TCP (SIP over TLS)");
  look(doors.http, SOCK_STREAM, "TCP (HTTP)");
  look(doors.https, SOCK_STREAM, "TCP (HTTPS)");
  if (config.features.webrtc.enabled && config.server.webrtc_port != 0) {
    const std::vector<Endpoint> media = browser_addresses(config, config.server.webrtc_port);
    look(media, SOCK_DGRAM, "UDP (browsers)");
    look(media, SOCK_STREAM, "TCP (browsers)");
  }
  if (!taken.empty())
    other += "in use by another program: " + taken +
             ". `ss -lpn` names it; stop it, or choose other ports in the configuration.";
  if (!other.empty()) return {"ports", Verdict::kBad, other};
  return {"ports", Verdict::kGood, "free"};
}

Finding check_certificate(const config::Config& config, const std::filesystem::path& data, Instant now) {
  if (!config.security.enable_tls) return {"certificate", Verdict::kWarning, "TLS is off"};
  const bool given = !config.security.tls_cert_file.empty();
  const std::string file = given ? config.security.tls_cert_file : (data / "tls.pem").string();
  if (!given && !std::filesystem::exists(file))
    return {"certificate", Verdict::kGood, "will be made at the first start"};
  const auto facts = io::read_certificate(file);
  if (!facts) return {"certificate", Verdict::kBad, facts.error()};
  const auto days = std::chrono::duration_cast<std::chrono::days>(facts->not_after - now).count();
  const std::string detail = fmt::format("{} ({}), {} days left", file, facts->subject, days);
  if (facts->not_after <= now || facts->not_before > now)
    return {"certificate", Verdict::kBad, detail + ": not valid now"};
  return {"certificate", given && facts->not_after < now + kSoon ? Verdict::kWarning : Verdict::kGood,
          detail};
}

// Of the running server, if there is one.
std::optional<boost::json::value> running_server(const std::filesystem::path& data) {
  const auto answer = ask_server(data, "GET", "/api/status");
  if (!answer || answer->status != 200) return std::nullopt;
  boost::system::error_code error;
  auto status = boost::json::parse(answer->body, error);
  const bool known = !error && status.is_object() && status.as_object().contains("needs_restart") &&
                     status.as_object().contains("config_file");
  return known ? std::optional(std::move(status)) : std::nullopt;
}

Finding check_restart(const boost::json::value& status) {
  if (status.at("needs_restart").as_array().empty())
    return {"restart", Verdict::kGood, "everything in the configuration is in force"};
  return {"restart", Verdict::kWarning, field(status, "needs_restart") + ": in force after a restart"};
}

// What is named; else what the running server reads; else what `serve` would take here.
std::optional<std::filesystem::path> file_to_check(const CommandOptions& options,
                                                   const std::optional<boost::json::value>& server) {
  if (!options.config.empty()) return options.config;
  if (server) {
    const std::string file = field(*server, "config_file");
    return file.empty() ? std::nullopt : std::optional<std::filesystem::path>(file);
  }
  if (std::filesystem::exists("config.yml")) return "config.yml";
  return std::nullopt;
}

Finding check_prompts(const std::string& directory) {
  const auto lack = lack_of_prompts(read_prompts(directory), directory);
  if (lack) return {"recordings", Verdict::kWarning, *lack};
  return {"recordings", Verdict::kGood,
          directory.empty() ? "none are wanted: callers hear tones" : directory};
}

Finding check_files() {
  const io::FileLimit limit = io::file_limit();
  const std::string detail = fmt::format("{} now, {} at most", limit.now, limit.most);
  return {"file descriptors", limit.most < kComfortableFiles ? Verdict::kWarning : Verdict::kGood, detail};
}

Finding check_ipv6() {
  if (io::with_dual_stack({}).size() > 1) return {"IPv6", Verdict::kGood, "available"};
  return {"IPv6", Verdict::kWarning, "this system has none: phones reach the server over IPv4 only"};
}

Finding check_addresses() {
  const auto all = io::local_addresses();
  std::string list;
  for (const IpAddress& ip : all) list += (list.empty() ? "" : ", ") + ip.to_string();
  const bool reachable = !all.empty() && !all.front().is_loopback();
  return {"addresses", reachable ? Verdict::kGood : Verdict::kWarning,
          reachable ? list : "only loopback: no phone can reach this machine"};
}

Finding check_clock(Instant now) {
  if (now.unix_s() < 1'700'000'000)
    return {"clock", Verdict::kBad, "stands in the past: certificates and call records will be wrong"};
  timex t{};
  const bool synchronised = ::adjtimex(&t) != TIME_ERROR;
  return {"clock", synchronised ? Verdict::kGood : Verdict::kWarning,
          synchronised ? "synchronised" : "not synchronised by NTP"};
}

Finding check_entropy() {
  io::KernelRng rng;
  return {"entropy", rng.u64() != rng.u64() ? Verdict::kGood : Verdict::kBad,
          "the kernel gives random bytes"};
}

// A line; of a detail of several lines each stands below the one before.
void print_finding(std::string_view verdict, const Finding& f) {
  std::string_view detail = f.detail;
  while (detail.ends_with('\n')) detail.remove_suffix(1);
  std::string lines;
  for (const char c : detail) lines += c == '\n' ? "\n" + std::string(27, ' ') : std::string(1, c);
  fmt::print("{:<8} {:<17} {}\n", verdict, f.name, lines);
}

std::vector<Finding> examine(const CommandOptions& options) {
  const std::filesystem::path data = data_of(options);
  const auto server = running_server(data);
  const auto path = file_to_check(options, server);
  const config::Loaded loaded = read_config(path);
  const Instant now = io::Clock{}.now();
  std::vector<Finding> all{check_config(loaded, path, server.has_value()), check_data(data)};
  if (loaded.usable()) {
    all.push_back(check_database(loaded.config, data));
    all.push_back(check_ports(loaded.config, data));
    all.push_back(check_certificate(loaded.config, data, now));
    all.push_back(check_prompts(loaded.config.prompts.directory));
  }
  if (server) all.push_back(check_restart(*server));
  for (Finding& f :
       std::vector{check_files(), check_addresses(), check_ipv6(), check_clock(now), check_entropy()}) {
    all.push_back(std::move(f));
  }
  return all;
}

}  // namespace

int command_doctor(const CommandOptions& options) {
  if (const auto no = objection_to_user(data_of(options))) return complain(kNotRunning, *no);
  const std::vector<Finding> findings = examine(options);
  int code = kOk;
  boost::json::array list;
  for (const Finding& f : findings) {
    if (f.verdict == Verdict::kBad) code = kBadConfiguration;
    const std::string_view verdict = name_of(f.verdict);
    if (options.json) {
      list.push_back({{"check", f.name},
                      {"verdict", boost::json::string_view(verdict.data(), verdict.size())},
                      {"detail", f.detail}});
    } else {
      print_finding(verdict, f);
    }
  }
  if (options.json) fmt::print("{}\n", boost::json::serialize(list));
  return code;
}

}  // namespace bw::server
