// Reading a message: one pass over the lines of its own copy of the bytes, folding undone in place.
#include <algorithm>
#include <cstring>

#include "sip/grammar.h"
#include "sip/message.h"

namespace bw::sip {

struct Message::Parser {
  Message& out;
  const MessageLimits& limits;
  std::optional<ParseError> error;  // the first one found; reading goes on so that a 400 can be sent
  std::optional<std::uint64_t> content_length;

  void fail(ParseError e) {
    if (!error) error = e;
  }
  Span span_of(std::string_view part) const {
    return {static_cast<std::uint32_t>(part.data() - out.buffer_.data()),
            static_cast<std::uint32_t>(part.size())};
  }

  bool start_line(std::string_view line);
  bool status_line(std::string_view line);
  void headers(std::size_t begin, std::size_t end);
  void header(std::string_view line);
  void add_content_length(std::string_view value);
  void body(std::size_t begin);
};

namespace {

struct Extent {
  std::size_t headers_end = 0;  // where the empty line begins; npos if there is none
  std::size_t body = 0;
  std::size_t lines = 0;
};

// RFC 3261 wants CRLF; a lone LF is taken too, as every other stack does.
Extent measure(std::string_view bytes) {
  Extent e;
  std::size_t at = 0;
  for (;;) {
    const void* found = std::memchr(bytes.data() + at, '\n', bytes.size() - at);
    if (found == nullptr) return {std::string_view::npos, bytes.size(), e.lines + 1};
    const auto end = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
    const std::size_t length = end - at;
    if (length == 0 || (length == 1 && bytes[at] == '\r')) return {at, end + 1, e.lines};
    ++e.lines;
    at = end + 1;
    if (at == bytes.size()) return {std::string_view::npos, at, e.lines};
  }
}

// Joins folded lines (RFC 3261 §7.3.1): each run of white space with line breaks becomes one space.
// Answers the new length.
std::size_t unfold(char* text, std::size_t length) {
  std::size_t out = 0;
  for (std::size_t i = 0; i < length;) {
    if (text[i] != '\r' && text[i] != '\n') {
      text[out++] = text[i++];
      continue;
    }
    while (i < length && (is_wsp(text[i]) || text[i] == '\r' || text[i] == '\n')) ++i;
    while (out > 0 && is_wsp(text[out - 1])) --out;
    text[out++] = ' ';
  }
  return out;
}

bool is_version_2(std::string_view v) {
  return iequals(v, "SIP/2.0");
}
bool is_version(std::string_view v) {
  return v.size() > 4 && iequals(v.substr(0, 4), "SIP/");
}

}  // namespace

bool Message::Parser::status_line(std::string_view line) {
  const std::size_t gap = line.find(' ');
  const std::string_view version = line.substr(0, gap);
  if (gap == std::string_view::npos || line.size() < gap + 4) return false;
  const auto status = to_number<std::uint16_t>(line.substr(gap + 1, 3));
  if (!status || *status < 100 || *status > 699) return false;
  const std::string_view rest = line.substr(gap + 4);
  if (!rest.empty() && rest.front() != ' ') return false;
  out.status_ = *status;
  out.target_ = span_of(trim(rest));
  if (!is_version_2(version)) fail(ParseError::kVersion);
  return true;
}

// False: nothing that could be answered.
bool Message::Parser::start_line(std::string_view line) {
  if (line.find('\r') != std::string_view::npos) return false;
  if (is_version(line.substr(0, 5))) return status_line(line);
  const std::size_t first = line.find(' ');
  if (first == std::string_view::npos || !is_token(line.substr(0, first))) return false;
  const std::string_view name = line.substr(0, first);
  out.method_ = method_from(name);
  if (out.method_ == Method::kUnknown) out.method_name_ = span_of(name);
  // White space after the version is an error (RFC 4475 §3.1.2.16), but one to be answered.
  const std::string_view trimmed = trim(line);
  if (trimmed.size() != line.size()) fail(ParseError::kStartLine);
  const std::size_t last = trimmed.rfind(' ');
  if (last == std::string_view::npos || last <= first) {
    fail(ParseError::kStartLine);
    return true;
  }
  out.target_ = span_of(trimmed.substr(first + 1, last - first - 1));
  const std::string_view version = trimmed.substr(last + 1);
  if (is_version_2(version)) return true;
  fail(is_version(version) ? ParseError::kVersion : ParseError::kStartLine);
  return true;
}

void Message::Parser::headers(std::size_t begin, std::size_t end) {
  char* const base = out.buffer_.data();
  while (begin < end) {
    std::size_t line_end = begin;
    std::size_t next = begin;
    bool folded = false;
    for (;;) {
      const auto* found = static_cast<const char*>(std::memchr(base + next, '\n', end - next));
      line_end = found == nullptr ? end : static_cast<std::size_t>(found - base);
      next = found == nullptr ? end : line_end + 1;
      if (next >= end || !is_wsp(base[next])) break;
      folded = true;
    }
    if (line_end > begin && base[line_end - 1] == '\r') --line_end;
    std::size_t length = line_end - begin;
    if (folded) length = unfold(base + begin, length);
    header({base + begin, length});
    begin = next;
  }
}

void Message::Parser::header(std::string_view line) {
  std::size_t n = 0;
  while (n < line.size() && kTokenChars.has(line[n])) ++n;
  const std::string_view name = line.substr(0, n);
  const std::string_view rest = trim_left(line.substr(n));
  if (name.empty() || rest.empty() || rest.front() != ':') return fail(ParseError::kHeaderSyntax);
  const std::string_view value = trim(rest.substr(1));
  if (value.size() > limits.header_value_bytes) return fail(ParseError::kTooLarge);
  if (std::memchr(value.data(), '\r', value.size()) != nullptr) return fail(ParseError::kHeaderSyntax);
  const HeaderName id = header_name_from(name);
  if (id == HeaderName::kContentLength) return add_content_length(value);
  if (out.headers_.size() == limits.headers) return fail(ParseError::kTooManyHeaders);
  out.headers_.push_back({id, span_of(name), span_of(value)});
}

void Message::Parser::add_content_length(std::string_view value) {
  const auto length = to_number<std::uint64_t>(value);
  if (!length || (content_length && *content_length != *length)) return fail(ParseError::kContentLength);
  content_length = length;
}

void Message::Parser::body(std::size_t begin) {
  std::size_t length = out.buffer_.size() - begin;
  if (content_length) {
    if (*content_length > length) {
      fail(ParseError::kContentLength);
    } else {
      length = static_cast<std::size_t>(*content_length);
    }
  }
  if (length > limits.body_bytes) {
    fail(ParseError::kTooLarge);
    length = 0;
  }
  out.buffer_.resize(begin + length);
  out.body_ = {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(length)};
}

std::expected<Message, ParseError> Message::parse(std::string_view bytes, const MessageLimits& limits,
                                                  Message* salvage) {
  // RFC 3261 §7.5: line breaks before the start line are ignored.
  const std::size_t start = bytes.find_first_not_of("\r\n");
  if (start == std::string_view::npos) return std::unexpected(ParseError::kEmpty);
  bytes.remove_prefix(start);
  if (bytes.size() > limits.message_bytes) return std::unexpected(ParseError::kTooLarge);

  const Extent extent = measure(bytes);
  Message out;
  out.buffer_.assign(bytes);
  out.headers_.reserve(std::min(extent.lines, limits.headers));
  Parser parser{out, limits, std::nullopt, std::nullopt};

  const std::string_view all = out.buffer_;
  const std::size_t first_end = std::min(all.find('\n'), all.size());
  std::string_view line = all.substr(0, first_end);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (!parser.start_line(line)) return std::unexpected(ParseError::kStartLine);
  const bool ended = extent.headers_end != std::string_view::npos;
  parser.headers(std::min(first_end + 1, all.size()), ended ? extent.headers_end : all.size());
  if (!ended) parser.fail(ParseError::kNoHeaderEnd);
  parser.body(extent.body);
  if (!parser.error) return out;
  if (salvage != nullptr) *salvage = std::move(out);
  return std::unexpected(*parser.error);
}

std::expected<Message, ParseError> parse(std::string_view bytes, const MessageLimits& limits,
                                         Message* salvage) {
  return Message::parse(bytes, limits, salvage);
}

}  // namespace bw::sip
