// Commands about users, API keys and the audit log.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "api/paging.h"
#include "server/commands.h"
#include "server/showing.h"

namespace bw::server {
namespace {

namespace json = boost::json;

void set_password(json::object& body, bool ask) {
  if (ask) body["password"] = asked_password();
}

}  // namespace

int command_user_list(const CommandOptions& options) {
  return ask_and_list(options, "/api/users", "name",
                      table({"NAME", "ROLE", "SINCE"}, {"name", "role", "created_at"},
                            "There are no users; `bellwire user add NAME` makes one."));
}

int command_user_add(const std::string& name, const std::string& role, bool ask_password,
                     const CommandOptions& options) {
  json::object body{{"name", name}, {"role", role}};
  set_password(body, ask_password);
  return ask_and_show(options, "POST", "/api/users", body, show_message);
}

int command_user_remove(const std::string& name, const CommandOptions& options) {
  return ask_and_show(options, "DELETE", "/api/users/" + api::percent_encoded(name), nullptr, show_message);
}

int command_user_password(const std::string& name, bool ask_password, const CommandOptions& options) {
  json::object body;
  if (!ask_password) body["generate_password"] = true;
  set_password(body, ask_password);
  return ask_and_show(options, "PUT", "/api/users/" + api::percent_encoded(name), body, show_message);
}

int command_key_list(const CommandOptions& options) {
  return ask_and_list(
      options, "/api/keys", "id",
      table({"ID", "NAME", "ROLE", "SCOPES", "EXPIRES"}, {"id", "name", "role", "scopes", "expires_at"},
            "There are no API keys; `bellwire key add NAME --scope SCOPE` makes one."));
}

int command_key_add(const NewKey& key, const CommandOptions& options) {
  json::array scopes;
  for (const std::string& scope : key.scopes) scopes.emplace_back(scope);
  json::object body{{"name", key.name}, {"role", key.role}, {"scopes", std::move(scopes)}};
  if (key.days > 0) body["expires_in_days"] = key.days;
  return ask_and_show(options, "POST", "/api/keys", body, [](const json::value& answer) {
    fmt::print("id:  {}\nkey: {}   (shown this once)\n", field(answer, "id"), field(answer, "key"));
  });
}

int command_key_remove(const std::string& id, const CommandOptions& options) {
  return ask_and_show(options, "DELETE", "/api/keys/" + api::percent_encoded(id), nullptr, show_message);
}

int command_lockout_list(const CommandOptions& options) {
  return ask_and_show(options, "GET", "/api/lockouts", nullptr,
                      table({"SUBJECT", "KIND", "OF", "ATTEMPTS", "UNTIL"},
                            {"subject", "kind", "of", "attempts", "until"}, "Nobody is locked out."));
}

int command_lockout_lift(const std::string& subject, const CommandOptions& options) {
  return ask_and_show(options, "DELETE", "/api/lockouts/" + api::percent_encoded(subject), nullptr,
                      show_message);
}

int command_audit(const CommandOptions& options) {
  return ask_and_show(options, "GET", "/api/audit", nullptr,
                      table({"AT", "WHO", "FROM", "ACTION", "TARGET", "STATUS"},
                            {"at", "who", "from", "action", "target", "status"}, "Nothing was changed yet."));
}

}  // namespace bw::server
