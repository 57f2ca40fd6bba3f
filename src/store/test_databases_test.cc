#include "store/test_databases.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <thread>
#include <vector>

#include "store/detail/session.h"
#include "store/detail/statement.h"

namespace bw::store::test {
namespace {

namespace fs = std::filesystem;

constexpr std::uint16_t kPort = 5439;  // names the socket; nothing listens on the network
constexpr uid_t kNobody = 65534;

fs::path binaries() {
  fs::path found;
  const fs::path root = "/usr/lib/postgresql";
  if (!fs::exists(root)) throw std::runtime_error("PostgreSQL is not installed: apt-get install postgresql");
  for (const auto& entry : fs::directory_iterator(root)) {
    if (fs::exists(entry.path() / "bin/initdb")) found = std::max(found, entry.path() / "bin");
  }
  if (found.empty()) throw std::runtime_error("no server under /usr/lib/postgresql");
  return found;
}

// PostgreSQL refuses to run as root; and it must not outlive a test that was killed.
pid_t start_unprivileged(std::vector<std::string> words, const fs::path& log) {
  std::vector<std::string> command;
  if (::geteuid() == 0) {
    const std::string nobody = std::to_string(kNobody);
    command = {"setpriv", "--reuid=" + nobody, "--regid=" + nobody, "--clear-groups", "--pdeathsig", "INT"};
  }
  command.insert(command.end(), words.begin(), words.end());
  std::vector<char*> arguments;
  for (std::string& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t child = ::fork();
  if (child != 0) return child;
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(out, 1);
  ::dup2(out, 2);
  if (::geteuid() != 0) ::prctl(PR_SET_PDEATHSIG, SIGINT);
  ::execvp(arguments[0], arguments.data());
  ::_exit(127);
}

Postgresql login(const fs::path& directory, const std::string& database) {
  return {.host = directory.string(), .port = kPort, .name = database, .user = "bellwire", .password = {}};
}

}  // namespace

TemporaryDirectory::TemporaryDirectory() {
  std::string name = (fs::temp_directory_path() / "bw-store-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
  path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

PostgresqlServer::PostgresqlServer() {
  if (::geteuid() == 0 && ::chown(directory_.path().c_str(), kNobody, kNobody) != 0) {
    throw std::runtime_error("chown");
  }
  const fs::path data = directory_.path() / "data";
  const fs::path log = directory_.path().string() + ".log";
  const pid_t initdb =
      start_unprivileged({(binaries() / "initdb").string(), "-D", data.string(), "-A", "trust", "-U",
                          "bellwire", "-E", "UTF8", "--no-locale", "--no-sync"},
                         log);
  int status = 0;
  ::waitpid(initdb, &status, 0);
  if (status != 0) throw std::runtime_error("initdb failed, see " + log.string());
  fs::remove(log);
  start();
}

PostgresqlServer::~PostgresqlServer() {
  stop();
}

void PostgresqlServer::start() {
  const fs::path data = directory_.path() / "data";
  server_ = start_unprivileged(
      {(binaries() / "postgres").string(), "-D", data.string(), "-k", directory_.path().string(), "-p",
       std::to_string(kPort), "-c", "listen_addresses=", "-c", "fsync=off", "-c", "synchronous_commit=off",
       "-c", "full_page_writes=off", "-c", "shared_buffers=16MB", "-c", "max_connections=20"},
      "/dev/null");
  const std::string ping = "host='" + directory_.path().string() + "' port=" + std::to_string(kPort);
  for (int i = 0; i < 4'000; ++i) {
    if (::PQping(ping.c_str()) == PQPING_OK) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(25));
  }
  throw std::runtime_error("PostgreSQL does not start");
}

void PostgresqlServer::stop() {
  if (server_ <= 0) return;
  ::kill(server_, SIGINT);  // "fast": rolls back and stops
  ::waitpid(server_, nullptr, 0);
  server_ = -1;
}

Target PostgresqlServer::make_database() {
  const std::string name = "test" + std::to_string(++databases_);
  detail::run_once(*detail::connect(login(directory_.path(), "postgres")), "CREATE DATABASE " + name);
  return login(directory_.path(), name);
}

Database::Database(Dialect dialect, PostgresqlServer* server)
    : target_(Sqlite{(directory_.path() / "bellwire.db").string()}) {
  if (dialect == Dialect::kSqlite) return;
  static PostgresqlServer shared;
  target_ = (server != nullptr ? *server : shared).make_database();
}

SealKey key_of(unsigned char byte) {
  std::array<unsigned char, SealKey::kBytes> bytes{};
  bytes.fill(byte);
  return SealKey(bytes);
}

TEST(TestDatabases, EachIsEmptyAndAlone) {
  for (const Dialect dialect : {Dialect::kSqlite, Dialect::kPostgresql}) {
    const Database one(dialect);
    const Database other(dialect);
    detail::run_once(*detail::connect(one.target()), "CREATE TABLE here (x INTEGER)");
    detail::run_once(*detail::connect(other.target()), "CREATE TABLE here (x INTEGER)");
    EXPECT_THROW(detail::run_once(*detail::connect(one.target()), "CREATE TABLE here (x INTEGER)"),
                 soci::soci_error);
  }
}

}  // namespace bw::store::test
