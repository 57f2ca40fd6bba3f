// For tests: a database of each kind, empty, gone at the end. PostgreSQL is a server of our own in a
// temporary directory, reached by its Unix socket, run as an unprivileged user and stopped by its process id.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "store/migrations.h"
#include "store/store.h"

namespace bw::store::test {

class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class PostgresqlServer {
 public:
  PostgresqlServer();  // throws std::runtime_error: not installed, does not start
  ~PostgresqlServer();
  PostgresqlServer(const PostgresqlServer&) = delete;
  PostgresqlServer& operator=(const PostgresqlServer&) = delete;

  Target make_database();
  void stop();
  void start();

 private:
  TemporaryDirectory directory_;
  pid_t server_ = -1;
  int databases_ = 0;
};

// One per test.
class Database {
 public:
  // Of one server that the whole test program shares, or of the server given.
  explicit Database(Dialect dialect, PostgresqlServer* server = nullptr);
  const Target& target() const { return target_; }
  const std::filesystem::path& directory() const { return directory_.path(); }

 private:
  TemporaryDirectory directory_;
  Target target_;
};

SealKey key_of(unsigned char byte);

}  // namespace bw::store::test
