// Lists in pages: ?limit, ?cursor, and a Link header (RFC 8288) that leads to the next one.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/exchange.h"
#include "api/schema.h"

namespace bw::api {

inline constexpr std::size_t kPage = 100;
inline constexpr std::size_t kMostPerPage = 1'000;
inline constexpr std::size_t kCursorBytes = 1'024;

inline constexpr Field kLimit{.name = "limit",
                              .type = Type::kInteger,
                              .about = "items of a page (100)",
                              .least = 1,
                              .most = kMostPerPage};
inline constexpr Field kCursor{.name = "cursor",
                               .about = "where the page begins, from the Link header of the one before",
                               .most = kCursorBytes};
inline constexpr std::array kPaging{kLimit, kCursor};

// The value of a query parameter, with all but unreserved characters (RFC 3986 §2.3) encoded.
std::string percent_encoded(std::string_view text);

// The value of a Link header: the same request with another cursor.
std::string link_to(const http::Request& request, std::string_view next);

// Items by their keys: in the order of the keys those after the cursor, as many as the page holds.
void answer_page(Exchange&& exchange, std::vector<std::pair<std::string, boost::json::value>>&& items);
// A page that is cut already; `next`: the cursor of the one after it, empty if there is none.
void answer_page(Exchange&& exchange, boost::json::array&& items, std::string_view next);

}  // namespace bw::api
