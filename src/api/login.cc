// Logging in and out.
#include <array>
#include <chrono>

#include "access/credentials.h"
#include "api/areas.h"
#include "api/live.h"
#include "base/rfc3339.h"

namespace bw::api {
namespace {

namespace json = boost::json;

constexpr std::size_t kNameBytes = 64;

constexpr std::array kLogin{
    Field{.name = "username",
          .about = "of a user, or the number of an extension",
          .required = true,
          .most = kNameBytes},
    Field{.name = "password",
          .about = "of an extension: that of its phones",
          .required = true,
          .secret = true,
          .most = 1'024},
    Field{.name = "cookie", .type = Type::kFlag, .about = "for pages: a session cookie instead of a token"},
};
constexpr std::array kLoginFields{
    Field{.name = "success", .type = Type::kFlag, .required = true},
    Field{.name = "name", .required = true},
    Field{.name = "role", .required = true},
    Field{.name = "extension", .required = true, .nullable = true},
    Field{.name = "expires_at", .type = Type::kTime, .required = true},
    Field{.name = "token", .about = "for Authorization: Bearer; shown this once", .most = 128},
};
constexpr std::array kMeFields{
    Field{.name = "name", .required = true},
    Field{.name = "role", .required = true},
    Field{.name = "extension", .required = true, .nullable = true},
    Field{.name = "scopes",
          .type = Type::kTexts,
          .about = "of an API key; otherwise all that the role may",
          .required = true,
          .most = 64},
};
constexpr Shape kLoginShape{"Login", kLoginFields};
constexpr Shape kMe{"Me", kMeFields};

json::object told(const access::Principal& p) {
  json::object o;
  o["name"] = p.name;
  const std::string_view role = access::name_of(p.role);
  o["role"] = json::string_view(role.data(), role.size());
  o["extension"] = p.extension.empty() ? json::value(nullptr) : json::value(p.extension);
  return o;
}

std::string cookie(std::string_view value, bool tls, std::chrono::seconds lifetime) {
  std::string text = std::string(access::kCookieName) + "=" + std::string(value) +
                     "; Path=/; HttpOnly; SameSite=Strict; Max-Age=" + std::to_string(lifetime.count());
  if (tls) text += "; Secure";
  return text;
}

void refuse_locked(Exchange&& e, Duration wait) {
  auto response = to_response(
      Problem{"Too many wrong passwords; please wait before the next attempt.", "locked", {}, 423});
  response.headers.emplace_back("Retry-After",
                                std::to_string(std::chrono::ceil<std::chrono::seconds>(wait).count()));
  e.answer(std::move(response));
}

void tell_lockouts(Services& s, const access::Access::Attempt& attempt) {
  const model::RateLimit& limit = s.access().settings().rate_limit;
  for (const auto& lockout : attempt.began) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit.lockout).count();
    s.tell(events::SecurityLockout{lockout.kind, lockout.subject, limit.max_attempts,
                                   static_cast<std::uint32_t>(seconds)});
  }
}

void open_session(Services& s, Exchange&& e, const std::string& name, bool by_cookie) {
  const Instant now = s.moment();
  auto opened = s.access().open(name, by_cookie ? access::Way::kCookie : access::Way::kToken, *s.directory(),
                                s.rng(), now);
  if (!opened) return e.refuse({"The user name or the password is wrong.", "wrong_login", {}, 401});
  json::object answer = told(opened->principal);
  answer["success"] = true;
  answer["expires_at"] = rfc3339(opened->expires);
  if (!by_cookie) answer["token"] = opened->token.reveal();
  const auto lifetime = std::chrono::duration_cast<std::chrono::seconds>(opened->expires - now);
  const std::string set =
      by_cookie ? cookie(opened->token.reveal(), e.request().tls, lifetime) : std::string{};
  s.keep(std::move(opened->changes), [e = std::move(e), answer = std::move(answer), set](bool kept) mutable {
    if (!kept) return e.refuse({"The database does not answer.", "unavailable", {}, 503});
    http::Response response = to_response(200, answer);
    if (!set.empty()) response.headers.emplace_back("Set-Cookie", set);
    e.answer(std::move(response));
  });
}

void refuse_crowded(Exchange&& e) {
  auto response = to_response(
      Problem{"Too many logins from this address are being looked at; please try again.", "busy", {}, 429});
  response.headers.emplace_back("Retry-After", "1");
  e.answer(std::move(response));
}

void judged(Services& s, Exchange&& e, const access::Access::Attempt& attempt, bool good, bool by_cookie) {
  if (good) {
    s.access().login_succeeded(attempt);
    return open_session(s, std::move(e), attempt.name, by_cookie);
  }
  s.access().login_failed(attempt);
  tell_lockouts(s, attempt);
  e.refuse({"The user name or the password is wrong.", "wrong_login", {}, 401});
}

// The answer is the same for an unknown name and a wrong password, and takes as long: a number costs two fast
// digests whether it is an extension or not, every other name a slow hash.
void login(Services& s, Exchange&& e) {
  Body body = e.body();
  std::string name = body.required_text("username");
  Secret<std::string> password{body.required_text("password", 1'024)};
  const bool by_cookie = body.flag("cookie").value_or(false);
  e.trail().target = name;
  access::Access& access = s.access();
  auto attempt = access.begin_login(name, e.request().from.ip, s.moment());
  if (attempt.locked) return refuse_locked(std::move(e), *attempt.locked);
  if (attempt.crowded) return refuse_crowded(std::move(e));
  access::Claim claim = access.claim_of(name, *s.directory());
  if (claim.credentials) {
    const bool good = same_credentials(credentials_of(name, password), *claim.credentials);
    return judged(s, std::move(e), attempt, good, by_cookie);
  }
  s.verify_password(
      std::move(claim.hash), std::move(password),
      [&s, attempt = std::move(attempt), by_cookie, e = std::move(e)](std::optional<bool> good) mutable {
        if (good) return judged(s, std::move(e), attempt, *good, by_cookie);
        s.access().login_unjudged(attempt);
        e.refuse({"The server is too busy.", "busy", {}, 503});
      });
}

void logout(Services& s, Exchange&& e) {
  const bool tls = e.request().tls;
  s.keep(s.access().close(e.principal()), [&s, e = std::move(e), tls](bool kept) mutable {
    if (!kept) return e.refuse({"The database does not answer.", "unavailable", {}, 503});
    if (LiveStream* live = s.live()) {
      live->browser_logins().end(s, [&](const access::Principal& who) {
        return who.way == e.principal().way && who.session == e.principal().session;
      });
    }
    http::Response response = to_response(200, success());
    response.headers.emplace_back("Set-Cookie", cookie("", tls, std::chrono::seconds{0}));
    e.answer(std::move(response));
  });
}

void me(Services&, Exchange&& e) {
  json::object o = told(e.principal());
  json::array scopes;
  for (const std::string& scope : e.principal().scopes) scopes.emplace_back(scope);
  o["scopes"] = std::move(scopes);
  e.answer(200, o);
}

constexpr std::array kRoutes{
    Route{.method = "POST",
          .pattern = "/api/login",
          .id = "login",
          .summary = "Log in as a user or an extension",
          .tag = "access",
          .who = Who::kAnyone,
          .handle = login,
          .body = kLogin,
          .answer = &kLoginShape},
    Route{.method = "POST",
          .pattern = "/api/logout",
          .id = "logout",
          .summary = "End this session",
          .tag = "access",
          .who = Who::kUser,
          .scope = "self",
          .handle = logout,
          .answer = &kDone},
    Route{.method = "GET",
          .pattern = "/api/me",
          .id = "showMe",
          .summary = "Who is logged in",
          .tag = "access",
          .who = Who::kUser,
          .scope = "self",
          .handle = me,
          .answer = &kMe},
};

}  // namespace

std::span<const Route> login_routes() {
  return kRoutes;
}

}  // namespace bw::api
