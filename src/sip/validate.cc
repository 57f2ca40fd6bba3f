#include "sip/validate.h"

#include <array>

#include "sip/contact.h"
#include "sip/cseq.h"
#include "sip/dialog.h"
#include "sip/grammar.h"
#include "sip/media_type.h"
#include "sip/name_addr.h"
#include "sip/via.h"

namespace bw::sip {
namespace {

// Headers that mean one thing; a second line would let two readers see two messages (RFC 4475 §3.3.8).
constexpr std::array kSingle = {
    HeaderName::kFrom,
    HeaderName::kTo,
    HeaderName::kCallId,
    HeaderName::kCSeq,
    HeaderName::kMaxForwards,
    HeaderName::kEvent,
    HeaderName::kExpires,
    HeaderName::kContentType,
    HeaderName::kReferTo,
    HeaderName::kReferredBy,
    HeaderName::kReplaces,
    HeaderName::kRAck,
    HeaderName::kRSeq,
    HeaderName::kMinSe,
    HeaderName::kMinExpires,
    HeaderName::kSessionExpires,
    HeaderName::kSubscriptionState,
    HeaderName::kSipIfMatch,
    HeaderName::kSipEtag,
    HeaderName::kContentDisposition,
};

constexpr std::array<bool, kHeaderNameCount> single_table() {
  std::array<bool, kHeaderNameCount> table{};
  for (const HeaderName id : kSingle) table[static_cast<std::size_t>(id)] = true;
  return table;
}
constexpr std::array<bool, kHeaderNameCount> kIsSingle = single_table();

std::optional<Rejection> bad(std::string_view why) {
  return Rejection{400, why, HeaderName::kUnknown, {}};
}

bool has_one_of(const Params& params, std::string_view name) {
  std::string_view rest = params.text;
  std::size_t count = 0;
  while (const auto p = Params::next(rest)) {
    if (iequals(p->name, name)) ++count;
  }
  return count <= 1;
}

// From and To: any scheme will do (RFC 4475 §3.3.4), but it must be a URI.
bool is_party(std::string_view value) {
  const auto address = NameAddr::parse(value);
  return address && Uri::parse(address->uri) && has_one_of(address->params, "tag");
}

bool is_call_id(std::string_view value) {
  if (value.empty()) return false;
  for (const char c : value) {
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7F) return false;
  }
  return true;
}

// Applies `is_it` to each element; an empty one in the middle of a list is no element (RFC 4475 §3.1.2.1).
template <typename Predicate>
bool all_elements(std::string_view value, Predicate is_it) {
  std::string_view rest = value;
  for (;;) {
    const std::size_t comma = find_comma(rest);
    if (!is_it(trim(rest.substr(0, comma)))) return false;
    if (comma == std::string_view::npos) return true;
    rest.remove_prefix(comma + 1);
  }
}

bool is_via(std::string_view element) {
  const auto via = Via::parse(element);
  return via && has_one_of(via->params, "branch");
}

bool is_route(std::string_view element) {
  const auto address = NameAddr::parse(element);
  return address && Uri::parse(address->uri);
}

bool is_contact(std::string_view element) {
  const auto contact = Contact::parse(element);
  return contact && (contact->wildcard || Uri::parse(contact->address.uri));
}

// The sentence for what is wrong with this header; empty if nothing.
std::string_view fault_of(const Message::Header& h) {
  switch (h.id) {
    case HeaderName::kVia:
      return all_elements(h.value, is_via) ? "" : "Via is malformed";
    case HeaderName::kFrom:
      return is_party(h.value) ? "" : "From is malformed";
    case HeaderName::kTo:
      return is_party(h.value) ? "" : "To is malformed";
    case HeaderName::kCallId:
      return is_call_id(h.value) ? "" : "Call-ID is malformed";
    case HeaderName::kCSeq:
      return CSeq::parse(h.value) ? "" : "CSeq is malformed";
    case HeaderName::kMaxForwards:
      return to_number<std::uint8_t>(h.value) ? "" : "Max-Forwards is not a number up to 255";
    case HeaderName::kContact:
      return h.value.empty() || all_elements(h.value, is_contact) ? "" : "Contact is malformed";
    case HeaderName::kRoute:
      return all_elements(h.value, is_route) ? "" : "Route is malformed";
    case HeaderName::kRecordRoute:
      return all_elements(h.value, is_route) ? "" : "Record-Route is malformed";
    case HeaderName::kContentType:
      return h.value.empty() || MediaType::parse(h.value) ? "" : "Content-Type is malformed";
    default:
      return "";
  }
}

struct Seen {
  std::array<bool, kHeaderNameCount> of{};
  bool operator()(HeaderName id) const { return of[static_cast<std::size_t>(id)]; }
};

// Everything that holds for requests and responses alike.
std::optional<Rejection> check_headers(const Message& message, Seen& seen) {
  for (std::size_t i = 0; i < message.header_count(); ++i) {
    const Message::Header h = message.header(i);
    bool& before = seen.of[static_cast<std::size_t>(h.id)];
    if (before && kIsSingle[static_cast<std::size_t>(h.id)])
      return bad("A header that may come once came twice");
    before = true;
    if (const std::string_view fault = fault_of(h); !fault.empty()) return bad(fault);
  }
  if (!seen(HeaderName::kVia)) return bad("Via is missing");
  if (!seen(HeaderName::kFrom)) return bad("From is missing");
  if (!seen(HeaderName::kTo)) return bad("To is missing");
  if (!seen(HeaderName::kCallId)) return bad("Call-ID is missing");
  if (!seen(HeaderName::kCSeq)) return bad("CSeq is missing");
  return std::nullopt;
}

std::optional<Rejection> check_uri(std::string_view text) {
  const auto uri = Uri::parse(text);
  if (!uri) return bad("The Request-URI is malformed");
  if (uri->scheme == Scheme::kOther) {
    return Rejection{416, "The scheme of the Request-URI is not supported", HeaderName::kUnknown, {}};
  }
  // §19.1.1 table 1: headers cannot be in a Request-URI (RFC 4475 §3.1.2.11).
  if (!uri->headers.empty()) return bad("The Request-URI has headers");
  return std::nullopt;
}

std::optional<Rejection> check_require(const Message& request, const ValidationRules& rules) {
  std::string unsupported;
  for (const std::string_view tag : request.elements(HeaderName::kRequire)) {
    bool known = false;
    for (const std::string_view s : rules.supported) known = known || iequals(s, tag);
    if (known) continue;
    if (!unsupported.empty()) unsupported += ", ";
    unsupported += tag;
  }
  if (unsupported.empty()) return std::nullopt;
  return Rejection{420, "An extension in Require is not supported", HeaderName::kUnsupported, unsupported};
}

struct Elements {
  std::size_t count = 0;
  std::string_view first;
};

// As Message::elements(), without a list on the heap.
Elements count_elements(const Message& message, HeaderName id) {
  Elements out;
  for (std::size_t i = 0; i < message.header_count(); ++i) {
    const Message::Header h = message.header(i);
    if (h.id != id) continue;
    std::string_view rest = h.value;
    for (auto one = next_element(rest); !one.empty(); one = next_element(rest)) {
      if (out.count++ == 0) out.first = one;
    }
  }
  return out;
}

// A dialog-making request says where to reach its sender, in one SIP URI (§8.1.1.8, RFC 6665 §3.1.2). One
// without Contact is taken from a client of RFC 2543, which knows no From tag either (RFC 4475 §3.4.1).
std::optional<Rejection> check_contact(const Message& request) {
  // What no Dialog can be made of must not get as far as a leg that answers from its dialog.
  if (count_elements(request, HeaderName::kRecordRoute).count > DialogLimits::kRoutes) {
    return bad("There are too many Record-Routes");
  }
  const Elements contacts = count_elements(request, HeaderName::kContact);
  if (contacts.count == 0 && tag_of(*request.get(HeaderName::kFrom)).empty()) return std::nullopt;
  if (contacts.count != 1) return bad("There must be exactly one Contact");
  const auto contact = Contact::parse(contacts.first);
  const auto uri = contact && !contact->wildcard ? Uri::parse(contact->address.uri) : std::nullopt;
  if (!uri || !uri->is_sip()) return bad("Contact is not a SIP URI");
  return std::nullopt;
}

// §10.3: what is registered is a SIP or SIPS URI (RFC 4475 §3.3.4); tel is let through to the registrar.
std::optional<Rejection> check_registered(const Message& request) {
  const auto uri = Uri::parse(uri_of(*request.get(HeaderName::kTo)));
  if (!uri || uri->scheme == Scheme::kOther) return bad("To is not an address that can be registered");
  return std::nullopt;
}

// What a method cannot do without.
std::optional<Rejection> check_method(const Message& request, const Seen& seen) {
  switch (request.method()) {
    case Method::kInvite:
      return check_contact(request);
    case Method::kRegister:
      return check_registered(request);
    case Method::kRefer:
      if (!seen(HeaderName::kReferTo)) return bad("Refer-To is missing");
      return check_contact(request);
    case Method::kPrack:
      return seen(HeaderName::kRAck) ? std::nullopt : bad("RAck is missing");
    case Method::kSubscribe:
      if (!seen(HeaderName::kEvent)) return Rejection{489, "Event is missing", HeaderName::kUnknown, {}};
      return check_contact(request);
    case Method::kNotify:
    case Method::kPublish:
      if (!seen(HeaderName::kEvent)) return Rejection{489, "Event is missing", HeaderName::kUnknown, {}};
      return std::nullopt;
    case Method::kUnknown:
    case Method::kAck:
    case Method::kBye:
    case Method::kCancel:
    case Method::kOptions:
    case Method::kUpdate:
    case Method::kInfo:
    case Method::kMessage:
      return std::nullopt;
  }
  return std::nullopt;
}

bool carries_session(Method method) {
  return method == Method::kInvite || method == Method::kUpdate || method == Method::kPrack;
}

// §8.2.3: body of a kind nobody here can read.
std::optional<Rejection> check_body(const Message& request) {
  if (request.body().empty()) return std::nullopt;
  const auto value = request.get(HeaderName::kContentType);
  if (!value || value->empty()) return bad("There is a body without Content-Type");
  const auto coding = request.get(HeaderName::kContentEncoding);
  if (coding && !coding->empty() && !iequals(*coding, "identity")) {
    return Rejection{415, "The content encoding is not supported", HeaderName::kAcceptEncoding, "identity"};
  }
  if (!carries_session(request.method())) return std::nullopt;
  const auto type = MediaType::parse(*value);
  if (type && (iequals(type->type, "multipart") || type->matches("application", "sdp"))) return std::nullopt;
  const auto disposition = request.get(HeaderName::kContentDisposition);
  if (disposition && disposition->find("handling=optional") != std::string_view::npos) return std::nullopt;
  return Rejection{415, "The body is not a session description", HeaderName::kAccept, "application/sdp"};
}

}  // namespace

