#include "server/log.h"

#include <pthread.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <vector>

#include "base/control.h"
#include "server/log_file.h"

namespace bw::server {
namespace {

constexpr std::size_t kWaitingLines = 8'192;

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

// %* : the message as a JSON string, whatever a peer put into it.
class JsonMessage final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    const std::string text =
        boost::json::serialize(boost::json::string_view{message.payload.data(), message.payload.size()});
    out.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<JsonMessage>(); }
};

// %* : the message on one line: a peer's text must not fake a line of ours.
class OneLine final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    const std::string text = without_controls({message.payload.data(), message.payload.size()}, ' ');
    out.append(text.data(), text.data() + text.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<OneLine>(); }
};

std::unique_ptr<spdlog::formatter> make_formatter(bool json) {
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  if (json) {
    formatter->add_flag<JsonMessage>('*').set_pattern(
        R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":%*})");
  } else {
    formatter->add_flag<OneLine>('*').set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %-7l %*");
  }
  return formatter;
}

}  // namespace

struct Log::Impl {
  ~Impl() { pool.reset(); }  // writes what waits and ends the thread, while the logger still stands
  std::shared_ptr<spdlog::details::thread_pool> pool = std::make_shared<spdlog::details::thread_pool>(
      kWaitingLines, 1, [] { ::pthread_setname_np(::pthread_self(), "log"); });
  std::shared_ptr<spdlog::async_logger> logger;
};

Log::Log(const Setup& setup) : impl_(std::make_unique<Impl>()) {
  std::vector<spdlog::sink_ptr> sinks;
  if (setup.console) sinks.push_back(std::make_shared<spdlog::sinks::stdout_sink_mt>());
  if (!setup.file.empty()) {
    make_log_file(setup.file, kLogFileMode);
    sinks.push_back(std::make_shared<spdlog::sinks::basic_file_sink_mt>(setup.file));
  }
  impl_->logger = std::make_shared<spdlog::async_logger>("bellwire", sinks.begin(), sinks.end(), impl_->pool,
                                                         spdlog::async_overflow_policy::overrun_oldest);
  impl_->logger->set_formatter(make_formatter(setup.json));
  impl_->logger->flush_on(spdlog::level::info);
  set_level(setup.level);
}

Log::~Log() = default;

void Log::set_level(Level level) {
  impl_->logger->set_level(to_spdlog(level));
}
bool Log::enabled(Level level) const {
  return impl_->logger->should_log(to_spdlog(level));
}
void Log::write(Level level, std::string_view text) {
  impl_->logger->log(to_spdlog(level), text);
}

}  // namespace bw::server
