// Writing a message: the size is counted first, so the whole costs at most one allocation.
#include <charconv>
#include <cstring>

#include "sip/message.h"

namespace bw::sip {
namespace {

constexpr std::string_view kVersion = "SIP/2.0";
constexpr std::string_view kContentLength = "Content-Length: ";

std::string_view written_name(const Message::Header& h) {
  return h.id == HeaderName::kUnknown ? h.name : name_of(h.id);
}

char* put(char* at, std::string_view text) {
  if (!text.empty()) std::memcpy(at, text.data(), text.size());
  return at + text.size();
}

// More than it will be: the numbers are counted at their longest.
std::size_t upper_bound(const Message& m) {
  std::size_t size = m.method_name().size() + m.request_uri().size() + m.reason().size() + 64;
  size += m.body().size();
  for (std::size_t i = 0; i < m.header_count(); ++i) {
    const Message::Header h = m.header(i);
    size += written_name(h).size() + h.value.size() + 4;
  }
  return size;
}

char* put_start_line(char* at, const Message& m) {
  if (m.is_request()) {
    at = put(at, m.method_name());
    *at++ = ' ';
    at = put(at, m.request_uri());
    *at++ = ' ';
    at = put(at, kVersion);
  } else {
    at = put(at, kVersion);
    *at++ = ' ';
    at = std::to_chars(at, at + 3, m.status()).ptr;
    *at++ = ' ';
    at = put(at, m.reason());
  }
  return put(at, "\r\n");
}

char* put_all(char* at, const Message& m) {
  at = put_start_line(at, m);
  for (std::size_t i = 0; i < m.header_count(); ++i) {
    const Message::Header h = m.header(i);
    at = put(at, written_name(h));
    at = put(at, ": ");
    at = put(at, h.value);
    at = put(at, "\r\n");
  }
  at = put(at, kContentLength);
  at = std::to_chars(at, at + 20, m.body().size()).ptr;
  at = put(at, "\r\n\r\n");
  return put(at, m.body());
}

}  // namespace

void write(const Message& message, std::string& out) {
  const std::size_t before = out.size();
  out.resize_and_overwrite(before + upper_bound(message), [&](char* data, std::size_t) {
    return static_cast<std::size_t>(put_all(data + before, message) - data);
  });
}

std::string to_string(const Message& message) {
  std::string out;
  write(message, out);
  return out;
}

}  // namespace bw::sip
