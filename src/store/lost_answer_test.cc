// A commit that went through although its answer never came: it is tried again, and must not be there twice.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <thread>

#include "store/journal.h"
#include "store/store_thread.h"
#include "store/test_databases.h"

namespace bw::store {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { ::close(fd_); }
  int fd() const { return fd_; }

 private:
  int fd_;
};

sockaddr_un address_of(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.string().copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

// The line between a store and its PostgreSQL server. When it is told to, it breaks after the server has
// answered the next COMMIT, before the answer is passed on, or towards the store alone. One connection at a
// time.
class Line {
 public:
  explicit Line(const Postgresql& server) : server_(server) {
    const sockaddr_un address = address_of(directory_.path() / socket_name());
    if (::bind(listener_.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_.fd(), 5) != 0) {
      throw std::runtime_error("the line cannot listen");
    }
    thread_ = std::thread([this] { run(); });
  }
  ~Line() {
    ::shutdown(listener_.fd(), SHUT_RDWR);
    thread_.join();
  }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  Target target() const {
    Postgresql through = server_;
    through.host = directory_.path().string();
    return through;
  }
  void break_at_next_commit() { breaks_ = true; }
  // At the next request: the server goes on believing that somebody is there.
  void break_unnoticed() { breaks_unnoticed_ = true; }
  int broken() const { return broken_; }

 private:
  std::string socket_name() const { return ".s.PGSQL." + std::to_string(server_.port); }

  void run() {
    for (;;) {
      const Socket client(::accept(listener_.fd(), nullptr, nullptr));
      if (client.fd() < 0) return;
      auto kept = std::make_unique<Socket>(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
      const Socket& server = *kept;
      const sockaddr_un address = address_of(std::filesystem::path(server_.host) / socket_name());
      if (::connect(server.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) continue;
      while (pass(client.fd(), server.fd())) {
      }
      if (std::exchange(keeps_, false)) kept_.push_back(std::move(kept));
    }
  }

  // False: one end is gone, or the line breaks.
  bool pass(int client, int server) {
    std::array<pollfd, 2> ends{{{client, POLLIN, 0}, {server, POLLIN, 0}}};
    if (::poll(ends.data(), 2, -1) < 0) return false;
    std::array<char, 65536> bytes{};
    for (const auto& end : ends) {
      if (end.revents == 0) continue;
      const ssize_t n = ::recv(end.fd, bytes.data(), bytes.size(), 0);
      if (n <= 0) return false;
      const std::string_view text(bytes.data(), static_cast<std::size_t>(n));
      const bool from_client = end.fd == client;
      if (from_client && breaks_unnoticed_.exchange(false)) {
        ++broken_;
        keeps_ = true;
        return false;
      }
      if (::send(from_client ? server : client, text.data(), text.size(), MSG_NOSIGNAL) != n) return false;
      if (from_client && text.find("COMMIT") != text.npos && breaks_.exchange(false)) {
        static_cast<void>(::recv(server, bytes.data(), bytes.size(), 0));  // it is committed
        ++broken_;
        return false;
      }
    }
    return true;
  }

  test::TemporaryDirectory directory_;
  Postgresql server_;
  Socket listener_{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  std::atomic<bool> breaks_ = false;
  std::atomic<bool> breaks_unnoticed_ = false;
  std::atomic<int> broken_ = 0;
  bool keeps_ = false;  // of thread_, as the next
  std::vector<std::unique_ptr<Socket>> kept_;
  std::thread thread_;
};

ports::Persist call_that_starts(int number) {
  const std::string name = "call-" + std::to_string(number);
  model::CallRecord r;
  r.id = model::CallId(name);
  r.started = Instant{1s};
  events::CallStarted e;
  e.call_id = r.id;
  e.from_extension = std::to_string(number);
  return {ports::Ticket{static_cast<std::uint64_t>(number)},
          {ports::OpenCallRecord{r}, ports::Tell{{events::EventId("e-" + name), Instant{1s}, 1, e}}}};
}

TEST(LostAnswer, ACommitThatWentThroughIsNotWrittenAgainAndIsToldOnce) {
  const test::Database database(Dialect::kPostgresql);
  Line line(std::get<Postgresql>(database.target()));
  std::vector<std::string> heard;
  std::vector<bool> stored;
  {
    StoreThread thread(
        std::move(Store::open_alone(line.target(), test::key_of(1)).value()),
        [&](std::span<const ports::Stored> answers) {
          for (const auto& s : answers) stored.push_back(s.ok);
        },
        [](const Failure*) {}, {.retry_first = 1ms});
    const Listening listening = thread.listen([&](const events::StoredBatch& batch, std::uint64_t) {
      for (const auto& e : *batch) heard.push_back(e.extensions.at(0) + '=' + std::to_string(e.seq));
    });
    for (int round = 0; round < 3; ++round) {
      std::promise<void> go;
      ASSERT_TRUE(thread.ask([&](Store&) { go.get_future().wait(); }));  // so that two make one commit
      thread.persist(call_that_starts(10 + 2 * round));
      thread.persist(call_that_starts(11 + 2 * round));
      if (round == 1) line.break_at_next_commit();
      go.set_value();
      std::promise<void> reached;
      ASSERT_TRUE(thread.ask([&](Store&) { reached.set_value(); }));
      reached.get_future().wait();
    }
  }
  EXPECT_EQ(line.broken(), 1);
  EXPECT_THAT(stored, ElementsAre(true, true, true, true, true, true));
  EXPECT_THAT(heard, ElementsAre("10=1", "11=2", "12=3", "13=4", "14=5", "15=6"));
  Store store = std::move(Store::open(database.target(), test::key_of(1)).value());
  const auto page = Journal(store).read({}).value();
  ASSERT_THAT(page.events, SizeIs(6));
  EXPECT_EQ(page.events.back().seq, 6U);
}

TEST(LostConnection, ThatTheServerStillBelievesInDoesNotKeepItsOwnerOut) {
  const test::Database database(Dialect::kPostgresql);
  Line line(std::get<Postgresql>(database.target()));
  Store store = Store::open_alone(line.target(), test::key_of(1)).value();
  for (int i = 1; i <= 2; ++i) {
    line.break_unnoticed();
    EXPECT_EQ(store.set_meta("colour", "red").error().kind, FailureKind::kUnavailable);
    EXPECT_EQ(line.broken(), i);
    ASSERT_TRUE(store.set_meta("colour", "blue"));
  }
  EXPECT_FALSE(Store::open_alone(database.target(), test::key_of(1), {.patience = Duration::zero()}));
}

}  // namespace
}  // namespace bw::store
