// Session descriptions as phones send them (RFC 8866 §5): every line is kept, attributes in their order,
// so that what we do not know passes through untouched.
//
//   v= o= s= i= u= e=* p=* c= b=* (t= r=* z=)+ k= a=*  ( m= i= c=* b=* k= a=* )*
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"

namespace bw::sdp {

// What a peer may send before we stop reading.
struct Limits {
  std::size_t bytes = 60'000;
  std::size_t line_bytes = 4'096;
  std::size_t media = 32;
  std::size_t lines = 1'024;  // of the whole description
  std::size_t formats = 128;  // of one media section
};

// Why a text is not a session description. to_sentence() gives one sentence for each.
enum class ParseError : std::uint8_t {
  kVersion,     // the first line is not v=0
  kOrigin,      // o= is missing or has not six fields
  kLine,        // a line that is not <letter>=<value>
  kLetter,      // a type letter of no meaning: the whole must be refused (RFC 8866 §5)
  kMisplaced,   // a session line after the first m=, or a line twice that may come once
  kConnection,  // c= has not three fields
  kBandwidth,   // b= is not <type>:<number>
  kMedia,       // m= has not type, port and protocol
  kControl,     // a NUL, or a CR inside a line
  kTooLarge,    // one of Limits
};
std::string_view to_sentence(ParseError error);

struct Attribute {  // a=name or a=name:value
  std::string name;
  std::optional<std::string> value;

  std::string_view text() const { return value ? std::string_view{*value} : std::string_view{}; }
  friend bool operator==(const Attribute&, const Attribute&) = default;
};

struct Origin {  // RFC 8866 §5.2; the two numbers stay text, because phones send more than 64 bits
  std::string username = "-";
  std::string session_id;
  std::string version;
  std::string network = "IN";
  std::string address_type = "IP4";
  std::string address;
  friend bool operator==(const Origin&, const Origin&) = default;
};

struct Connection {  // RFC 8866 §5.7
  std::string network = "IN";
  std::string address_type = "IP4";
  std::string address;  // may be a host name or carry "/ttl"

  static Connection of(const IpAddress& ip);
  // Nullopt for a host name: names are not looked up (a phone that sends one is reached by symmetric RTP).
  std::optional<IpAddress> ip() const;
  friend bool operator==(const Connection&, const Connection&) = default;
};

struct Bandwidth {
  std::string type;  // CT, AS, TIAS …
  std::uint64_t value = 0;
  friend bool operator==(const Bandwidth&, const Bandwidth&) = default;
};

struct Timing {  // t= with its r= lines and z=
  std::string times = "0 0";
  std::vector<std::string> repeats;
  std::optional<std::string> zone;
  friend bool operator==(const Timing&, const Timing&) = default;
};

// Attributes of the session or of one media section; names are compared exactly (RFC 8866 §6:
// case-sensitive).
class Attributes {
 public:
  const Attribute* find(std::string_view name) const;
  bool has(std::string_view name) const { return find(name) != nullptr; }
  void add(std::string_view name) { list.push_back({std::string{name}, std::nullopt}); }
  void add(std::string_view name, std::string_view value) {
    list.push_back({std::string{name}, std::string{value}});
  }
  void remove(std::string_view name);  // all of that name

  std::vector<Attribute> list;
  friend bool operator==(const Attributes&, const Attributes&) = default;
};

struct Media {
  std::string type;        // audio, video, image …
  std::uint16_t port = 0;  // 0: refused or off (RFC 3264 §6)
  std::uint16_t port_count = 1;
  std::string protocol = "RTP/AVP";
  std::vector<std::string> formats;  // payload numbers of RTP profiles
  std::optional<std::string> information;
  std::vector<Connection> connections;
  std::vector<Bandwidth> bandwidths;
  std::optional<std::string> key;
  Attributes attributes;

  bool is_audio() const { return type == "audio"; }
  friend bool operator==(const Media&, const Media&) = default;
};

struct SessionDescription {
  Origin origin;
  std::string name = "-";
  std::optional<std::string> information;
  std::optional<std::string> uri;
  std::vector<std::string> emails;
  std::vector<std::string> phones;
  std::optional<Connection> connection;
  std::vector<Bandwidth> bandwidths;
  std::vector<Timing> timings{Timing{}};  // never empty after parse()
  std::optional<std::string> key;
  Attributes attributes;
  std::vector<Media> media;

  // The first audio section that is not refused, else the first audio section, else null.
  const Media* audio() const;
  friend bool operator==(const SessionDescription&, const SessionDescription&) = default;
};

// Lenient where phones are: bare LF, blank lines, lines of one section in any order, s= or t= missing.
std::expected<SessionDescription, ParseError> parse(std::string_view text, const Limits& limits = {});

// Appends the description in the order of RFC 8866 §5, CRLF after each line. parse(write(x)) == x.
void write(const SessionDescription& description, std::string& out);
std::string to_string(const SessionDescription& description);

}  // namespace bw::sdp
