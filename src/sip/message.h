// A SIP message (RFC 3261 §7): start line, headers in order, body. Everything unknown is carried through.
//
// A Message owns one buffer; header values are views into it, so a parsed message costs two allocations
// and reading it none. Views are valid until the message is changed or destroyed.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sip/header_name.h"
#include "sip/method.h"

namespace bw::sip {

// What a peer may send before we stop reading. Every one is checked by a test.
struct MessageLimits {
  std::size_t message_bytes = 65'535;
  std::size_t headers = 256;
  std::size_t header_value_bytes = 8'192;
  std::size_t body_bytes = 60'000;
};

// Why bytes are not a message. to_sentence() gives one sentence for each.
enum class ParseError : std::uint8_t {
  kEmpty,      // nothing but CRLF: a keep-alive (RFC 5626 §3.5.1), not an error to answer
  kStartLine,  // neither Request-Line nor Status-Line
  kVersion,    // SIP version other than 2.0 (505)
  kHeaderSyntax,
  kNoHeaderEnd,
  kContentLength,  // missing digits, negative, larger than what came
  kTooLarge,
  kTooManyHeaders,
};
std::string_view to_sentence(ParseError error);

class Message {
 public:
  // See the function parse() below.
  static std::expected<Message, ParseError> parse(std::string_view bytes, const MessageLimits& limits,
                                                  Message* salvage);

  struct Header {
    HeaderName id = HeaderName::kUnknown;
    std::string_view name;   // as it came, compact or long
    std::string_view value;  // unfolded, without surrounding white space
  };

  static Message request(Method method, std::string_view uri);
  static Message request(std::string_view method, std::string_view uri);
  // An empty reason becomes the standard phrase of the code (RFC 3261 §21).
  static Message response(int status, std::string_view reason = {});

  bool is_request() const { return status_ == 0; }
  bool is_response() const { return status_ != 0; }
  // Of a request its own method; of a response the method in its CSeq (kUnknown if it has none).
  Method method() const;
  std::string_view method_name() const;
  std::string_view request_uri() const;
  int status() const { return status_; }
  std::string_view reason() const;
  void set_request_uri(std::string_view uri);

  std::size_t header_count() const { return headers_.size(); }
  Header header(std::size_t index) const;
  // First line of that name, whole (it may hold a comma-separated list). Nullopt if absent.
  std::optional<std::string_view> get(HeaderName id) const;
  std::optional<std::string_view> get(std::string_view name) const;  // case-insensitive, for unknown ones
  bool has(HeaderName id) const { return get(id).has_value(); }
  // Every element of a list header, over all lines of that name, split at commas outside quotes and <>.
  std::vector<std::string_view> elements(HeaderName id) const;
  // First element of a list header (the topmost Via, Route, Contact), or nullopt.
  std::optional<std::string_view> first_element(HeaderName id) const;

  // Values are trimmed and cannot hold line breaks (they become spaces), so nothing added can forge a header.
  // Content-Length is ignored: see body(). `value` may be a view into this message.
  void add(HeaderName id, std::string_view value);  // after the others
  void add(std::string_view name, std::string_view value);
  void prepend(HeaderName id, std::string_view value);  // before all of that name; on top if none
  void set(HeaderName id, std::string_view value);      // replaces all of that name; appends if none
  void remove(HeaderName id);                           // all of that name
  void remove_first_element(HeaderName id);             // pops the topmost Via or Route
  void replace_first_element(HeaderName id, std::string_view value);  // e.g. received/rport in the top Via
  void copy(const Message& from, HeaderName id);                      // appends all lines of that name

  std::string_view body() const;
  // Content-Length is not stored as a header; write() always emits the right one.
  // An empty type removes Content-Type.
  void set_body(std::string_view content_type, std::string_view body);

  // Same start line, same headers in the same order (name compared by id, unknown ones case-insensitively,
  // values bytewise after unfolding) and same body.
  friend bool operator==(const Message& a, const Message& b);

  std::size_t memory_bytes() const;  // what it holds on the heap

 private:
  struct Parser;
  struct Span {
    std::uint32_t offset = 0;
    std::uint32_t length = 0;
  };
  struct Entry {
    HeaderName id = HeaderName::kUnknown;
    Span name;  // empty for a known header added by id: written with its canonical name
    Span value;
  };
  std::string_view view(Span s) const { return std::string_view{buffer_}.substr(s.offset, s.length); }
  std::string_view name_of_entry(const Entry& e) const;
  Entry* find(HeaderName id);
  Span store(std::string_view text);  // appends a copy; line breaks in it become spaces
  void drop_waste();                  // frees text no span refers to any more, once it is most of the buffer

  std::string buffer_;
  std::vector<Entry> headers_;
  Method method_ = Method::kUnknown;
  std::uint16_t status_ = 0;
  Span method_name_;  // empty for a known method
  Span target_;       // Request-URI, or the reason phrase of a response
  Span body_;
};

// Reads one whole message: a datagram, or a frame cut by sip/framing.h. With a Content-Length smaller than
// the rest, the surplus is ignored (RFC 3261 §18.3); a larger one is kContentLength. A Request-URI is taken
// as it stands, whatever is in it: validate() (sip/validate.h) judges it. On an error in a message that
// begins like a request or response, `salvage` (if given) receives all that could be read, so that a 400 can
// be sent.
std::expected<Message, ParseError> parse(std::string_view bytes, const MessageLimits& limits = {},
                                         Message* salvage = nullptr);

// Appends the wire form, long header names, Content-Length last.
void write(const Message& message, std::string& out);
std::string to_string(const Message& message);

}  // namespace bw::sip
