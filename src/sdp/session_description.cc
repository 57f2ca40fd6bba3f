#include "sdp/session_description.h"

#include <algorithm>
#include <utility>

#include "sdp/detail/words.h"

namespace bw::sdp {
namespace {

using detail::parse_number;
using detail::take_word;

// Reads lines one by one into the description; the current section is the session or the last media.
class Reader {
 public:
  explicit Reader(const Limits& limits) : limits_(limits) { out_.timings.clear(); }

  std::expected<SessionDescription, ParseError> read(std::string_view text);

 private:
  using Result = std::expected<void, ParseError>;
  static Result fail(ParseError e) { return std::unexpected(e); }

  Result line(char letter, std::string_view value);
  Result session_line(char letter, std::string_view value);
  Result origin(std::string_view value);
  Result connection(std::string_view value);
  Result bandwidth(std::string_view value);
  Result media(std::string_view value);
  void attribute(std::string_view value);
  static Result once(std::optional<std::string>& field, std::string_view value);
  Media* section() { return out_.media.empty() ? nullptr : &out_.media.back(); }

  const Limits& limits_;
  SessionDescription out_;
  std::size_t lines_ = 0;
  bool origin_seen_ = false;
  bool name_seen_ = false;
};

std::expected<SessionDescription, ParseError> Reader::read(std::string_view text) {
  if (text.size() > limits_.bytes) return std::unexpected(ParseError::kTooLarge);
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto one = text.substr(0, end);
    text = end == text.npos ? std::string_view{} : text.substr(end + 1);
    if (one.ends_with('\r')) one.remove_suffix(1);
    if (one.empty()) continue;
    if (++lines_ > limits_.lines || one.size() > limits_.line_bytes) {
      return std::unexpected(ParseError::kTooLarge);
    }
    if (one.find('\0') != one.npos || one.find('\r') != one.npos)
      return std::unexpected(ParseError::kControl);
    if (lines_ == 1) {
      if (one != "v=0") return std::unexpected(ParseError::kVersion);
      continue;
    }
    if (one.size() < 2 || one[1] != '=') return std::unexpected(ParseError::kLine);
    if (const auto result = line(one[0], one.substr(2)); !result) return std::unexpected(result.error());
  }
  if (lines_ == 0) return std::unexpected(ParseError::kVersion);
  if (!origin_seen_) return std::unexpected(ParseError::kOrigin);
  if (out_.timings.empty()) out_.timings.emplace_back();
  return std::move(out_);
}

Reader::Result Reader::line(char letter, std::string_view value) {
  switch (letter) {
    case 'm':
      return media(value);
    case 'a':
      attribute(value);
      return {};
    case 'c':
      return connection(value);
    case 'b':
      return bandwidth(value);
    case 'i':
      return once(section() ? section()->information : out_.information, value);
    case 'k':
      return once(section() ? section()->key : out_.key, value);
    default:
      return session_line(letter, value);
  }
}

Reader::Result Reader::session_line(char letter, std::string_view value) {
  if (std::string_view{"vosueptrz"}.find(letter) == std::string_view::npos) return fail(ParseError::kLetter);
  if (section()) return fail(ParseError::kMisplaced);
  switch (letter) {
    case 'o':
      return origin(value);
    case 's':
      if (std::exchange(name_seen_, true)) return fail(ParseError::kMisplaced);
      out_.name = value;
      return {};
    case 'u':
      return once(out_.uri, value);
    case 'e':
      out_.emails.emplace_back(value);
      return {};
    case 'p':
      out_.phones.emplace_back(value);
      return {};
    case 't':
      out_.timings.push_back({std::string{value}, {}, {}});
      return {};
    case 'r':
      if (out_.timings.empty()) return fail(ParseError::kMisplaced);
      out_.timings.back().repeats.emplace_back(value);
      return {};
    case 'z':
      if (out_.timings.empty()) return fail(ParseError::kMisplaced);
      return once(out_.timings.back().zone, value);
    default:  // v= again
      return fail(ParseError::kMisplaced);
  }
}

Reader::Result Reader::once(std::optional<std::string>& field, std::string_view value) {
  if (field) return fail(ParseError::kMisplaced);
  field = value;
  return {};
}

Reader::Result Reader::origin(std::string_view value) {
  if (std::exchange(origin_seen_, true)) return fail(ParseError::kMisplaced);
  Origin& o = out_.origin;
  o.username = take_word(value);
  o.session_id = take_word(value);
  o.version = take_word(value);
  o.network = take_word(value);
  o.address_type = take_word(value);
  o.address = take_word(value);
  if (o.address.empty() || !take_word(value).empty()) return fail(ParseError::kOrigin);
  return {};
}

Reader::Result Reader::connection(std::string_view value) {
  Connection c;
  c.network = take_word(value);
  c.address_type = take_word(value);
  c.address = take_word(value);
  if (c.address.empty() || !take_word(value).empty()) return fail(ParseError::kConnection);
  if (Media* m = section()) {
    m->connections.push_back(std::move(c));
    return {};
  }
  if (out_.connection) return fail(ParseError::kMisplaced);
  out_.connection = std::move(c);
  return {};
}

Reader::Result Reader::bandwidth(std::string_view value) {
  const auto colon = value.find(':');
  Bandwidth b;
  if (colon == value.npos || colon == 0) return fail(ParseError::kBandwidth);
  b.type = value.substr(0, colon);
  auto rest = value.substr(colon + 1);
  if (!parse_number(take_word(rest), b.value) || !take_word(rest).empty())
    return fail(ParseError::kBandwidth);
  (section() ? section()->bandwidths : out_.bandwidths).push_back(std::move(b));
  return {};
}

Reader::Result Reader::media(std::string_view value) {
  if (out_.media.size() >= limits_.media) return fail(ParseError::kTooLarge);
  Media m;
  m.type = take_word(value);
  const auto ports = take_word(value);
  m.protocol = take_word(value);
  const auto slash = ports.find('/');
  if (m.protocol.empty() || !parse_number(ports.substr(0, slash), m.port)) return fail(ParseError::kMedia);
  if (slash != ports.npos && (!parse_number(ports.substr(slash + 1), m.port_count) || m.port_count == 0)) {
    return fail(ParseError::kMedia);
  }
  for (auto format = take_word(value); !format.empty(); format = take_word(value)) {
    if (m.formats.size() >= limits_.formats) return fail(ParseError::kTooLarge);
    m.formats.emplace_back(format);
  }
  out_.media.push_back(std::move(m));
  return {};
}

void Reader::attribute(std::string_view value) {
  Attribute a;
  const auto colon = value.find(':');
  a.name = value.substr(0, colon);
  if (colon != value.npos) a.value = value.substr(colon + 1);
  (section() ? section()->attributes : out_.attributes).list.push_back(std::move(a));
}

// ---- writing ----

void put_line(std::string& out, char letter, std::string_view value) {
  out += letter;
  out += '=';
  out += value;
  out += "\r\n";
}

void put_optional(std::string& out, char letter, const std::optional<std::string>& value) {
  if (value) put_line(out, letter, *value);
}

void put_connection(std::string& out, const Connection& c) {
  out += "c=";
  out += c.network;
  out += ' ';
  out += c.address_type;
  out += ' ';
  out += c.address;
  out += "\r\n";
}

void put_bandwidths(std::string& out, const std::vector<Bandwidth>& list) {
  for (const Bandwidth& b : list) {
    out += "b=";
    out += b.type;
    out += ':';
    out += std::to_string(b.value);
    out += "\r\n";
  }
}

void put_attributes(std::string& out, const Attributes& attributes) {
  for (const Attribute& a : attributes.list) {
    out += "a=";
    out += a.name;
    if (a.value) {
      out += ':';
      out += *a.value;
    }
    out += "\r\n";
  }
}

void put_origin(std::string& out, const Origin& o) {
  out += "o=";
  for (const std::string* word : {&o.username, &o.session_id, &o.version, &o.network, &o.address_type}) {
    out += *word;
    out += ' ';
  }
  out += o.address;
  out += "\r\n";
}

void put_media(std::string& out, const Media& m) {
  out += "m=";
  out += m.type;
  out += ' ';
  out += std::to_string(m.port);
  if (m.port_count != 1) out += '/' + std::to_string(m.port_count);
  out += ' ';
  out += m.protocol;
  for (const std::string& format : m.formats) {
    out += ' ';
    out += format;
  }
  out += "\r\n";
  put_optional(out, 'i', m.information);
  for (const Connection& c : m.connections) put_connection(out, c);
  put_bandwidths(out, m.bandwidths);
  put_optional(out, 'k', m.key);
  put_attributes(out, m.attributes);
}

}  // namespace

