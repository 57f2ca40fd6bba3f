// Any text as config.yml and as .env: no crash, bounded work, and an answer that keeps its promises.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "config/load.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bw::config;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Environment env{{"SET", "hidden-value"}, {"EMPTY", ""}, {"PORT", "5070"}};
  const Limits limits;
  const Loaded loaded = load(text, "fuzz.yml", env, limits);
  if (loaded.problems.size() > limits.problems + 2) std::abort();
  const bool in_text = text.find("hidden-value") != text.npos;
  for (const Problem& problem : loaded.problems) {
    const std::string shown = to_text(problem);
    if (!in_text && shown.find("hidden-value") != shown.npos) std::abort();  // what a variable holds
    if (problem.line < 0) std::abort();
  }
  if (loaded.usable() && !loaded.config.security.require_authentication) {
    for (const auto& host : loaded.config.server.sip_host) {
      if (!host.is_loopback()) std::abort();
    }
  }
  parse_dotenv(text, "fuzz.env", limits);
  return 0;
}
