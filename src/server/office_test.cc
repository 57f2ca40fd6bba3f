// The whole server in this process, on loopback: asked over its control socket, called over SIP.
#include "server/office.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "io/descriptor.h"
#include "io/socket_address.h"
#include "io/udp_links.h"
#include "server/config_file.h"
#include "server/control_client.h"

namespace bw::server {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

const IpAddress kLoopback = IpAddress::v4(0x7F000001);

bool is_free(const Endpoint& at) {
  sockaddr_storage name{};
  const socklen_t length = io::to_sockaddr(at, name);
  const auto free = [&](int type) {
    const io::Descriptor fd{::socket(AF_INET, type | SOCK_CLOEXEC, 0)};
    return ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), length) == 0;
  };
  return free(SOCK_DGRAM) && free(SOCK_STREAM);
}

// Below those that the system gives out by itself, so that nobody comes between.
std::uint16_t free_port() {
  static auto next = static_cast<std::uint16_t>(15'000 + ::getpid() % 1'000 * 10);
  while (!is_free({kLoopback, ++next})) {
  }
  return next;
}

// The first of forty ports in a row that nobody has.
std::uint16_t free_range() {
  auto next = static_cast<std::uint16_t>(10'000 + ::getpid() % 100 * 40);
  for (int free = 0; free < 40; ++next) free = is_free({kLoopback, next}) ? free + 1 : 0;
  return static_cast<std::uint16_t>(next - 40);
}

class OfficeTest : public testing::Test {
 protected:
  OfficeTest() {
    std::string name = fs::temp_directory_path() / "bellwire-office-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    sip_port_ = free_port();
    http_port_ = free_port();
    rtp_port_ = free_range();
    write_config("");
  }
  ~OfficeTest() override {
    office_.reset();
    fs::remove_all(folder_);
  }

  void write_config(const std::string& more) {
    std::ofstream(folder_ / "config.yml")
        << "server:\n  sip_host: 127.0.0.1\n  sip_port: " << sip_port_
        << "\n  sip_tls_port: 0\n  rtp_port_range_start: " << rtp_port_
        << "\n  rtp_port_range_end: " << rtp_port_ + 39 << "\n"
        << "api:\n  host: 127.0.0.1\n  port: " << http_port_ << "\n  tls_port: 0\nextensions:\n"
        << "  - {number: '1001', password: 'Test-Pass-1001!'}\n"
        << more;
  }

  std::expected<void, std::string> start() {
    OfficeSetup setup;
    setup.config_file = folder_ / "config.yml";
    config::Loaded loaded = read_config(setup.config_file);
    EXPECT_TRUE(loaded.usable()) << to_text(loaded.problems);
    setup.config = std::move(loaded.config);
    auto directory = DataDirectory::open(folder_ / "data");
    if (!directory) return std::unexpected(directory.error());
    auto office = Office::start(std::move(setup), std::move(*directory), log_);
    if (!office) return std::unexpected(office.error());
    office_ = std::move(*office);
    return {};
  }

  testing::AssertionResult started() {
    const auto result = start();
    return result ? testing::AssertionSuccess() : testing::AssertionFailure() << result.error();
  }

  boost::json::value ask(std::string_view method, std::string_view target, std::string_view body = {}) {
    const auto answer = ask_server(folder_ / "data", method, target, body);
    EXPECT_TRUE(answer.has_value()) << answer.error();
    return answer ? boost::json::parse(answer->body) : boost::json::value{};
  }

  // Sends one datagram to the server and answers what comes back first.
  std::string exchange_datagram(const std::string& text) {
    auto phone = io::UdpLinks::open(std::vector{Endpoint{kLoopback, 0}});
    std::vector<sip::Flow> failed;
    phone->queue(
        {{sip::Transport::kUdp, {}, {}, {kLoopback, sip_port_}}, std::make_shared<const std::string>(text)});
    phone->flush(failed);
    pollfd p{phone->descriptor(0), POLLIN, 0};
    if (::poll(&p, 1, 60'000) != 1) return {};
    return std::string(phone->receive(0)[0].bytes);
  }

  api::ReloadOutcome reload() {
    std::promise<api::ReloadOutcome> done;
    office_->reload([&](const api::ReloadOutcome& outcome) { done.set_value(outcome); });
    return done.get_future().get();
  }

  Log log_{{Level::kError, true, {}, false}};
  fs::path folder_;
  std::uint16_t sip_port_ = 0;
  std::uint16_t http_port_ = 0;
  std::uint16_t rtp_port_ = 0;
  std::unique_ptr<Office> office_;
};

constexpr const char* kRegister =
    "REGISTER sip:pbx SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bKoffice\r\nMax-Forwards: "
    "70\r\n"
    "From: <sip:1001@pbx>;tag=a\r\nTo: <sip:1001@pbx>\r\nCall-ID: office\r\nCSeq: 1 REGISTER\r\n"
    "Contact: <sip:1001@127.0.0.1:9>\r\nContent-Length: 0\r\n\r\n";

TEST_F(OfficeTest, AnswersSipAndTheControlSocket) {
  ASSERT_TRUE(started());
  EXPECT_TRUE(exchange_datagram(kRegister).starts_with("SIP/2.0 401 "));
  EXPECT_EQ(ask("GET", "/api/status").at("running"), true);
  EXPECT_EQ(ask("GET", "/api/extensions").at(0).at("number"), "1001");
  EXPECT_TRUE(office_->alive());
}

TEST_F(OfficeTest, ExtensionsSurviveARestart) {
  ASSERT_TRUE(started());
  const auto made = ask("POST", "/api/extensions", R"({"number":"1002","name":"Bob"})");
  EXPECT_TRUE(made.as_object().contains("password"));
  EXPECT_EQ(ask("DELETE", "/api/extensions/1001").at("success"), true);
  office_.reset();
  ASSERT_TRUE(started());
  const auto list = ask("GET", "/api/extensions");
  // 1001 stands in the file and is absent in the database: it is a first value again.
  ASSERT_EQ(list.as_array().size(), 2u);
  EXPECT_EQ(list.at(1).at("name"), "Bob");
}

TEST_F(OfficeTest, PortInUseIsSaidAndTheDatabaseStaysUntouched) {
  const auto other = io::UdpLinks::open(std::vector{Endpoint{kLoopback, sip_port_}});
  ASSERT_TRUE(other.has_value());
  const auto started = start();
  ASSERT_FALSE(started.has_value());
  EXPECT_NE(started.error().find("UDP 127.0.0.1:" + std::to_string(sip_port_)), std::string::npos)
      << started.error();
  EXPECT_FALSE(fs::exists(folder_ / "data" / "bellwire.db"));
}

TEST_F(OfficeTest, GoodFileIsPutInForceAndABadOneChangesNothing) {
  ASSERT_TRUE(started());
  write_config("  - {number: '1003', password: 'Test-Pass-1003!'}\n");
  const auto good = reload();
  EXPECT_TRUE(good.applied);
  // Stored first, known then: the change is on its way through the database thread.
  for (int i = 0; i < 6'000 && ask("GET", "/api/extensions").as_array().size() < 2; ++i) {
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_EQ(ask("GET", "/api/extensions").as_array().size(), 2u);
  write_config("  - {number: '1004', pasword: 'x'}\n");
  const auto bad = reload();
  EXPECT_FALSE(bad.applied);
  EXPECT_TRUE(std::ranges::any_of(bad.problems, [](const auto& p) { return p.find("pasword") != p.npos; }));
  EXPECT_EQ(ask("GET", "/api/extensions").as_array().size(), 2u);
}

TEST_F(OfficeTest, BackupIsAFileOfItsOwn) {
  ASSERT_TRUE(started());
  const fs::path copy = folder_ / "copy.db";
  const auto answer = ask("POST", "/api/backup", R"({"file":")" + copy.string() + "\"}");
  EXPECT_EQ(answer.at("success"), true);
  EXPECT_GT(fs::file_size(copy), 0u);
}

TEST_F(OfficeTest, CertificateThatBecameUnusableLeavesTheServerRunning) {
  ASSERT_TRUE(started());
  fs::remove(folder_ / "data" / "tls.key");
  fs::remove(folder_ / "data" / "authority.key");
  fs::create_directory(folder_ / "data" / "authority.key");  // cannot be replaced by a file
  office_->renew_certificates();
  EXPECT_EQ(ask("GET", "/api/status").at("running"), true);
}

TEST_F(OfficeTest, ShutdownEndsWhatRings) {
  ASSERT_TRUE(started());
  office_->end_calls(2s);
  EXPECT_EQ(ask("GET", "/api/status").at("active_calls"), 0);
}

}  // namespace
}  // namespace bw::server