std::optional<Rejection> validate(const Message& request, const ValidationRules& rules) {
  if (!request.is_request()) return bad("This is not a request");
  if (auto r = check_uri(request.request_uri())) return r;
  Seen seen;
  if (auto r = check_headers(request, seen)) return r;
  if (CSeq::parse(*request.get(HeaderName::kCSeq))->method_name != request.method_name()) {
    return bad("The method in CSeq is not that of the request");
  }
  const Method method = request.method();
  if (auto r = check_method(request, seen)) return r;
  // §8.2.2.3: Require means nothing in ACK and CANCEL, and neither can be refused.
  if (method == Method::kAck || method == Method::kCancel) return std::nullopt;
  if (seen(HeaderName::kRequire)) {
    if (auto r = check_require(request, rules)) return r;
  }
  if (auto r = check_body(request)) return r;
  if (method == Method::kInvite && seen(HeaderName::kAccept) && !accepts(request, "application", "sdp")) {
    return Rejection{406, "No session description would be accepted", HeaderName::kAccept, "application/sdp"};
  }
  return std::nullopt;
}

std::optional<Rejection> validate_response(const Message& response) {
  if (!response.is_response()) return bad("This is not a response");
  Seen seen;
  if (auto r = check_headers(response, seen)) return r;
  // §8.1.3.3: a response with a second Via was meant for somebody else (RFC 4475 §3.3.10).
  if (count_elements(response, HeaderName::kVia).count != 1) return bad("There is more than one Via");
  return std::nullopt;
}

std::optional<int> status_of(ParseError error) {
  switch (error) {
    case ParseError::kEmpty:
      return std::nullopt;
    case ParseError::kVersion:
      return 505;
    case ParseError::kTooLarge:
    case ParseError::kTooManyHeaders:
      return 513;
    case ParseError::kStartLine:
    case ParseError::kHeaderSyntax:
    case ParseError::kNoHeaderEnd:
    case ParseError::kContentLength:
      return 400;
  }
  return 400;
}

}  // namespace bw::sip
