// The program's log. Lines are written by a thread of their own, so that no caller waits for a disk or pipe.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace bw::server {

enum class Level : std::uint8_t { kDebug, kInfo, kWarning, kError };

// Any thread. Secrets cannot reach it: Secret<T> has no formatter. Beyond 8,192 waiting lines the oldest are
// lost.
class Log {
 public:
  struct Setup {
    Level level = Level::kInfo;
    bool console = true;
    std::string file;  // empty: none
    bool json = false;
  };

  // Throws std::runtime_error if the file cannot be opened (start-up).
  explicit Log(const Setup& setup);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void set_level(Level level);
  bool enabled(Level level) const;
  void write(Level level, std::string_view text);

  template <typename... Args>
  void debug(fmt::format_string<Args...> text, Args&&... args) {
    if (enabled(Level::kDebug)) write(Level::kDebug, fmt::format(text, std::forward<Args>(args)...));
  }
  template <typename... Args>
  void info(fmt::format_string<Args...> text, Args&&... args) {
    if (enabled(Level::kInfo)) write(Level::kInfo, fmt::format(text, std::forward<Args>(args)...));
  }
  template <typename... Args>
  void warning(fmt::format_string<Args...> text, Args&&... args) {
    write(Level::kWarning, fmt::format(text, std::forward<Args>(args)...));
  }
  template <typename... Args>
  void error(fmt::format_string<Args...> text, Args&&... args) {
    write(Level::kError, fmt::format(text, std::forward<Args>(args)...));
  }

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bw::server
