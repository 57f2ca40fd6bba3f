// JSON by appending (RFC 8259): for what is written so often that a tree of values would cost more than it
// says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bw {

// As a string, in its quotes. Each byte that is not well-formed UTF-8, and each zero byte, becomes '?'
// (base/utf8.h); what lies beyond `most` bytes is cut off, never inside a character.
void append_json_text(std::string& out, std::string_view text, std::size_t most);

// The shortest digits that read back as `value`; 0 for what JSON has no word for (infinity, NaN).
void append_json_number(std::string& out, double value);
void append_json_number(std::string& out, std::int64_t value);

}  // namespace bw