std::string_view to_sentence(ParseError error) {
  switch (error) {
    case ParseError::kVersion:
      return "the description does not begin with v=0";
    case ParseError::kOrigin:
      return "the origin line is missing or has not six fields";
    case ParseError::kLine:
      return "a line is not a letter, an equals sign and a value";
    case ParseError::kLetter:
      return "a line begins with a letter that has no meaning";
    case ParseError::kMisplaced:
      return "a line stands where it may not or comes twice";
    case ParseError::kConnection:
      return "a connection line has not three fields";
    case ParseError::kBandwidth:
      return "a bandwidth line is not a type and a number";
    case ParseError::kMedia:
      return "a media line has not type, port and protocol";
    case ParseError::kControl:
      return "a line holds a NUL or a carriage return";
    case ParseError::kTooLarge:
      return "the description is larger than allowed";
  }
  return "unknown";
}

Connection Connection::of(const IpAddress& ip) {
  return {"IN", ip.is_v4() ? "IP4" : "IP6", ip.to_string()};
}

std::optional<IpAddress> Connection::ip() const {
  return IpAddress::parse(std::string_view{address}.substr(0, address.find('/')));
}

const Attribute* Attributes::find(std::string_view name) const {
  const auto it = std::ranges::find(list, name, &Attribute::name);
  return it == list.end() ? nullptr : &*it;
}

