#include "pages/assets.h"

#include <algorithm>

#include "base/ascii.h"

namespace bw::pages {
namespace {

// The next element of a list with commas; the list loses it.
std::string_view next_element(std::string_view& list) {
  const std::size_t end = std::min(list.find(','), list.size());
  const std::string_view element = trimmed(list.substr(0, end));
  list.remove_prefix(std::min(end + 1, list.size()));
  return element;
}

// "q=0", "q=0.000": this one not.
bool is_refused(std::string_view parameters) {
  const std::size_t q = parameters.find("q=");
  if (q == std::string_view::npos) return false;
  const std::string_view weight = trimmed(parameters.substr(q + 2));
  return weight.find_first_not_of("0.") == std::string_view::npos;
}

bool accepts(std::string_view accept_encoding, std::string_view coding) {
  bool any = false;
  while (!accept_encoding.empty()) {
    const std::string_view element = next_element(accept_encoding);
    const std::size_t semicolon = std::min(element.find(';'), element.size());
    const std::string_view name = trimmed(element.substr(0, semicolon));
    const bool wanted = !is_refused(element.substr(semicolon));
    if (iequals(name, coding)) return wanted;
    if (name == "*") any = wanted;
  }
  return any;
}

std::string_view opaque(std::string_view etag) {
  return etag.starts_with("W/") ? etag.substr(2) : etag;
}

}  // namespace

const Asset* find(std::string_view name) {
  const auto all = assets();
  const auto found = std::ranges::find(all, name, &Asset::name);
  return found == all.end() ? nullptr : &*found;
}

Coded coded_for(const Asset& asset, std::string_view accept_encoding) {
  if (accepts(accept_encoding, "br")) return {asset.brotli, "br"};
  if (accepts(accept_encoding, "gzip")) return {asset.gzip, "gzip"};
  return {asset.plain, {}};
}

bool is_known(const Asset& asset, std::string_view if_none_match) {
  while (!if_none_match.empty()) {
    const std::string_view element = next_element(if_none_match);
    if (element == "*" || opaque(element) == opaque(asset.etag)) return true;
  }
  return false;
}

}  // namespace bw::pages
