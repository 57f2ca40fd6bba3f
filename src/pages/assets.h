// The pages of web/ as bytes, built and compressed with the program, and which form of them a request wants.
#pragma once

#include <span>
#include <string_view>

namespace bw::pages {

struct Asset {
  std::string_view name;  // "index.html"
  std::string_view content_type;
  std::string_view etag;  // weak: the same for each coding
  bool forever = false;   // a digest in the name: other bytes have another name
  std::string_view plain;
  std::string_view gzip;
  std::string_view brotli;
};

std::span<const Asset> assets();
// Null: there is none of that name.
const Asset* find(std::string_view name);

struct Coded {
  std::string_view bytes;
  std::string_view coding;  // for Content-Encoding; empty: as it is
};
// The smallest form that `accept_encoding` allows (RFC 9110 §12.5.3).
Coded coded_for(const Asset& asset, std::string_view accept_encoding);

// Whether who asks has it already (RFC 9110 §13.1.2).
bool is_known(const Asset& asset, std::string_view if_none_match);

}  // namespace bw::pages