void Attributes::remove(std::string_view name) {
  std::erase_if(list, [name](const Attribute& a) { return a.name == name; });
}

const Media* SessionDescription::audio() const {
  const Media* refused = nullptr;
  for (const Media& m : media) {
    if (!m.is_audio()) continue;
    if (m.port != 0) return &m;
    if (!refused) refused = &m;
  }
  return refused;
}

std::expected<SessionDescription, ParseError> parse(std::string_view text, const Limits& limits) {
  return Reader{limits}.read(text);
}

void write(const SessionDescription& d, std::string& out) {
  put_line(out, 'v', "0");
  put_origin(out, d.origin);
  put_line(out, 's', d.name);
  put_optional(out, 'i', d.information);
  put_optional(out, 'u', d.uri);
  for (const std::string& email : d.emails) put_line(out, 'e', email);
  for (const std::string& phone : d.phones) put_line(out, 'p', phone);
  if (d.connection) put_connection(out, *d.connection);
  put_bandwidths(out, d.bandwidths);
  if (d.timings.empty()) put_line(out, 't', Timing{}.times);
  for (const Timing& t : d.timings) {
    put_line(out, 't', t.times);
    for (const std::string& repeat : t.repeats) put_line(out, 'r', repeat);
    put_optional(out, 'z', t.zone);
  }
  put_optional(out, 'k', d.key);
  put_attributes(out, d.attributes);
  for (const Media& m : d.media) put_media(out, m);
}

std::string to_string(const SessionDescription& description) {
  std::string out;
  out.reserve(512);
  write(description, out);
  return out;
}

}  // namespace bw::sdp
