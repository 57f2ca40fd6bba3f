#include "sip/message.h"

#include <algorithm>
#include <cassert>

#include "sip/cseq.h"
#include "sip/grammar.h"
#include "sip/status.h"

namespace bw::sip {
namespace {

// Line breaks at the ends go, too: those within become spaces in store().
std::string_view trimmed(std::string_view text) {
  const auto space = [](char c) { return is_wsp(c) || c == '\r' || c == '\n'; };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string_view to_sentence(ParseError error) {
  switch (error) {
    case ParseError::kEmpty:
      return "There is nothing but line breaks";
    case ParseError::kStartLine:
      return "The first line is neither a request line nor a status line";
    case ParseError::kVersion:
      return "The SIP version is not 2.0";
    case ParseError::kHeaderSyntax:
      return "A header line is malformed";
    case ParseError::kNoHeaderEnd:
      return "The empty line after the headers is missing";
    case ParseError::kContentLength:
      return "Content-Length is wrong";
    case ParseError::kTooLarge:
      return "The message is too large";
    case ParseError::kTooManyHeaders:
      return "There are too many headers";
  }
  return {};
}

Message Message::request(Method method, std::string_view uri) {
  assert(method != Method::kUnknown);
  return request(sip::name_of(method), uri);
}

Message Message::request(std::string_view method, std::string_view uri) {
  assert(is_token(method));
  Message m;
  m.headers_.reserve(16);
  m.buffer_.reserve(512);
  m.method_ = method_from(method);
  if (m.method_ == Method::kUnknown) m.method_name_ = m.store(method);
  m.target_ = m.store(uri);
  return m;
}

Message Message::response(int status, std::string_view reason) {
  assert(status >= 100 && status <= 699);
  Message m;
  m.headers_.reserve(16);
  m.buffer_.reserve(512);
  m.status_ = static_cast<std::uint16_t>(status);
  m.target_ = m.store(trimmed(reason.empty() ? reason_phrase(status) : reason));
  return m;
}

Method Message::method() const {
  if (is_request()) return method_;
  return method_from(method_name());
}

std::string_view Message::method_name() const {
  if (is_request()) return method_ == Method::kUnknown ? view(method_name_) : sip::name_of(method_);
  const auto value = get(HeaderName::kCSeq);
  if (!value) return {};
  const auto cseq = CSeq::parse(*value);
  return cseq ? cseq->method_name : std::string_view{};
}

std::string_view Message::request_uri() const {
  return is_request() ? view(target_) : std::string_view{};
}
std::string_view Message::reason() const {
  return is_response() ? view(target_) : std::string_view{};
}

void Message::set_request_uri(std::string_view uri) {
  assert(is_request());
  target_ = store(uri);
  drop_waste();
}

std::string_view Message::name_of_entry(const Entry& e) const {
  return e.name.length == 0 ? sip::name_of(e.id) : view(e.name);
}

Message::Header Message::header(std::size_t index) const {
  const Entry& e = headers_[index];
  return {e.id, name_of_entry(e), view(e.value)};
}

std::optional<std::string_view> Message::get(HeaderName id) const {
  for (const Entry& e : headers_) {
    if (e.id == id) return view(e.value);
  }
  return std::nullopt;
}

std::optional<std::string_view> Message::get(std::string_view name) const {
  const HeaderName id = header_name_from(name);
  if (id != HeaderName::kUnknown) return get(id);
  for (const Entry& e : headers_) {
    if (e.id == HeaderName::kUnknown && iequals(view(e.name), name)) return view(e.value);
  }
  return std::nullopt;
}

Message::Entry* Message::find(HeaderName id) {
  const auto at = std::ranges::find(headers_, id, &Entry::id);
  return at == headers_.end() ? nullptr : &*at;
}

std::vector<std::string_view> Message::elements(HeaderName id) const {
  std::vector<std::string_view> out;
  for (const Entry& e : headers_) {
    if (e.id != id) continue;
    std::string_view rest = view(e.value);
    for (auto element = next_element(rest); !element.empty(); element = next_element(rest)) {
      out.push_back(element);
    }
  }
  return out;
}

std::optional<std::string_view> Message::first_element(HeaderName id) const {
  for (const Entry& e : headers_) {
    if (e.id != id) continue;
    std::string_view rest = view(e.value);
    if (const auto element = next_element(rest); !element.empty()) return element;
  }
  return std::nullopt;
}

void Message::add(HeaderName id, std::string_view value) {
  assert(id != HeaderName::kUnknown);
  if (id == HeaderName::kContentLength) return;
  const Span stored = store(trimmed(value));
  headers_.push_back({id, {}, stored});
}

void Message::add(std::string_view name, std::string_view value) {
  assert(is_token(name));
  const HeaderName id = header_name_from(name);
  if (id != HeaderName::kUnknown) return add(id, value);
  value = trimmed(value);
  std::string both;  // one copy, because either may be a view into the buffer about to grow
  both.reserve(name.size() + value.size());
  both.append(name).append(value);
  const Span stored = store(both);
  const auto name_size = static_cast<std::uint32_t>(name.size());
  headers_.push_back(
      {id, {stored.offset, name_size}, {stored.offset + name_size, stored.length - name_size}});
}

void Message::prepend(HeaderName id, std::string_view value) {
  assert(id != HeaderName::kUnknown && id != HeaderName::kContentLength);
  const Span stored = store(trimmed(value));
  auto at = std::ranges::find(headers_, id, &Entry::id);
  if (at == headers_.end()) at = headers_.begin();
  headers_.insert(at, {id, {}, stored});
}

void Message::set(HeaderName id, std::string_view value) {
  const Span stored = store(trimmed(value));
  Entry* first = find(id);
  if (first == nullptr) {
    if (id != HeaderName::kContentLength) headers_.push_back({id, {}, stored});
    return;
  }
  first->value = stored;
  const auto after = headers_.begin() + (first - headers_.data()) + 1;
  headers_.erase(std::remove_if(after, headers_.end(), [&](const Entry& e) { return e.id == id; }),
                 headers_.end());
  drop_waste();
}

void Message::remove(HeaderName id) {
  std::erase_if(headers_, [&](const Entry& e) { return e.id == id; });
}

void Message::remove_first_element(HeaderName id) {
  for (Entry* e = find(id); e != nullptr; e = find(id)) {
    const std::string_view line = view(e->value);
    std::string_view rest = line;
    const bool found = !next_element(rest).empty();
    std::string_view after = rest;
    if (next_element(after).empty()) {
      headers_.erase(headers_.begin() + (e - headers_.data()));
    } else {
      rest = trim(rest);
      e->value.offset += static_cast<std::uint32_t>(rest.data() - line.data());
      e->value.length = static_cast<std::uint32_t>(rest.size());
    }
    if (found) return;
  }
}

void Message::replace_first_element(HeaderName id, std::string_view value) {
  Entry* first = find(id);
  if (first == nullptr) return add(id, value);
  std::string_view rest = view(first->value);
  next_element(rest);
  std::string line;
  line.reserve(value.size() + rest.size() + 2);
  line.append(trimmed(value));
  if (!trim(rest).empty()) line.append(", ").append(trim(rest));
  first->value = store(line);
  drop_waste();
}

void Message::copy(const Message& from, HeaderName id) {
  const std::size_t count = from.headers_.size();  // `from` may be this very message
  for (std::size_t i = 0; i < count; ++i) {
    if (from.headers_[i].id == id) add(id, from.view(from.headers_[i].value));
  }
}

std::string_view Message::body() const {
  return view(body_);
}

void Message::set_body(std::string_view content_type, std::string_view body) {
  const std::string type{content_type};  // either may be a view into the buffer about to grow
  const auto offset = static_cast<std::uint32_t>(buffer_.size());
  buffer_.append(body);  // not through store(): a body keeps its line breaks
  body_ = {offset, static_cast<std::uint32_t>(body.size())};
  if (type.empty()) {
    remove(HeaderName::kContentType);
    drop_waste();
  } else {
    set(HeaderName::kContentType, type);
  }
}

bool operator==(const Message& a, const Message& b) {
  if (a.status_ != b.status_ || a.headers_.size() != b.headers_.size()) return false;
  if (a.is_request() && a.method_name() != b.method_name()) return false;
  if (a.view(a.target_) != b.view(b.target_) || a.body() != b.body()) return false;
  for (std::size_t i = 0; i < a.headers_.size(); ++i) {
    const Message::Header x = a.header(i);
    const Message::Header y = b.header(i);
    if (x.id != y.id || x.value != y.value) return false;
    if (x.id == HeaderName::kUnknown && !iequals(x.name, y.name)) return false;
  }
  return true;
}

std::size_t Message::memory_bytes() const {
  return buffer_.capacity() + headers_.capacity() * sizeof(Entry);
}

Message::Span Message::store(std::string_view text) {
  const Span span{static_cast<std::uint32_t>(buffer_.size()), static_cast<std::uint32_t>(text.size())};
  buffer_.append(text);  // safe when `text` is a view into buffer_ itself
  const std::string_view stored = view(span);
  if (stored.find('\r') == stored.npos && stored.find('\n') == stored.npos) return span;
  for (std::size_t i = span.offset; i < buffer_.size(); ++i) {
    if (buffer_[i] == '\r' || buffer_[i] == '\n') buffer_[i] = ' ';
  }
  return span;
}

void Message::drop_waste() {
  constexpr std::size_t kTolerated = 4096;
  if (buffer_.size() <= kTolerated) return;
  std::size_t used = method_name_.length + target_.length + body_.length;
  for (const Entry& e : headers_) used += e.name.length + e.value.length;
  if (buffer_.size() <= 2 * used + kTolerated) return;
  std::string kept;
  kept.reserve(used);
  const auto move = [&](Span& s) {
    const auto offset = static_cast<std::uint32_t>(kept.size());
    kept.append(view(s));
    s.offset = offset;
  };
  move(method_name_);
  move(target_);
  for (Entry& e : headers_) {
    move(e.name);
    move(e.value);
  }
  move(body_);
  buffer_ = std::move(kept);
}

}  // namespace bw::sip
