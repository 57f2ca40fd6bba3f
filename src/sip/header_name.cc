#include "sip/header_name.h"

#include <array>

#include "sip/grammar.h"

namespace bw::sip {
namespace {

// clang-format off
constexpr std::array<std::string_view, kHeaderNameCount> kNames = {
  "",
  "Accept", "Accept-Contact", "Accept-Encoding", "Accept-Language", "Accept-Resource-Priority",
  "Additional-Identity", "Alert-Info", "Allow", "Allow-Events", "Answer-Mode", "Attestation-Info",
  "Authentication-Info", "Authorization", "Call-ID", "Call-Info", "Cellular-Network-Info", "Contact",
  "Content-Disposition", "Content-Encoding", "Content-ID", "Content-Language", "Content-Length",
  "Content-Type", "CSeq", "Date", "DC-Info", "Diversion", "Encryption", "Error-Info", "Event", "Expires",
  "Feature-Caps", "Flow-Timer", "From", "Geolocation", "Geolocation-Error", "Geolocation-Routing", "Hide",
  "History-Info", "Identity", "Identity-Info", "In-Reply-To", "Info-Package", "Join", "Max-Breadth",
  "Max-Forwards", "MIME-Version", "Min-Expires", "Min-SE", "Organization", "Origination-Id",
  "P-Access-Network-Info", "P-Answer-State", "P-Asserted-Identity", "P-Asserted-Service",
  "P-Associated-URI", "P-Called-Party-ID", "P-Charge-Info", "P-Charging-Function-Addresses",
  "P-Charging-Vector", "P-DCS-Billing-Info", "P-DCS-LAES", "P-DCS-OSPS", "P-DCS-Redirect",
  "P-DCS-Trace-Party-ID", "P-Early-Media", "P-Media-Authorization", "P-Preferred-Identity",
  "P-Preferred-Service", "P-Private-Network-Indication", "P-Profile-Key", "P-Refused-URI-List",
  "P-Served-User", "P-User-Database", "P-Visited-Network-ID", "Path", "Permission-Missing",
  "Policy-Contact", "Policy-ID", "Priority", "Priority-Share", "Priority-Verstat", "Priv-Answer-Mode",
  "Privacy", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Require", "RAck", "Reason",
  "Record-Route", "Recv-Info", "Refer-Events-At", "Refer-Sub", "Refer-To", "Referred-By", "Reject-Contact",
  "Relayed-Charge", "Remote-Party-ID", "Replaces", "Reply-To", "Request-Disposition", "Require",
  "Resource-Priority", "Resource-Share", "Response-Key", "Response-Source", "Restoration-Info",
  "Retry-After", "Route", "RSeq", "Security-Client", "Security-Server", "Security-Verify", "Server",
  "Service-Interact-Info", "Service-Route", "Session-Expires", "Session-ID", "SIP-ETag", "SIP-If-Match",
  "Subject", "Subscription-State", "Supported", "Suppress-If-Match", "Target-Dialog", "Timestamp", "To",
  "Trigger-Consent", "Unsupported", "User-Agent", "User-to-User", "Via", "Warning", "WWW-Authenticate",
};
// clang-format on

struct Compact {
  char letter;
  HeaderName id;
};
constexpr Compact kCompact[] = {
    {'a', HeaderName::kAcceptContact},   {'b', HeaderName::kReferredBy},
    {'c', HeaderName::kContentType},     {'d', HeaderName::kRequestDisposition},
    {'e', HeaderName::kContentEncoding}, {'f', HeaderName::kFrom},
    {'i', HeaderName::kCallId},          {'j', HeaderName::kRejectContact},
    {'k', HeaderName::kSupported},       {'l', HeaderName::kContentLength},
    {'m', HeaderName::kContact},         {'n', HeaderName::kIdentityInfo},
    {'o', HeaderName::kEvent},           {'r', HeaderName::kReferTo},
    {'s', HeaderName::kSubject},         {'t', HeaderName::kTo},
    {'u', HeaderName::kAllowEvents},     {'v', HeaderName::kVia},
    {'x', HeaderName::kSessionExpires},  {'y', HeaderName::kIdentity},
};

constexpr std::array<HeaderName, 26> by_letter() {
  std::array<HeaderName, 26> table{};
  for (const Compact& c : kCompact) table[static_cast<std::size_t>(c.letter - 'a')] = c.id;
  return table;
}
constexpr std::array<HeaderName, 26> kByLetter = by_letter();

// Open addressing over a table built by the compiler; six characters tell nearly all names apart.
constexpr std::size_t kSlots = 1024;
constexpr std::size_t slot_of(std::string_view name) {
  const auto at = [&](std::size_t i) { return static_cast<std::uint32_t>(to_lower(name[i])); };
  const std::size_t n = name.size();
  std::uint32_t h = static_cast<std::uint32_t>(n);
  h = h * 31 + at(0);
  h = h * 31 + at(n / 3);
  h = h * 31 + at(n / 2);
  h = h * 31 + at(n - 2);
  h = h * 31 + at(n - 1);
  return (h * 2654435761U) >> 22;
}

constexpr std::array<HeaderName, kSlots> by_slot() {
  std::array<HeaderName, kSlots> table{};
  for (std::size_t i = 1; i < kHeaderNameCount; ++i) {
    std::size_t slot = slot_of(kNames[i]);
    while (table[slot] != HeaderName::kUnknown) slot = (slot + 1) % kSlots;
    table[slot] = static_cast<HeaderName>(i);
  }
  return table;
}
constexpr std::array<HeaderName, kSlots> kBySlot = by_slot();

}  // namespace

HeaderName header_name_from(std::string_view name) {
  if (name.empty()) return HeaderName::kUnknown;
  if (name.size() == 1) {
    const char c = to_lower(name[0]);
    return c >= 'a' && c <= 'z' ? kByLetter[static_cast<std::size_t>(c - 'a')] : HeaderName::kUnknown;
  }
  for (std::size_t slot = slot_of(name);; slot = (slot + 1) % kSlots) {
    const HeaderName id = kBySlot[slot];
    if (id == HeaderName::kUnknown) return id;
    const std::string_view known = kNames[static_cast<std::size_t>(id)];
    if (known.size() == name.size() && iequals(known, name)) return id;
  }
}

std::string_view name_of(HeaderName id) {
  return kNames[static_cast<std::size_t>(id)];
}

char compact_form(HeaderName id) {
  for (const Compact& c : kCompact) {
    if (c.id == id) return c.letter;
  }
  return 0;
}

}  // namespace bw::sip
