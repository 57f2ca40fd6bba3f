// Questions over real sockets to a name server of the test's own.
#include "io/name_service.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "io/udp_links.h"

namespace bw::io {
namespace {

using namespace std::chrono_literals;

std::string u16(unsigned v) {
  return {static_cast<char>(v >> 8U), static_cast<char>(v & 0xFFU)};
}

std::string labels(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    const std::size_t dot = std::min(name.find('.'), name.size());
    out += static_cast<char>(dot);
    out += name.substr(0, dot);
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  return out + '\0';
}

std::string text(std::string_view s) {
  return std::string(1, static_cast<char>(s.size())).append(s);
}

// One record of RFC 1035 §4.1.3 for the name that was asked.
std::string record(unsigned type, unsigned ttl, const std::string& data) {
  return u16(0xC00C) + u16(type) + u16(1) + u16(0) + u16(ttl) + u16(static_cast<unsigned>(data.size())) +
         data;
}

// Answers from a table by name and type; what it does not know it answers with NXDOMAIN; "silence" never.
class NameServer {
 public:
  NameServer() : links_(std::move(*UdpLinks::open(std::vector{Endpoint{IpAddress::v4(0x7F000001), 0}}))) {
    records_[{"pbx.example", 1}] =
        record(1, 300, std::string("\xC0\0\2\1", 4)) + record(1, 60, std::string("\xC0\0\2\2", 4));
    records_[{"_sip._udp.example", 33}] =
        record(33, 120, u16(10) + u16(60) + u16(5060) + labels("a.example")) +
        record(33, 90, u16(20) + u16(0) + u16(5070) + labels("b.example"));
    records_[{"example", 35}] = record(
        35, 3600, u16(100) + u16(50) + text("s") + text("SIP+D2U") + text("") + labels("_sip._udp.example"));
    records_[{"broken.example", 33}] = u16(0xC00C) + u16(33) + u16(1) + u16(0) + u16(9) + u16(500) + "x";
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  std::string address() const { return links_.bound(0).to_string(); }

 private:
  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd p{links_.descriptor(0), POLLIN, 0};
      if (::poll(&p, 1, 20) <= 0) continue;
      for (const auto& d : links_.receive(0)) answer(d);
      std::vector<sip::Flow> failed;
      links_.flush(failed);
    }
  }
  void answer(const UdpLinks::Datagram& d) {
    std::string name;
    std::size_t at = 12;
    while (at < d.bytes.size() && d.bytes[at] != 0) {
      const auto length = static_cast<std::size_t>(d.bytes[at]);
      name += (name.empty() ? "" : ".") + std::string(d.bytes.substr(at + 1, length));
      at += length + 1;
    }
    if (name == "silence.example") return;
    const std::string question(d.bytes.substr(12, at + 5 - 12));
    const unsigned type = static_cast<unsigned char>(d.bytes[at + 2]);
    const auto found = records_.find({name, type});
    const unsigned count = found == records_.end() ? 0 : name == "pbx.example" || type == 33 ? 2 : 1;
    const std::string head = std::string(d.bytes.substr(0, 2)) +
                             u16(found == records_.end() ? 0x8183 : 0x8180) + u16(1) +
                             u16(name == "broken.example" ? 1 : count) + u16(0) + u16(0);
    const std::string body = head + question + (found == records_.end() ? "" : found->second);
    links_.queue({{sip::Transport::kUdp, {}, d.local, d.remote}, std::make_shared<const std::string>(body)});
  }

  UdpLinks links_;
  std::map<std::pair<std::string, unsigned>, std::string> records_;
  std::jthread thread_;
};

class NameServiceTest : public testing::Test {
 protected:
  NameServiceTest() { start(60s); }
  // `timeout`: what comes later is as good as silence.
  void start(std::chrono::milliseconds timeout) {
    NameServiceLimits limits;
    limits.timeout = timeout;
    limits.tries = 1;
    limits.questions = 3;
    service_ = std::make_unique<NameService>(
        [this](dns::QueryId id, dns::Answer&& answer) {
          const std::lock_guard lock(mutex_);
          answers_[id.value] = std::move(answer);
          changed_.notify_all();
        },
        limits, server_.address());
  }
  dns::Answer ask(const std::string& name, dns::RecordType type) {
    const dns::QueryId id{++last_};
    service_->ask(id, {name, type});
    return wait_for(id);
  }
  dns::Answer wait_for(dns::QueryId id) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, 120s, [&] { return answers_.contains(id.value); }));
    return answers_[id.value];
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::uint64_t, dns::Answer> answers_;
  std::uint64_t last_ = 0;
  NameServer server_;
  std::unique_ptr<NameService> service_;
};

TEST_F(NameServiceTest, AddressesComeWithTheLeastTimeToLive) {
  const dns::Answer a = ask("pbx.example", dns::RecordType::kA);
  ASSERT_EQ(a.addresses.size(), 2u);
  EXPECT_EQ(a.addresses[0].to_string(), "192.0.2.1");
  EXPECT_EQ(a.addresses[1].to_string(), "192.0.2.2");
  EXPECT_EQ(a.ttl, 60s);
}

TEST_F(NameServiceTest, ServiceAndPointerRecordsAreRead) {
  const dns::Answer srv = ask("_sip._udp.example", dns::RecordType::kSrv);
  ASSERT_EQ(srv.srv.size(), 2u);
  EXPECT_EQ(srv.srv[0].target, "a.example");
  EXPECT_EQ(srv.srv[0].port, 5060);
  EXPECT_EQ(srv.srv[1].priority, 20);
  EXPECT_EQ(srv.ttl, 90s);
  const dns::Answer naptr = ask("example", dns::RecordType::kNaptr);
  ASSERT_EQ(naptr.naptr.size(), 1u);
  EXPECT_EQ(naptr.naptr[0].service, "SIP+D2U");
  EXPECT_EQ(naptr.naptr[0].replacement, "_sip._udp.example");
  EXPECT_EQ(naptr.ttl, 3600s);
}

TEST_F(NameServiceTest, NothingFoundBrokenAndSilentAreEmptyAnswers) {
  EXPECT_TRUE(ask("nobody.example", dns::RecordType::kA).addresses.empty());
  EXPECT_TRUE(ask("broken.example", dns::RecordType::kSrv).srv.empty());
  start(100ms);
  EXPECT_TRUE(ask("silence.example", dns::RecordType::kSrv).srv.empty());
}

TEST_F(NameServiceTest, TooManyQuestionsAreAnsweredEmptyAtOnce) {
  start(3s);
  last_ = 20;
  for (std::uint64_t i = 1; i <= 20; ++i) {
    service_->ask(dns::QueryId{i}, {"silence.example", dns::RecordType::kSrv});
  }
  for (std::uint64_t i = 1; i <= 20; ++i) EXPECT_TRUE(wait_for(dns::QueryId{i}).srv.empty());
  EXPECT_EQ(ask("pbx.example", dns::RecordType::kA).addresses.size(), 2u);
}

}  // namespace
}  // namespace bw::io
