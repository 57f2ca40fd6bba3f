#include "server/demo.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <vector>

#include "api/password.h"
#include "io/entropy.h"
#include "io/udp_links.h"
#include "server/data_directory.h"
#include "server/program.h"
#include "server/serve.h"
#include "server/showing.h"

namespace bw::server {
namespace {

// baresip's own ring-back would hold the player of the bridge, and the caller then sends nothing.
constexpr std::string_view kWithoutSoundCard =
    R"(This machine has no sound card, so phones on it cannot be heard, and baresip ends its calls. Start
each phone once, which writes its `config`, end it with /quit, and put a silent bridge in the place of a card:
  sed -i 's/^audio_\(player\|source\).*/audio_\1 aubridge,demo/; s/^audio_alert.*/audio_alert aubridge,alert/;
    s/^#\(module.*aubridge.so\)/\1/; s/^#ringback_disabled.*/ringback_disabled yes/' \
    /tmp/alice/config /tmp/bob/config
)";

struct Login {
  std::string number;
  std::string name;
  Secret<std::string> password;
};

std::vector<Login> make_logins() {
  io::KernelRng rng;
  std::vector<Login> logins;
  for (const auto& [number, name] : {std::pair{"1001", "Alice"}, std::pair{"1002", "Bob"},
                                     std::pair{"1003", "Carol"}, std::pair{"1004", "Dave"}}) {
    logins.push_back({number, name, api::generate_password(rng, {})});
  }
  return logins;
}

config::Config demo_config(const DemoOptions& options, const std::vector<Login>& logins) {
  config::Config c;
  std::vector<IpAddress> loopback{IpAddress::v4(0x7F000001)};
  if (io::with_dual_stack({}).size() > 1) loopback.push_back(*IpAddress::parse("::1"));
  c.server.sip_host = c.api.host = loopback;
  c.server.sip_port = options.sip_port;
  c.server.sip_tls_port = options.sip_tls_port;
  c.api.port = options.http_port;
  c.api.tls_port = options.https_port;
  c.features.webhooks.allow_networks = {*Network::parse("127.0.0.0/8"), *Network::parse("::1/128")};
  for (const Login& login : logins) {
    config::ExtensionEntry entry;
    entry.number = model::ExtensionNumber{login.number};
    entry.name = Personal{login.name};
    entry.password = login.password;
    c.extensions.push_back(std::move(entry));
  }
  return c;
}

void print_logins(const std::vector<Login>& logins, const DemoOptions& options) {
  fmt::print(
      "Four extensions. Their passwords are shown this once; each line goes into ~/.baresip/accounts:\n\n");
  for (const Login& login : logins) {
    fmt::print("  {:<6} <sip:{}@127.0.0.1:{};transport=udp>;auth_pass={}\n", login.name, login.number,
               options.sip_port, login.password.reveal());
  }
}

// What has to be typed to run this program again.
std::string own_name() {
  std::error_code error;
  const auto own = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return "bellwire";
  const char* path = std::getenv("PATH");
  std::istringstream places{path == nullptr ? "" : path};
  for (std::string place; std::getline(places, place, ':');) {
    const auto found = std::filesystem::path{place} / "bellwire";
    if (std::filesystem::equivalent(found, own, error) && !error) return "bellwire";
  }
  return own.string();
}

bool has_sound_card() {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/dev/snd", error)) {
    if (entry.path().filename().string().starts_with("pcm")) return true;
  }
  return false;
}

void print_help(const DemoOptions& options, const std::filesystem::path& data, bool fresh) {
  const std::string bellwire = own_name();
  const auto page = [&](const char* name) {
    return fmt::format("http://127.0.0.1:{}/{}", options.http_port, name);
  };
  if (!fresh) {
    fmt::print(
        "The logins were shown at the first start; `{} extension passwd 1001 --data {}` makes a new one.\n",
        bellwire, data.string());
  }
  fmt::print(R"(
Try:
  dial *43                          hear yourself (echo)
  dial 1002 from 1001               call between two phones; 1003 and 1004 are there as well
  {7:<33} a phone in the browser; log in as 1001 with {6}
  {8:<33} the HTTP API; log in as admin with the password of `user passwd admin` below

And in another terminal:
  export BELLWIRE_DATA={0}
  {5} status
  {5} phone ls
  {5} call start 1001 1002
  {5} event tail
  {5} user passwd admin

Listening on 127.0.0.1 and [::1] only, so phones and browsers have to run on this machine; for others there is
`{5} serve`. SIP over UDP and TCP {1}, TLS {2}, WebSocket ws://127.0.0.1:{3}/sip and wss://127.0.0.1:{4}/sip.
Ctrl-C ends it.

)",
             data.string(), options.sip_port, options.sip_tls_port, options.http_port, options.https_port,
             bellwire, fresh ? "the password above" : "its password", page("phone"), page("docs"));
  if (!has_sound_card()) fmt::print("{}\n", kWithoutSoundCard);
  std::fflush(stdout);
}

}  // namespace

int demo(const DemoOptions& options) {
  std::filesystem::path data = options.data;
  if (options.data.empty()) {
    std::string name = std::filesystem::temp_directory_path() / "bellwire-demo-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) {
      fmt::print(stderr, "bellwire: cannot make {}: {}\n", name, std::strerror(errno));
      return kCannotStart;
    }
    data = name;
  }
  if (const auto no = objection_to_user(data)) return complain(kNotRunning, *no);
  const bool fresh = !std::filesystem::exists(data / "bellwire.db");
  const std::vector<Login> logins = make_logins();
  OfficeSetup setup;
  setup.config = demo_config(options, logins);
  setup.config.logging.level = config::LogLevel::kInfo;
  const int code = run_office(std::move(setup), data, [&] {
    if (fresh) print_logins(logins, options);
    print_help(options, data, fresh);
  });
  if (code == kCannotStart)
    fmt::print(stderr, "The ports and the data directory are options: `{} demo --help` names them.\n",
               own_name());
  std::error_code ignored;
  if (options.data.empty()) std::filesystem::remove_all(data, ignored);
  return code;
}

}  // namespace bw::server
