#include "registrar/detail/register_request.h"

#include <algorithm>
#include <utility>

#include "sip/contact.h"
#include "sip/cseq.h"
#include "sip/grammar.h"
#include "sip/name_addr.h"
#include "sip/number.h"

namespace bw::registrar {
namespace {

using sip::HeaderName;

constexpr std::uint32_t kHour = 3600;

std::unexpected<Refusal> bad(std::string_view reason) {
  return std::unexpected(Refusal{400, reason, HeaderName::kUnknown, {}});
}

// Everything a REGISTER can say outside its contacts, gathered in one pass over the headers.
struct Gathered {
  std::vector<std::string_view> contacts;
  std::optional<std::uint32_t> expires;
  std::string unsupported;  // what Require names and this registrar does not know
  bool supports_outbound = false;
  std::size_t vias = 0;
};

template <typename Visit>
void each_element(std::string_view list, Visit visit) {
  while (true) {
    const std::string_view element = sip::next_element(list);
    if (element.empty()) return;
    visit(element);
  }
}

void take_supported(std::string_view option, RegisterRequest& request, Gathered& gathered) {
  if (sip::iequals(option, "path")) request.wants_path = true;
  if (sip::iequals(option, "gruu")) request.wants_gruu = true;
  if (sip::iequals(option, "outbound")) gathered.supports_outbound = true;
}

void take_required(std::string_view option, RegisterRequest& request, Gathered& gathered) {
  take_supported(option, request, gathered);  // who requires it also supports it
  if (sip::iequals(option, "path") || sip::iequals(option, "gruu") || sip::iequals(option, "outbound"))
    return;
  if (!gathered.unsupported.empty()) gathered.unsupported += ", ";
  gathered.unsupported += option;
}

void gather(const sip::Message& message, RegisterRequest& request, Gathered& gathered) {
  for (std::size_t i = 0; i < message.header_count(); ++i) {
    const sip::Message::Header header = message.header(i);
    switch (header.id) {
      case HeaderName::kContact:
        each_element(header.value, [&](std::string_view e) { gathered.contacts.push_back(e); });
        break;
      case HeaderName::kPath:
        each_element(header.value, [&](std::string_view e) { request.path.push_back(e); });
        break;
      case HeaderName::kSupported:
        each_element(header.value, [&](std::string_view e) { take_supported(e, request, gathered); });
        break;
      case HeaderName::kRequire:
        each_element(header.value, [&](std::string_view e) { take_required(e, request, gathered); });
        break;
      case HeaderName::kVia:
        each_element(header.value, [&](std::string_view) { ++gathered.vias; });
        break;
      case HeaderName::kExpires:
        gathered.expires = sip::parse_delta_seconds(header.value);
        break;
      case HeaderName::kUserAgent:
        request.user_agent = header.value;
        break;
      case HeaderName::kCallId:
        request.call_id = header.value;
        break;
      default:
        break;
    }
  }
}

// The instance goes back to phones inside quotes and <>: nothing that could end these is let in.
bool is_plain(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return c > ' ' && c < '\x7f' && c != '"' && c != '\\' && c != '<' && c != '>'; });
}

// §10.3 step 7: the parameter before the header before the default; 423 below the minimum, though never for
// an hour or more; cut at the maximum.
std::expected<std::uint32_t, Refusal> expiry(const sip::Contact& contact,
                                             const std::optional<std::uint32_t>& header,
                                             const model::Settings& settings) {
  const std::uint32_t wanted = contact.expires().value_or(header.value_or(settings.registration_default_s));
  if (wanted > 0 && wanted < settings.registration_min_s && wanted < kHour) {
    return std::unexpected(
        Refusal{423, {}, HeaderName::kMinExpires, std::to_string(settings.registration_min_s)});
  }
  return std::min(wanted, settings.registration_max_s);
}

std::expected<ContactWish, Refusal> read_contact(std::string_view element, const Gathered& gathered,
                                                 const model::Settings& settings,
                                                 const RegistrarLimits& limits) {
  const auto contact = sip::Contact::parse(element);
  if (!contact) return bad("Bad Contact");
  const auto uri = sip::Uri::parse(contact->address.uri);
  // A URI of another scheme may be registered by the RFC, but nobody here could call it.
  if (!uri || !uri->is_sip()) return bad("Contact Is Not a SIP URI");
  // They would become headers of every INVITE to the phone (RFC 3261 §19.1.5).
  if (!uri->headers.empty()) return bad("Contact Must Not Hold Headers");
  if (contact->address.uri.size() > limits.contact_bytes) return bad("Contact Too Long");
  const std::string_view instance = contact->instance();
  if (instance.size() > limits.instance_bytes || !is_plain(instance)) return bad("Bad Instance");
  const auto expires = expiry(*contact, gathered.expires, settings);
  if (!expires) return std::unexpected(expires.error());
  // RFC 5626 §6: reg-id means nothing without an instance or without outbound in Supported.
  const bool outbound = gathered.supports_outbound && !instance.empty();
  return ContactWish{.uri_text = contact->address.uri,
                     .uri = *uri,
                     .instance = instance,
                     .reg_id = outbound ? contact->reg_id().value_or(0) : 0,
                     .q_thousandths = contact->q(),
                     .expires_s = *expires};
}

