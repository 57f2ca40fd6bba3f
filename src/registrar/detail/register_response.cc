#include "registrar/detail/register_response.h"

#include <fmt/format.h>

#include <chrono>
#include <iterator>

#include "sip/dialog.h"
#include "sip/uri.h"

namespace bw::registrar {
namespace {

using sip::HeaderName;

// RFC 5626 §4.4.1: a phone on a stream that was silent so long sends a keep-alive; below the two minutes
// after which common NATs forget a connection.
constexpr std::string_view kFlowTimer = "110";

// Rounded up: a phone told 0 would think itself unregistered.
std::int64_t seconds_left(const model::Binding& binding, Instant now) {
  return (binding.expires_at - now + 1s - 1ns) / 1s;
}

void append_gruus(std::string& out, const RegisterRequest& request, const model::Binding& binding,
                  GruuMint& gruus) {
  std::string domain{request.aor_host};
  if (request.aor_port) fmt::format_to(std::back_inserter(domain), ":{}", *request.aor_port);
  fmt::format_to(std::back_inserter(out), ";pub-gruu=\"{}:{}@{};gr={}\"", request.aor_scheme,
                 sip::escape_user(binding.extension.view()), domain, sip::escape_param(binding.instance));
  if (const auto user = gruus.temporary(binding)) {
    fmt::format_to(std::back_inserter(out), ";temp-gruu=\"{}:{}@{};gr\"", request.aor_scheme, *user, domain);
  }
}

void write_contact(std::string& out, const RegisterRequest& request, const model::Binding& binding,
                   GruuMint& gruus, Instant now) {
  out.clear();
  out.append("<").append(binding.contact).append(">;expires=");
  fmt::format_to(std::back_inserter(out), "{}", seconds_left(binding, now));
  if (binding.q_thousandths < 1000) {
    fmt::format_to(std::back_inserter(out), ";q=0.{:03}", binding.q_thousandths);
  }
  if (binding.instance.empty()) return;
  out.append(";+sip.instance=\"<").append(binding.instance).append(">\"");
  if (binding.reg_id != 0) fmt::format_to(std::back_inserter(out), ";reg-id={}", binding.reg_id);
  if (request.wants_gruu) append_gruus(out, request, binding, gruus);
}

}  // namespace

sip::Message make_refusal(const sip::Message& request, const Refusal& refusal, std::string_view tag) {
  sip::Message response = sip::make_response(request, refusal.status, tag, refusal.reason);
  if (refusal.header != HeaderName::kUnknown) response.add(refusal.header, refusal.value);
  return response;
}

sip::Message make_ok(const sip::Message& message, const RegisterRequest& request, std::string_view tag,
                     std::span<const model::Binding* const> bindings, GruuMint& gruus, bool over_stream,
                     Instant now) {
  sip::Message response = sip::make_response(message, 200, tag);
  std::string line;
  for (const model::Binding* binding : bindings) {
    write_contact(line, request, *binding, gruus, now);
    response.add(HeaderName::kContact, line);
  }
  // RFC 3327 §5.3: only to one that said it understands.
  if (request.wants_path && !request.path.empty()) response.copy(message, HeaderName::kPath);
  if (request.uses_outbound) {
    response.add(HeaderName::kRequire, "outbound");
    if (over_stream) response.add(HeaderName::kFlowTimer, kFlowTimer);
  }
  response.add(HeaderName::kDate, sip_date(now));
  return response;
}

std::string sip_date(Instant now) {
  static constexpr std::string_view kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::chrono::sys_seconds time{std::chrono::seconds{now.unix_s()}};
  const auto midnight = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{midnight};
  const std::chrono::hh_mm_ss clock{time - midnight};
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                     kDays[std::chrono::weekday{midnight}.c_encoding()], static_cast<unsigned>(date.day()),
                     kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

}  // namespace bw::registrar
