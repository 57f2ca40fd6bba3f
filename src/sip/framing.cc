#include "sip/framing.h"

#include <algorithm>
#include <cstring>

#include "sip/grammar.h"

namespace bw::sip {
namespace {

// An idle connection keeps no more than this.
constexpr std::size_t kIdleCapacity = 4096;

// "METHOD uri SIP/2.0" or "SIP/2.0 200 OK", roughly: enough to turn away HTTP and TLS sent to the wrong port.
bool looks_like_start_line(std::string_view line) {
  if (line.size() >= 4 && iequals(line.substr(0, 4), "SIP/")) return true;
  const std::size_t gap = line.find(' ');
  if (gap == std::string_view::npos || !is_token(line.substr(0, gap))) return false;
  const std::string_view trimmed = trim(line);
  const std::size_t last = trimmed.rfind(' ');
  return last != std::string_view::npos && trimmed.size() >= last + 5 &&
         iequals(trimmed.substr(last + 1, 4), "SIP/");
}

// Without white space and folds at both ends: what the parser sees after it unfolded the line.
std::string_view bare(std::string_view s) {
  const std::size_t first = s.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return s.substr(first, s.find_last_not_of(" \t\r\n") - first + 1);
}

// The end of the header that begins at `at`, folded lines included.
std::size_t header_end(std::string_view head, std::size_t at) {
  for (;;) {
    const std::size_t end = head.find('\n', at);
    if (end == std::string_view::npos) return head.size();
    if (end + 1 == head.size() || !is_wsp(head[end + 1])) return end;
    at = end + 1;
  }
}

}  // namespace

std::string_view to_sentence(FramingError error) {
  switch (error) {
    case FramingError::kNotSip:
      return "What came is not SIP";
    case FramingError::kTooLarge:
      return "The message is too large";
    case FramingError::kNoContentLength:
      return "Content-Length is missing";
    case FramingError::kContentLength:
      return "Content-Length is wrong";
  }
  return {};
}

void StreamFramer::feed(std::string_view bytes) {
  if (broken_) return;
  if (begin_ == buffer_.size()) {
    if (buffer_.capacity() > kIdleCapacity) {
      std::string{}.swap(buffer_);
    } else {
      buffer_.clear();
    }
    begin_ = 0;
  } else if (begin_ > buffer_.size() / 2) {
    buffer_.erase(0, begin_);  // moves less than what was handed out: linear over the stream
    begin_ = 0;
  }
  buffer_.append(bytes);
}

std::optional<StreamFramer::Event> StreamFramer::next() {
  if (broken_) return std::nullopt;
  if (scanned_ == 0) {
    if (const auto event = keep_alive()) return event;
    const std::string_view w = waiting();
    if (w.empty() || w == "\r" || w == "\r\n\r") return std::nullopt;  // half a line break, and no more
  }
  if (head_size_ == 0) {
    const bool complete = find_head_end();
    if (broken_) return fail(FramingError::kNotSip);
    if (!complete) {
      if (pending() > limits_.message_bytes) return fail(FramingError::kTooLarge);
      return std::nullopt;
    }
    if (const auto error = read_head()) return fail(*error);
  }
  if (pending() < frame_size_) return std::nullopt;
  const std::string_view frame = waiting().substr(0, frame_size_);
  begin_ += frame_size_;
  scanned_ = searched_ = head_size_ = frame_size_ = 0;
  first_line_seen_ = false;
  return Frame{frame};
}

std::optional<StreamFramer::Event> StreamFramer::keep_alive() {
  const std::string_view w = waiting();
  if (w.starts_with(kPing)) {
    begin_ += kPing.size();
    return Ping{};
  }
  // A CRLF whose successor has half come may still become a ping. One that is followed by a message is the
  // line break some senders put between messages (RFC 3261 §7.5), and reads as a harmless pong.
  if (w.starts_with(kPong) && !(w.size() == 3 && w[2] == '\r')) {
    begin_ += kPong.size();
    return Pong{};
  }
  if (w.starts_with('\n')) {
    ++begin_;
    return Pong{};
  }
  return std::nullopt;
}

// Goes on where the last call stopped, so that a head sent byte by byte costs no more than one sent at once.
bool StreamFramer::find_head_end() {
  const std::string_view w = waiting();
  for (;;) {
    const std::size_t from = std::max(scanned_, searched_);
    searched_ = w.size();
    const void* found = from < w.size() ? std::memchr(w.data() + from, '\n', w.size() - from) : nullptr;
    if (found == nullptr) return false;
    const auto end = static_cast<std::size_t>(static_cast<const char*>(found) - w.data());
    const std::string_view line = w.substr(scanned_, end - scanned_);
    scanned_ = searched_ = end + 1;
    if (!first_line_seen_) {
      first_line_seen_ = true;
      broken_ = !looks_like_start_line(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line);
      if (broken_) return false;
    } else if (line.empty() || line == "\r") {
      head_size_ = scanned_;
      return true;
    }
  }
}

std::optional<FramingError> StreamFramer::read_head() {
  const std::string_view head = waiting().substr(0, head_size_);
  if (head.size() > limits_.message_bytes) return FramingError::kTooLarge;
  std::optional<std::uint64_t> length;
  for (std::size_t at = head.find('\n') + 1; at < head.size();) {
    const std::size_t end = header_end(head, at);
    const std::string_view line = head.substr(at, end - at);
    at = end + 1;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    if (header_name_from(bare(line.substr(0, colon))) != HeaderName::kContentLength) continue;
    const auto one = to_number<std::uint64_t>(bare(line.substr(colon + 1)));
    if (!one || (length && *length != *one)) return FramingError::kContentLength;
    length = one;
  }
  if (!length) return FramingError::kNoContentLength;
  if (*length > limits_.body_bytes || head_size_ + *length > limits_.message_bytes)
    return FramingError::kTooLarge;
  frame_size_ = head_size_ + static_cast<std::size_t>(*length);
  return std::nullopt;
}

StreamFramer::Event StreamFramer::fail(FramingError why) {
  broken_ = true;
  return Broken{why, waiting().substr(0, std::min(pending(), limits_.message_bytes))};
}

}  // namespace bw::sip
