// For tests: a front with every door open on loopback, and an exchange that echoes.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "io/certificate.h"
#include "io/clock.h"
#include "io/front.h"
#include "io/test_client.h"

namespace bw::io {

using namespace std::chrono_literals;

inline const Endpoint kAny4{IpAddress::v4(0x7F000001), 0};
inline const Endpoint kAny6{*IpAddress::parse("::1"), 0};
inline constexpr std::string_view kMessage =
    "OPTIONS sip:pbx SIP/2.0\r\nVia: SIP/2.0/TCP a;branch=z9hG4bK1\r\nContent-Length: 0\r\n\r\n";

// In the place of the exchange: sends every message back, and remembers.
class Echoing final : public FrontSink {
 public:
  bool received(const sip::Flow& flow, std::string&& bytes) override {
    const std::lock_guard lock(mutex_);
    if (refusing) return false;
    flows.push_back(flow);
    messages.push_back(bytes);
    if (front != nullptr && answering)
      front->transmit({{flow, std::make_shared<const std::string>(std::move(bytes))}});
    changed_.notify_all();
    return true;
  }
  void lost(const sip::Flow& flow) override {
    const std::lock_guard lock(mutex_);
    gone.push_back(flow);
    changed_.notify_all();
  }
  template <typename Condition>
  bool wait(Condition condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, TestClient::kPatience, condition);
  }

  Front* front = nullptr;
  bool answering = true;
  bool refusing = false;
  std::vector<sip::Flow> flows;
  std::vector<std::string> messages;
  std::vector<sip::Flow> gone;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

struct TemporaryDirectory {
  TemporaryDirectory() {
    std::string name = std::filesystem::temp_directory_path() / "bellwire-io-XXXXXX";
    path = ::mkdtemp(name.data());
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

class FrontTest : public testing::Test {
 protected:
  void start(StreamLimits limits = {}) {
    const auto files = own_certificate(directory_.path, {{"pbx.example"}, {kAny4.ip}}, Clock{}.now());
    ASSERT_TRUE(files.has_value()) << files.error();
    front_ = std::make_unique<Front>(sink_, limits);
    ASSERT_TRUE(front_->use_certificates(*files, *files).has_value());
    FrontHandlers handlers;
    handlers.from_network = [this](http::Request&& request, http::Respond respond) {
      if (request.web_socket && request.path == "/sip") return respond({101, {}, {}, {}});
      if (network_) return network_(std::move(request), std::move(respond));
      respond({200,
               "network " + request.method + " " + request.path + "?" + request.query + " " + request.body,
               "text/plain",
               {}});
    };
    handlers.from_operator = [this](http::Request&& request, http::Respond respond) {
      if (network_) return network_(std::move(request), std::move(respond));
      respond({200, "operator " + request.path, "text/plain", {}});
    };
    FrontDoors doors;
    doors.sip_tcp = {kAny4, kAny6};
    doors.sip_tls = doors.http = doors.https = {kAny4};
    doors.control_socket = directory_.path / "control.sock";
    const auto open = front_->listen(doors, handlers);
    ASSERT_TRUE(open.has_value()) << open.error().sentence;
    sink_.front = front_.get();
  }
  void TearDown() override { front_.reset(); }

  Endpoint tcp() const { return front_->bound_sip_tcp()[0]; }
  Endpoint tls() const { return front_->bound_sip_tls()[0]; }
  Endpoint http() const { return front_->bound_http()[0]; }
  Endpoint https() const { return front_->bound_https()[0]; }

  http::Handler network_;  // in the place of the plain ones; set before start()
  TemporaryDirectory directory_;
  Echoing sink_;
  std::unique_ptr<Front> front_;
};

}  // namespace bw::io
