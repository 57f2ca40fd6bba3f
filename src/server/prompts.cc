#include "server/prompts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace bw::server {
namespace {

// As asterisk-core-sounds-en-g722 names them; other languages have the same names.
struct Named {
  std::string_view file;
  std::shared_ptr<const model::Prompt> model::Prompts::* prompt;
};
constexpr std::array kNamed{Named{"ss-noservice.g722", &model::Prompts::no_such_number},
                            Named{"vm-nobodyavail.g722", &model::Prompts::nobody_there},
                            Named{"all-circuits-busy-now.g722", &model::Prompts::no_way}};

std::shared_ptr<const model::Prompt> read_prompt(const std::filesystem::path& file) {
  std::error_code failed;
  if (!std::filesystem::is_regular_file(file, failed)) return nullptr;
  std::ifstream in(file, std::ios::binary);
  std::vector<char> bytes(model::Prompt::kMostBytes + 1);
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(in.gcount()));
  if (bytes.empty() || bytes.size() > model::Prompt::kMostBytes) return nullptr;
  return std::make_shared<const model::Prompt>(std::vector<std::uint8_t>(bytes.begin(), bytes.end()));
}

}  // namespace

model::Prompts read_prompts(const std::string& directory) {
  model::Prompts prompts;
  if (directory.empty()) return prompts;
  for (const Named& named : kNamed)
    prompts.*named.prompt = read_prompt(std::filesystem::path(directory) / named.file);
  return prompts;
}

std::optional<std::string> lack_of_prompts(const model::Prompts& prompts, const std::string& directory) {
  if (directory.empty()) return std::nullopt;
  std::vector<std::string_view> missing;
  for (const Named& named : kNamed) {
    if (prompts.*named.prompt == nullptr) missing.push_back(named.file);
  }
  if (missing.empty()) return std::nullopt;
  return fmt::format(
      "{} not in {}: browsers hear tones instead; the package asterisk-core-sounds-en-g722 has the "
      "recordings, or "
      "prompts.directory names others",
      fmt::join(missing, ", "), directory);
}

}  // namespace bw::server
