// Users, API keys and the audit log: for admins.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <charconv>
#include <set>

#include "access/credentials.h"
#include "api/areas.h"
#include "api/live.h"
#include "api/paging.h"
#include "base/ascii.h"
#include "base/rfc3339.h"

namespace bw::api {
namespace {

namespace json = boost::json;

constexpr std::size_t kNameBytes = 64;
constexpr std::uint32_t kLongestKeyDays = 3'650;

// ---- as the table describes them ----

constexpr std::array kUserFields{
    Field{.name = "name", .required = true, .most = kNameBytes, .format = Format::kWord},
    Field{.name = "role", .about = "user, supervisor or admin", .required = true, .most = 16},
    Field{.name = "created_at", .type = Type::kTime, .required = true},
};
constexpr std::array kNewUser{
    Field{.name = "name",
          .about = "with a letter in it: numbers are extensions",
          .required = true,
          .most = kNameBytes,
          .format = Format::kWord},
    Field{.name = "role", .about = "user, supervisor or admin (admin)", .most = 16},
    Field{.name = "password",
          .about = "by the rules of security.password; made if there is none",
          .secret = true,
          .most = 1'024},
};
constexpr std::array kChangedUser{
    Field{.name = "role", .about = "user, supervisor or admin", .most = 16},
    Field{.name = "password",
          .about = "by the rules of security.password; ends all sessions",
          .secret = true,
          .most = 1'024},
    Field{
        .name = "generate_password", .type = Type::kFlag, .about = "make a new one and answer it, this once"},
};
constexpr std::array kUserKeptFields{
    Field{.name = "success", .type = Type::kFlag, .required = true},
    Field{.name = "message", .required = true},
    Field{.name = "password", .about = "that was made, shown this once", .most = 1'024},
};
constexpr std::array kKeyFields{
    Field{.name = "id", .required = true, .most = 32},
    Field{.name = "name", .required = true, .most = kNameBytes},
    Field{.name = "role", .required = true, .most = 16},
    Field{.name = "scopes", .type = Type::kTexts, .required = true, .most = 64},
    Field{.name = "created_by", .required = true},
    Field{.name = "created_at", .type = Type::kTime, .required = true},
    Field{.name = "expires_at", .type = Type::kTime, .required = true, .nullable = true},
};
constexpr std::array kNewKey{
    Field{.name = "name", .about = "what it is for", .required = true, .most = kNameBytes},
    Field{.name = "role", .about = "supervisor or admin (supervisor)", .most = 16},
    Field{.name = "scopes",
          .type = Type::kTexts,
          .about = "such as calls:read; * is all of them",
          .required = true,
          .least = 1,
          .most = 64},
    Field{.name = "expires_in_days",
          .type = Type::kInteger,
          .about = "never, if absent",
          .least = 1,
          .most = kLongestKeyDays},
};
constexpr std::array kKeyMadeFields{
    Field{.name = "success", .type = Type::kFlag, .required = true},
    Field{.name = "message", .required = true},
    Field{.name = "id", .required = true, .most = 32},
    Field{.name = "key", .about = "shown this once", .required = true, .most = 128},
};
constexpr std::array kAuditFields{
    Field{.name = "number", .type = Type::kInteger, .required = true, .most = 9'007'199'254'740'991},
    Field{.name = "at", .type = Type::kTime, .required = true},
    Field{.name = "who", .required = true},
    Field{.name = "way", .about = "cookie, token, key, operator or none", .required = true, .most = 16},
    Field{.name = "from",
          .about = "address; empty for the machine of the server",
          .required = true,
          .most = 64},
    Field{.name = "action", .about = "the operation", .required = true},
    Field{.name = "target", .required = true, .most = 8'192},
    Field{.name = "status", .type = Type::kInteger, .required = true, .most = 599},
    Field{.name = "before", .type = Type::kAny, .nullable = true},
    Field{.name = "after", .type = Type::kAny, .nullable = true},
};
constexpr std::array kAuditQuery = both(
    kPaging, std::array{Field{.name = "who"}, Field{.name = "action", .most = 64, .format = Format::kWord}});
constexpr Shape kUsers{"User", kUserFields, true};
constexpr Shape kUserKept{"UserKept", kUserKeptFields};
constexpr Shape kKeys{"ApiKey", kKeyFields, true};
constexpr Shape kKeyMade{"ApiKeyMade", kKeyMadeFields};
constexpr Shape kAudit{"AuditEntry", kAuditFields, true};

json::string_view to_view(std::string_view s) {
  return {s.data(), s.size()};
}

Problem no_such(std::string_view what) {
  return {"There is no such " + std::string(what) + ".", "not_found", {}, 404};
}

// ---- users ----

json::object to_json(const access::User& u) {
  return {{"name", u.name}, {"role", to_view(access::name_of(u.role))}, {"created_at", rfc3339(u.created)}};
}

void list_users(Services& s, Exchange&& e) {
  std::vector<std::pair<std::string, json::value>> items;
  for (const auto& [name, user] : s.access().users()) items.emplace_back(name, to_json(user));
  answer_page(std::move(e), std::move(items));
}

std::optional<access::Role> read_role(Body& body, access::Role otherwise) {
  const auto given = body.text("role");
  if (!given) return otherwise;
  const auto role = access::role_of(*given);
  if (!role) body.object_to("role", "role must be user, supervisor or admin.");
  return role;
}

// Whether the login was made with what is changed now.
bool concerns(const access::Change& change, const access::Principal& who) {
  const bool by_key = who.way == access::Way::kKey;
  if (const auto* saved = std::get_if<access::SaveUser>(&change))
    return !by_key && who.name == saved->user.name;
  if (const auto* dropped = std::get_if<access::DropUser>(&change))
    return !by_key && who.name == dropped->name;
  const auto* revoked = std::get_if<access::DropKey>(&change);
  return by_key && revoked != nullptr && who.session == revoked->id;
}

void store_change(Services& s, Exchange&& e, const access::Change& change, json::object&& answer) {
  s.keep({change}, [&s, change, e = std::move(e), answer = std::move(answer)](bool kept) mutable {
    if (!kept) return e.refuse({"The database does not answer.", "unavailable", {}, 503});
    if (LiveStream* live = s.live())
      live->browser_logins().end(s, [&](const access::Principal& who) { return concerns(change, who); });
    e.answer(200, answer);
  });
}

std::optional<Problem> objection_to_change(Services& s, const std::string& name,
                                           std::optional<access::Role> role) {
  if (!s.access().users().contains(name)) return no_such("user");
  if (s.access().is_changing(name))
    return Problem{
        "The user " + name + " is being changed by somebody else; please try again.", "conflict", {}, 409};
  if (role != access::Role::kAdmin && s.access().is_last_admin(name))
    return Problem{"This is the last admin.", "conflict", role ? "role" : "", 409};
  return std::nullopt;
}

std::optional<Problem> objection_to_new(Services& s, const std::string& name) {
  if (s.access().users().contains(name) || s.access().is_changing(name))
    return Problem{"The user " + name + " exists already.", "conflict", "name", 409};
  if (!s.access().room_for_user()) return Problem{"There are too many users.", "full", {}, 409};
  return std::nullopt;
}

// `use` gets the hash. Much may have changed until then. `shown`: the password was made here and is told
// once.
void with_hash(Services& s, Exchange&& e, json::object&& answer, Secret<std::string>&& password, bool shown,
               std::move_only_function<void(Exchange&&, json::object&&, Secret<std::string>&&)> use) {
  if (shown) answer["password"] = password.reveal();
  s.hash_password(std::move(password),
                  [e = std::move(e), answer = std::move(answer), use = std::move(use)](auto&& hash) mutable {
                    if (!hash) return e.refuse({"The server is too busy.", "busy", {}, 503});
                    use(std::move(e), std::move(answer), std::move(*hash));
                  });
}

json::object told(std::string message) {
  json::object answer = success();
  answer["message"] = std::move(message);
  return answer;
}

void add_user(Services& s, Exchange&& e) {
  Body body = e.body();
  access::User user;
  user.name = body.required_text("name");
  if (std::ranges::none_of(user.name, is_alpha))
    body.object_to("name", "name must hold a letter: numbers are extensions, and dots lead elsewhere.");
  user.role = read_role(body, access::Role::kAdmin).value_or(access::Role::kUser);
  user.created = s.moment();
  auto given = body.text("password", 1'024);
  if (given) {
    if (auto objection = objection_to(*given, s.password_rules()))
      body.object_to("password", std::move(*objection), "weak_password");
  }
  if (const auto problem = body.finish()) return e.refuse(*problem);
  if (const auto problem = objection_to_new(s, user.name)) return e.refuse(*problem);
  const bool made = !given;
  Secret<std::string> password =
      made ? generate_password(s.rng(), s.password_rules()) : Secret{std::move(*given)};
  json::object answer = told("User " + user.name + " was added.");
  with_hash(s, std::move(e), std::move(answer), std::move(password), made,
            [&s, user = std::move(user)](Exchange&& x, json::object&& a, Secret<std::string>&& hash) mutable {
              if (const auto problem = objection_to_new(s, user.name)) return x.refuse(*problem);
              user.password_hash = std::move(hash);
              store_change(s, std::move(x), access::SaveUser{std::move(user)}, std::move(a));
            });
}

// Sets the fields named in the user as it is now: somebody may have changed or removed it since the request.
void store_fields(Services& s, Exchange&& e, json::object&& answer, std::optional<access::Role> role,
                  std::optional<Secret<std::string>>&& hash) {
  const std::string name = e.parameter();
  const auto found = s.access().users().find(name);
  if (found == s.access().users().end()) return e.refuse(no_such("user"));
  access::User user = found->second;
  user.role = role.value_or(user.role);
  if (const auto problem = objection_to_change(s, name, user.role)) return e.refuse(*problem);
  e.trail().before = to_json(found->second);
  if (hash) user.password_hash = std::move(*hash);
  store_change(s, std::move(e), access::SaveUser{std::move(user)}, std::move(answer));
}

void change_user(Services& s, Exchange&& e) {
  const std::string name = e.parameter();
  const auto found = s.access().users().find(name);
  if (found == s.access().users().end()) return e.refuse(no_such("user"));
  Body body = e.body();
  const auto named = body.text("role");
  const auto role = named ? access::role_of(*named) : std::nullopt;
  if (named && !role) body.object_to("role", "role must be user, supervisor or admin.");
  const bool make = body.flag("generate_password").value_or(false);
  auto given = body.text("password", 1'024);
  if (given) {
    if (auto objection = objection_to(*given, s.password_rules()))
      body.object_to("password", std::move(*objection), "weak_password");
  }
  if (const auto problem = body.finish()) return e.refuse(*problem);
  if (const auto problem = objection_to_change(s, name, role.value_or(found->second.role)))
    return e.refuse(*problem);
  json::object answer = told("User " + name + " was changed.");
  if (!given && !make) return store_fields(s, std::move(e), std::move(answer), role, std::nullopt);
  const bool shown = !given;
  Secret<std::string> password =
      given ? Secret{std::move(*given)} : generate_password(s.rng(), s.password_rules());
  with_hash(s, std::move(e), std::move(answer), std::move(password), shown,
            [&s, role](Exchange&& x, json::object&& a, Secret<std::string>&& hash) {
              store_fields(s, std::move(x), std::move(a), role, std::move(hash));
            });
}

void remove_user(Services& s, Exchange&& e) {
  const std::string name = e.parameter();
  if (const auto problem = objection_to_change(s, name, std::nullopt)) return e.refuse(*problem);
  e.trail().before = to_json(s.access().users().at(name));
  store_change(s, std::move(e), access::DropUser{name}, told("User " + name + " was removed."));
}

// ---- keys ----

json::object to_json(const access::ApiKey& k) {
  json::array scopes;
  for (const std::string& scope : k.scopes) scopes.emplace_back(scope);
  return {{"id", k.id},
          {"name", k.name},
          {"role", to_view(access::name_of(k.role))},
          {"scopes", std::move(scopes)},
          {"created_by", k.created_by},
          {"created_at", rfc3339(k.created)},
          {"expires_at", k.expires ? json::value(rfc3339(*k.expires)) : json::value(nullptr)}};
}

void list_keys(Services& s, Exchange&& e) {
  std::vector<std::pair<std::string, json::value>> items;
  for (const auto& [id, key] : s.access().keys()) items.emplace_back(id, to_json(key));
  answer_page(std::move(e), std::move(items));
}

std::set<std::string_view> scopes() {
  std::set<std::string_view> all{"*"};
  for (const Route& route : routes())
    if (!route.scope.empty()) all.insert(route.scope);
  return all;
}

void add_key(Services& s, Exchange&& e) {
  Body body = e.body();
  access::ApiKey key;
  key.name = body.required_text("name");
  key.role = read_role(body, access::Role::kSupervisor).value_or(access::Role::kSupervisor);
  if (key.role == access::Role::kUser)
    body.object_to("role", "A key is not of one person: its role is supervisor or admin.");
  key.scopes = body.list("scopes", 64).value_or(std::vector<std::string>{});
  const std::set<std::string_view> known = scopes();
  for (const std::string& scope : key.scopes) {
    if (!known.contains(scope))
      body.object_to("scopes",
                     fmt::format("There is no scope {}; there are {}.", scope, fmt::join(known, ", ")));
  }
  key.created = s.moment();
  if (const auto days = body.number("expires_in_days", 1, kLongestKeyDays))
    key.expires = key.created + std::chrono::hours{24} * *days;
  if (const auto problem = body.finish()) return e.refuse(*problem);
  if (!s.access().room_for_key()) return e.refuse({"There are too many API keys.", "full", {}, 409});
  const Secret<std::string> token = access::make_token("bwk_", s.rng());
  key.digest = access::digest_of(token.reveal());
  key.id = key.digest.substr(0, 16);
  key.created_by = e.principal().name;
  json::object answer = success();
  answer["message"] = "The key is shown this once.";
  answer["id"] = key.id;
  answer["key"] = token.reveal();
  e.trail().after = to_json(key);
  store_change(s, std::move(e), access::SaveKey{std::move(key)}, std::move(answer));
}

void remove_key(Services& s, Exchange&& e) {
  const auto found = s.access().keys().find(e.parameter());
  if (found == s.access().keys().end()) return e.refuse(no_such("key"));
  e.trail().before = to_json(found->second);
  json::object answer = success();
  answer["message"] = "The key was revoked.";
  const std::string id = found->first;
  store_change(s, std::move(e), access::DropKey{id}, std::move(answer));
}

// ---- audit log ----

json::value parsed(const std::string& text) {
  boost::system::error_code error;
  json::value value = text.empty() ? json::value(nullptr) : json::parse(text, error);
  return error ? json::value(text) : value;  // cut off, for it was long
}

json::object to_json(const access::AuditEntry& a) {
  return {{"number", a.number},
          {"at", rfc3339(a.at)},
          {"who", a.who},
          {"way", a.way},
          {"from", a.from},
          {"action", a.action},
          {"target", a.target},
          {"status", a.status},
          {"before", parsed(a.before)},
          {"after", parsed(a.after)}};
}

void audit_log(Services& s, Exchange&& e) {
  AuditQuery query;
  query.limit = e.query_number("limit", kPage);
  query.who = e.query("who");
  query.action = e.query("action");
  const std::string cursor = e.query("cursor");
  const auto [end, error] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), query.before);
  if (!cursor.empty() && (error != std::errc{} || end != cursor.data() + cursor.size() || query.before == 0))
    return e.refuse({"This cursor is none of this list.", "bad_request", "cursor"});
  const std::size_t limit = query.limit;
  s.audit_log(query, [e = std::move(e), limit](auto&& entries) mutable {
    if (!entries) return e.refuse({"The database does not answer.", "unavailable", {}, 503});
    json::array list;
    for (const access::AuditEntry& a : *entries) list.push_back(to_json(a));
    const std::string next =
        entries->size() == limit ? std::to_string(entries->back().number) : std::string{};
    answer_page(std::move(e), std::move(list), next);
  });
}

constexpr std::array kRoutes{
    Route{.method = "GET",
          .pattern = "/api/users",
          .id = "listUsers",
          .summary = "Users who administer or supervise",
          .tag = "access",
          .who = Who::kAdmin,
          .handle = list_users,
          .query = kPaging,
          .answer = &kUsers},
    Route{.method = "POST",
          .pattern = "/api/users",
          .id = "addUser",
          .summary = "Add a user",
          .tag = "access",
          .who = Who::kAdmin,
          .handle = add_user,
          .acts = true,
          .body = kNewUser,
          .answer = &kUserKept},
    Route{.method = "PUT",
          .pattern = "/api/users/{name}",
          .id = "changeUser",
          .summary = "Another role or password",
          .tag = "access",
          .who = Who::kAdmin,
          .handle = change_user,
          .body = kChangedUser,
          .answer = &kUserKept},
    Route{.method = "DELETE",
          .pattern = "/api/users/{name}",
          .id = "removeUser",
          .summary = "Remove a user",
          .tag = "access",
          .who = Who::kAdmin,
          .handle = remove_user,
          .answer = &kUserKept},
    Route{.method = "GET",
          .pattern = "/api/keys",
          .id = "listKeys",
          .summary = "API keys, without what opens",
          .tag = "access",
          .who = Who::kAdmin,
          .handle = list_keys,
          .query = kPaging,
          .answer = &kKeys},
    Route{.method = "POST",
          .pattern = "/api/keys",
          .id = "addKey",
          .summary = "Make an API key",
          .tag = "access",
          .who = Who::kAdmin,
          .handle = add_key,
          .acts = true,
          .body = kNewKey,
          .answer = &kKeyMade},
    Route{.method = "DELETE",
          .pattern = "/api/keys/{id}",
          .id = "removeKey",
          .summary = "Revoke an API key",
          .tag = "access",
          .who = Who::kAdmin,
          .handle = remove_key,
          .answer = &kUserKept},
    Route{.method = "GET",
          .pattern = "/api/audit",
          .id = "showAuditLog",
          .summary = "Changes and logins, newest first",
          .tag = "access",
          .who = Who::kAdmin,
          .scope = "audit:read",
          .handle = audit_log,
          .query = kAuditQuery,
          .answer = &kAudit},
};

}  // namespace

std::span<const Route> account_routes() {
  return kRoutes;
}

}  // namespace bw::api
