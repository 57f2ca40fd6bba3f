#include "api/paging.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>

namespace bw::api {
namespace json = boost::json;

std::string link_to(const http::Request& request, std::string_view next) {
  std::string query;
  std::string_view rest = request.query;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    // What would end the header's quoting is no part of a query that was understood.
    if (pair.empty() || pair.starts_with("cursor=") ||
        pair.find_first_of("<>\"; ,") != std::string_view::npos)
      continue;
    query.append(pair).append("&");
  }
  return fmt::format("<{}?{}cursor={}>; rel=\"next\"", request.path, query, percent_encoded(next));
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 ||
        std::string_view{"-._~"}.find(c) != std::string_view::npos) {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02X}",
                     static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
  }
  return out;
}

void answer_page(Exchange&& exchange, json::array&& items, std::string_view next) {
  http::Response response = to_response(200, items);
  if (!next.empty()) response.headers.emplace_back("Link", link_to(exchange.request(), next));
  exchange.answer(std::move(response));
}

void answer_page(Exchange&& exchange, std::vector<std::pair<std::string, json::value>>&& items) {
  const std::size_t limit = exchange.query_number("limit", kPage);
  const std::string cursor = exchange.query("cursor");
  std::ranges::sort(items, {}, &std::pair<std::string, json::value>::first);
  auto at = std::ranges::upper_bound(items, cursor, {}, &std::pair<std::string, json::value>::first);
  json::array page;
  std::string last;
  for (; at != items.end() && page.size() < limit; ++at) {
    page.push_back(std::move(at->second));
    last = at->first;
  }
  answer_page(std::move(exchange), std::move(page), at == items.end() ? std::string_view{} : last);
}

}  // namespace bw::api