// RFC 5626 §6. Behind a proxy that does not hold flows, outbound is not used: the contact is registered in
// the ordinary way instead of being refused with 439, after which phones in use never register again.
void settle_outbound(RegisterRequest& request, const Gathered& gathered) {
  const auto keeps_flow = [](std::string_view hop) {
    const auto name_addr = sip::NameAddr::parse(hop);
    const auto uri = name_addr ? sip::Uri::parse(name_addr->uri) : std::nullopt;
    return uri && uri->params.has("ob");
  };
  const bool direct = gathered.vias <= 1 && request.path.empty();
  // The first hop stands last, as each proxy puts itself on top; a lone core proxy may vouch for it.
  const bool usable = direct || (!request.path.empty() &&
                                 (keeps_flow(request.path.back()) || keeps_flow(request.path.front())));
  for (ContactWish& wish : request.contacts) {
    if (!usable) wish.reg_id = 0;
    request.uses_outbound = request.uses_outbound || (wish.reg_id != 0 && wish.expires_s != 0);
  }
}

std::optional<Refusal> check_aor(const sip::Message& message, const model::ExtensionNumber& authenticated,
                                 RegisterRequest& request) {
  const auto to = sip::Uri::parse(sip::uri_of(message.get(HeaderName::kTo).value_or("")));
  if (!to || !to->is_sip()) return Refusal{400, "Bad To", HeaderName::kUnknown, {}};
  if (to->user != authenticated.view() && to->decoded_user() != authenticated.view()) {
    return Refusal{403, "Not Your Extension", HeaderName::kUnknown, {}};
  }
  if (to->scheme == sip::Scheme::kSips) request.aor_scheme = "sips";
  request.aor_host = to->host;
  request.aor_port = to->port;
  return std::nullopt;
}

std::optional<Refusal> check_path(const RegisterRequest& request, const RegistrarLimits& limits) {
  std::size_t bytes = 0;
  for (const std::string_view hop : request.path) {
    bytes += hop.size();
    const auto name_addr = sip::NameAddr::parse(hop);
    const auto uri = name_addr ? sip::Uri::parse(name_addr->uri) : std::nullopt;
    if (!uri || !uri->is_sip()) return Refusal{400, "Bad Path", HeaderName::kUnknown, {}};
  }
  if (request.path.size() > limits.path_entries || bytes > limits.path_bytes) {
    return Refusal{400, "Path Too Long", HeaderName::kUnknown, {}};
  }
  return std::nullopt;
}

std::optional<Refusal> check_counts(const RegisterRequest& request, const model::Settings& settings) {
  const auto outbound =
      std::ranges::count_if(request.contacts, [](const ContactWish& c) { return c.reg_id && c.expires_s; });
  if (outbound > 1) return Refusal{400, "More Than One reg-id", HeaderName::kUnknown, {}};  // RFC 5626 §6
  const auto wanted =
      std::ranges::count_if(request.contacts, [](const ContactWish& c) { return c.expires_s; });
  if (static_cast<std::size_t>(wanted) > settings.contacts_per_extension) {
    return Refusal{403, "Too Many Contacts", HeaderName::kUnknown, {}};
  }
  return std::nullopt;
}

}  // namespace

std::expected<RegisterRequest, Refusal> read_register(const sip::Message& message,
                                                      const model::ExtensionNumber& authenticated,
                                                      const model::Settings& settings,
                                                      const RegistrarLimits& limits) {
  RegisterRequest request;
  Gathered gathered;
  gather(message, request, gathered);
  if (!gathered.unsupported.empty()) {
    return std::unexpected(Refusal{420, {}, HeaderName::kUnsupported, std::move(gathered.unsupported)});
  }
  if (auto refusal = check_aor(message, authenticated, request)) return std::unexpected(std::move(*refusal));
  const auto cseq = sip::CSeq::parse(message.get(HeaderName::kCSeq).value_or(""));
  if (!cseq) return bad("Bad CSeq");
  request.cseq = cseq->number;
  if (request.call_id.empty() || request.call_id.size() > limits.call_id_bytes) return bad("Bad Call-ID");

  if (std::ranges::find(gathered.contacts, "*") != gathered.contacts.end()) {
    if (gathered.contacts.size() > 1 || gathered.expires != 0U)
      return bad("Contact * Needs Expires 0 and Stands Alone");
    request.remove_all = true;
    return request;
  }
  if (gathered.contacts.size() > limits.contacts_per_request) return bad("Too Many Contacts");
  request.contacts.reserve(gathered.contacts.size());
  for (const std::string_view element : gathered.contacts) {
    auto wish = read_contact(element, gathered, settings, limits);
    if (!wish) return std::unexpected(std::move(wish.error()));
    request.contacts.push_back(std::move(*wish));
  }
  if (auto refusal = check_path(request, limits)) return std::unexpected(std::move(*refusal));
  settle_outbound(request, gathered);
  if (auto refusal = check_counts(request, settings)) return std::unexpected(std::move(*refusal));
  return request;
}

}  // namespace bw::registrar
