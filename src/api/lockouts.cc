// Who is locked out after wrong passwords, and letting them in before the time is over.
#include <array>

#include "api/areas.h"
#include "base/rfc3339.h"

namespace bw::api {
namespace {

namespace json = boost::json;

constexpr std::array kLockoutFields{
    Field{.name = "subject", .about = "an address (an IPv6 one as its /64), or a name", .required = true},
    Field{.name = "kind", .about = "address, extension or user", .required = true, .most = 16},
    Field{.name = "of", .about = "what it tried: phone (SIP) or login (HTTP)", .required = true, .most = 16},
    Field{.name = "attempts",
          .type = Type::kInteger,
          .about = "wrong passwords",
          .required = true,
          .most = 4'294'967'295},
    Field{.name = "until", .type = Type::kTime, .required = true},
};
constexpr Shape kLockouts{.name = "Lockout", .fields = kLockoutFields, .list = true};
constexpr std::array kLiftedFields{
    Field{.name = "success", .type = Type::kFlag, .required = true},
    Field{.name = "message", .required = true},
};
constexpr Shape kLifted{"LockoutLifted", kLiftedFields};

json::object row(const std::string& subject, const std::string& kind, const char* of, std::uint32_t attempts,
                 Instant until) {
  return {
      {"subject", subject}, {"kind", kind}, {"of", of}, {"attempts", attempts}, {"until", rfc3339(until)}};
}

void list(Services& s, Exchange&& e) {
  s.ask(ports::ListLockouts{}, [&s, e = std::move(e)](ports::Reply&& reply) mutable {
    if (const auto* refused = std::get_if<ports::Refused>(&reply)) return e.refuse(*refused);
    json::array all;
    if (const auto* phones = std::get_if<ports::Lockouts>(&reply)) {
      for (const auto& l : phones->lockouts)
        all.push_back(row(l.subject, l.kind, "phone", l.attempts, l.until));
    }
    for (const auto& l : s.access().lockouts(s.moment()))
      all.push_back(row(l.lockout.subject, l.lockout.kind, "login", l.attempts, l.until));
    e.answer(200, all);
  });
}

void lift(Services& s, Exchange&& e) {
  const std::string subject = e.parameter();
  const bool login = s.access().lift(subject, s.moment());
  s.ask(ports::LiftLockout{subject}, [subject, login, e = std::move(e)](ports::Reply&& reply) mutable {
    const auto* refused = std::get_if<ports::Refused>(&reply);
    if (refused != nullptr && refused->status != 404) return e.refuse(*refused);
    if (refused != nullptr && !login)
      return e.refuse({"Nobody is locked out as " + subject + '.', "not_found", "subject", 404});
    json::object o = success();
    o["message"] = subject + " may try again.";
    e.answer(200, o);
  });
}

constexpr std::array kRoutes{
    Route{.method = "GET",
          .pattern = "/api/lockouts",
          .id = "listLockouts",
          .summary = "Who is locked out after wrong passwords",
          .tag = "access",
          .who = Who::kAdmin,
          .scope = "lockouts:read",
          .handle = list,
          .answer = &kLockouts},
    Route{.method = "DELETE",
          .pattern = "/api/lockouts/{subject}",
          .id = "liftLockout",
          .summary = "Let an address, an extension or a user try again at once",
          .tag = "access",
          .who = Who::kAdmin,
          .scope = "lockouts:write",
          .handle = lift,
          .answer = &kLifted},
};

}  // namespace

std::span<const Route> lockout_routes() {
  return kRoutes;
}

}  // namespace bw::api
