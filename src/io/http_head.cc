#include "io/http_head.h"

#include <algorithm>

#include "base/ascii.h"

namespace bw::io {
namespace {

constexpr std::size_t kEmptyLines = 4;  // before a request; §2.2 asks for one

bool is_token_char(char c) {
  return is_alnum(c) || std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
}

bool is_token(std::string_view s) {
  return !s.empty() && std::ranges::all_of(s, is_token_char);
}

bool is_digits(std::string_view s) {
  return !s.empty() && std::ranges::all_of(s, is_digit);
}

// Nothing below space but the tab (RFC 9110 §5.5), and no DEL. Bytes above are left to who reads the value.
bool has_control(std::string_view s) {
  return std::ranges::any_of(s, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7F;
  });
}

}  // namespace

HeadWatch::State HeadWatch::refuse(int status, std::string_view sentence) {
  status_ = status;
  sentence_ = sentence;
  return state_ = State::kRefused;
}

HeadWatch::State HeadWatch::look(std::string_view received) {
  while (state_ == State::kMore) {
    // TLS sent to the plain port never ends a line: it is turned away by its first byte.
    if (lines_ == 0 && line_begin_ < received.size() && received[line_begin_] != '\r' &&
        !is_token_char(received[line_begin_])) {
      return refuse(400, "This is not an HTTP request.");
    }
    const std::size_t end = received.find('\n', looked_);
    if (end == std::string_view::npos) {
      looked_ = received.size();
      if (looked_ - begin_ > most_bytes_) return refuse(431, "The headers are too large.");
      return state_;
    }
    looked_ = end + 1;
    if (looked_ - begin_ > most_bytes_) return refuse(431, "The headers are too large.");
    if (end == line_begin_ || received[end - 1] != '\r') {
      return refuse(400, "A line of the request ends without a carriage return.");
    }
    const std::string_view line = received.substr(line_begin_, end - 1 - line_begin_);
    line_begin_ = looked_;
    if (line.empty() && lines_ == 0) {
      if (looked_ > 2 * kEmptyLines) return refuse(400, "This is not an HTTP request.");
      begin_ = looked_;
    } else if (line.empty()) {
      if (!check_whole()) return state_;
      size_ = looked_ - begin_;
      state_ = State::kWhole;
    } else if (!take_line(line)) {
      return state_;
    }
  }
  return state_;
}

bool HeadWatch::take_line(std::string_view line) {
  const auto refused = [&](int status, std::string_view sentence) {
    refuse(status, sentence);
    return false;
  };
  if (has_control(line)) return refused(400, "The head of the request holds control characters.");
  if (lines_++ == 0) {
    // §3: method SP request-target SP HTTP-version, one space each.
    const std::size_t one = line.find(' ');
    const std::size_t two = one == std::string_view::npos ? one : line.find(' ', one + 1);
    if (two == std::string_view::npos || two == one + 1 || !is_token(line.substr(0, one))) {
      return refused(400, "This is not an HTTP request.");
    }
    const std::string_view version = line.substr(two + 1);
    version_10_ = version == "HTTP/1.0";
    if (version_10_ || version == "HTTP/1.1") return true;
    if (version.starts_with("HTTP/") && version.find(' ') == std::string_view::npos) {
      return refused(505, "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
    }
    return refused(400, "This is not an HTTP request.");
  }
  if (line.front() == ' ' || line.front() == '\t') {
    return refused(400, "A header is folded over several lines (RFC 9112 section 5.2).");
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
    return refused(400, "A line of the head is no header.");
  }
  return take_field(line.substr(0, colon), trimmed(line.substr(colon + 1)));
}

bool HeadWatch::take_field(std::string_view name, std::string_view value) {
  if (iequals(name, "content-length")) {
    ++lengths_;
    if (is_digits(value)) return true;
    refuse(400, "Content-Length is not a number.");
    return false;
  }
  if (iequals(name, "transfer-encoding")) {
    ++encodings_;
    if (iequals(value, "chunked")) return true;
    refuse(501, "Only chunked is known as a transfer encoding.");
    return false;
  }
  if (iequals(name, "host")) ++hosts_;
  return true;
}

bool HeadWatch::check_whole() {
  const auto refused = [&](std::string_view sentence) {
    refuse(400, sentence);
    return false;
  };
  if (lengths_ > 1) return refused("There is more than one Content-Length.");
  if (encodings_ > 1) return refused("There is more than one Transfer-Encoding.");
  if (lengths_ == 1 && encodings_ == 1) {
    return refused("There are both Content-Length and Transfer-Encoding (RFC 9112 section 6.3).");
  }
  if (encodings_ == 1 && version_10_) return refused("HTTP/1.0 knows no Transfer-Encoding.");
  if (hosts_ > 1 || (hosts_ == 0 && !version_10_)) return refused("There must be exactly one Host header.");
  return true;
}

}  // namespace bw::io
