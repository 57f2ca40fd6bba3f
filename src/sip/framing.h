// Cuts a byte stream (TCP, TLS) into SIP messages (RFC 3261 §18.3) and keep-alives (RFC 5626 §3.5.1).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "sip/message.h"

namespace bw::sip {

// After any of these the place where the next message begins is lost: the connection must be closed.
enum class FramingError : std::uint8_t {
  kNotSip,           // the first line is not a SIP start line
  kTooLarge,         // more than the limits allow
  kNoContentLength,  // required on a stream
  kContentLength,    // not a number, or two different ones
};
std::string_view to_sentence(FramingError error);

// Owned by one connection. After each feed() call next() until it answers nothing.
class StreamFramer {
 public:
  // One message, ready for parse(). The view is valid until the next feed().
  struct Frame {
    std::string_view bytes;
  };
  struct Ping {};  // CRLF CRLF: to be answered with Pong's CRLF
  struct Pong {};  // a lone CRLF: the answer to our ping
  struct Broken {
    FramingError why;
    std::string_view
        head;  // start line and headers as far as they came, for a 400; valid until the next feed()
  };
  using Event = std::variant<Frame, Ping, Pong, Broken>;

  static constexpr std::string_view kPing = "\r\n\r\n";
  static constexpr std::string_view kPong = "\r\n";

  explicit StreamFramer(MessageLimits limits = {}) : limits_(limits) {}

  // Ignored once broken.
  void feed(std::string_view bytes);
  // Broken comes once, then nothing any more.
  std::optional<Event> next();

  // Bytes of an unfinished message: if they do not grow for long, the peer holds us up.
  std::size_t pending() const { return buffer_.size() - begin_; }
  std::size_t memory_bytes() const { return buffer_.capacity(); }

 private:
  std::optional<Event> keep_alive();
  bool find_head_end();
  std::optional<FramingError> read_head();
  Event fail(FramingError why);
  std::string_view waiting() const { return std::string_view{buffer_}.substr(begin_); }

  MessageLimits limits_;
  std::string buffer_;
  std::size_t begin_ = 0;      // of what has not been handed out
  std::size_t scanned_ = 0;    // behind begin_: whole lines known to belong to the head
  std::size_t searched_ = 0;   // behind begin_: the rest of an unfinished line that was looked at
  std::size_t head_size_ = 0;  // 0: the empty line has not come yet
  std::size_t frame_size_ = 0;
  bool first_line_seen_ = false;
  bool broken_ = false;
};

}  // namespace bw::sip
