// A merge patch of the configuration, as it comes over the API, on any file: what is not named stays, nothing
// that only the file may say gets in, and what was judged good can be read.
//
// Input: the file, a line "===", the patch.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "config/change.h"
#include "config/document.h"
#include "config/load.h"

namespace {

namespace json = boost::json;
constexpr std::string_view kHidden = "hidden-value";

bool names(const bw::config::Change& change, std::string_view section) {
  for (const std::string& key : change.keys) {
    if (key.substr(0, key.find_first_of(".[")) == section) return true;
  }
  return false;
}

bool shows(const json::object& document) {
  return json::serialize(document).find(kHidden) != std::string::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bw::config;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t cut = input.find("\n===\n");
  if (cut == input.npos) return 0;
  const std::string_view text = input.substr(0, cut + 1);
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = 8;
  const std::string_view patch = input.substr(cut + 5);
  const json::value wanted = json::parse({patch.data(), patch.size()}, error, {}, options);
  if (error || !wanted.is_object()) return 0;
  const Environment env{{"SET", std::string(kHidden)}, {"PORT", "5070"}};
  const Limits limits;
  const Loaded before = load(text, "fuzz.yml", env, limits);
  if (!before.usable()) return 0;
  const json::object in_force = document(before.config);
  const Change changed = change(text, in_force, wanted.get_object());
  if (changed.keys.empty() && changed.text != text) std::abort();
  if (!changed.problems.empty()) return 0;
  const Loaded after = load(changed.text, "fuzz.yml", env, limits);
  if (!after.usable()) return 0;
  const json::object next = document(after.config);
  if (!shows(in_force) && input.find(kHidden) == input.npos && shows(next)) std::abort();
  for (const auto& section : next) {
    const std::string_view name(section.key().data(), section.key().size());
    // What extensions do not say themselves they take from other sections.
    if (name == "extensions" || names(changed, name)) continue;
    if (in_force.at(section.key()) != section.value()) std::abort();
  }
  return 0;
}
