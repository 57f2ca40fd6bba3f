#include "server/commands.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cstdio>
#include <filesystem>
#include <vector>

#include "api/json.h"
#include "api/paging.h"
#include "config/extensions.h"
#include "server/config_file.h"
#include "server/data_directory.h"
#include "server/opening.h"
#include "server/program.h"
#include "server/showing.h"
#include "store/seal.h"

namespace bw::server {
namespace {

namespace json = boost::json;

// What is typed is one name, whatever is in it.
std::string path_of(std::string_view kind, const std::string& name) {
  return fmt::format("/api/{}/{}", kind, api::percent_encoded(name));
}

// The two largest units that are not empty: "41 s", "2 h 5 min", "3 d 4 h".
std::string in_words(std::int64_t seconds) {
  constexpr std::pair<std::int64_t, const char*> kUnits[] = {
      {86'400, "d"}, {3'600, "h"}, {60, "min"}, {1, "s"}};
  std::string text;
  int named = 0;
  for (const auto& [length, unit] : kUnits) {
    const std::int64_t count = seconds / length;
    seconds %= length;
    if (named == 0 && count == 0 && length > 1) continue;
    if (++named > 2) break;
    text += fmt::format("{}{} {}", text.empty() ? "" : " ", count, unit);
  }
  return text;
}

// Two things keep calls away: the extension is set so, or its person says so, until the server ends.
std::string quiet(const CommandOptions& options, const std::string& number, const json::value& extension) {
  if (extension.at("do_not_disturb") == json::value(true)) return "yes; --disturb ends it";
  std::string before = number;  // no number lies between this and the one that is asked for
  before.back() = static_cast<char>(before.back() - 1);
  const auto people =
      asked(options, "GET",
            fmt::format("/api/presence?limit=1&cursor={}", api::percent_encoded(before + '~')), nullptr);
  if (!people || people->as_array().empty()) return "no";
  const json::value& person = people->as_array().front();
  const bool own = field(person, "extension") == number && field(person, "status") == "dnd";
  return own ? "yes, as the person wishes; only the person ends it" : "no";
}

}  // namespace

int command_check(const std::string& file, const CommandOptions& options) {
  const config::Loaded loaded = read_config(file);
  if (options.json) {
    json::array list;
    for (const config::Problem& p : loaded.problems) {
      list.push_back({{"file", p.file},
                      {"line", p.line},
                      {"key", p.key},
                      {"message", p.message},
                      {"allowed", p.allowed},
                      {"nearest", p.nearest},
                      {"severity", p.severity == config::Severity::kError ? "error" : "warning"}});
    }
    fmt::print("{}\n", json::serialize(json::object{{"usable", loaded.usable()}, {"problems", list}}));
  } else {
    fmt::print("{}", to_text(loaded.problems));
    if (loaded.problems.empty()) fmt::print("{}: good\n", file);
  }
  return loaded.usable() ? kOk : kBadConfiguration;
}

int command_status(const CommandOptions& options) {
  return ask_and_show(options, "GET", "/api/status", nullptr, [](const json::value& s) {
    const auto line = [](const char* what, const std::string& value) {
      fmt::print("{:<22} {}\n", what, value);
    };
    fmt::print("Bellwire {}, up {}, since {}\n", field(s, "version"),
               in_words(s.at("uptime").to_number<std::int64_t>()), field(s, "started_at"));
    line("extensions registered",
         fmt::format("{} (phones: {})", field(s, "registered_extensions"), field(s, "registered_contacts")));
    line("calls", field(s, "active_calls") + " now, " + field(s, "total_calls") + " since the start");
    const std::string file = field(s, "config_file");
    line("configuration", file.empty() ? "no file" : file);
    if (!s.at("needs_restart").as_array().empty()) line("waits for a restart", field(s, "needs_restart"));
  });
}

int command_reload(const CommandOptions& options) {
  return ask_and_show(options, "POST", "/api/reload", json::object{}, [](const json::value& answer) {
    for (const json::value& p : answer.at("problems").as_array()) fmt::print("{}\n", text_of(p));
    for (const json::value& key : answer.at("needs_restart").as_array()) {
      fmt::print("{} changes with the next start\n", text_of(key));
    }
    show_message(answer);
  });
}

// Straight from the database, so that it also works without a server.
int command_export(const CommandOptions& options) {
  const auto path =
      options.config.empty() ? std::nullopt : std::optional<std::filesystem::path>{options.config};
  const config::Loaded loaded = read_config(path);
  if (!loaded.usable()) return complain(kBadConfiguration, to_text(loaded.problems));
  const std::filesystem::path data = data_of(options);
  if (const auto no = objection_to_user(data)) return complain(kNotRunning, *no);
  if (!std::filesystem::exists(data / "secret.key")) {
    return complain(kCannotStart, fmt::format("{} holds no data of a server", data.string()));
  }
  const auto key = store::SealKey::load_or_make(data);
  if (!key) return complain(kCannotStart, key.error());
  auto database = store::Store::open(database_target(loaded.config, data), *key);
  if (!database) return complain(kCannotStart, database.error().sentence);
  const auto extensions = database->load_extensions();
  if (!extensions) return complain(kCannotStart, extensions.error().sentence);
  if (!options.json) {
    fmt::print("{}", config::write_yaml(*extensions));
    return kOk;
  }
  json::array list;
  for (const model::Extension& e : *extensions) {
    json::object o = api::to_json(e, false);
    o.erase("registered");  // only a running server knows
    list.push_back(std::move(o));
  }
  fmt::print("{}\n", json::serialize(list));
  return kOk;
}

int command_backup(const std::string& file, const CommandOptions& options) {
  const json::object body{{"file", std::filesystem::absolute(file).string()}};
  return ask_and_show(options, "POST", "/api/backup", body, [&options](const json::value& answer) {
    fmt::print("written: {}\n", field(answer, "file"));
    fmt::print("Keep {} with it: without that key it cannot be opened.\n",
               std::filesystem::absolute(data_of(options) / "secret.key").string());
  });
}

int command_extension_list(const CommandOptions& options) {
  return ask_and_list(
      options, "/api/extensions", "number",
      table({"NUMBER", "NAME", "EMAIL", "REGISTERED"}, {"number", "name", "email", "registered"},
            "There are no extensions; `bellwire extension add NUMBER` makes one."));
}

int command_extension_add(const NewExtension& e, const CommandOptions& options) {
  json::object body{{"number", e.number}, {"allow_external", e.allow_external}};
  if (!e.name.empty()) body["name"] = e.name;
  if (!e.email.empty()) body["email"] = e.email;
  if (e.ask_password) body["password"] = asked_password();
  return ask_and_show(options, "POST", "/api/extensions", body, show_message);
}

int command_extension_change(const ChangedExtension& e, const CommandOptions& options) {
  json::object body;
  json::object forward;
  const auto put = [](json::object& into, const char* name, const auto& value) {
    if (value) into[name] = *value;
  };
  put(body, "name", e.name);
  put(body, "email", e.email);
  put(body, "ring_seconds", e.ring_seconds);
  if (e.do_not_disturb || e.disturb) body["do_not_disturb"] = e.do_not_disturb;
  put(forward, "always", e.always);
  put(forward, "busy", e.busy);
  put(forward, "no_answer", e.no_answer);
  put(forward, "unreachable", e.unreachable);
  if (!forward.empty()) body["forward"] = std::move(forward);
  if (body.empty()) return complain(kBadUsage, "nothing to change; see bellwire extension change --help");
  return ask_and_show(options, "PUT", path_of("extensions", e.number), body, show_message);
}

int command_extension_show(const std::string& number, const CommandOptions& options) {
  return ask_and_show(options, "GET", path_of("extensions", number), nullptr, [&](const json::value& e) {
    const auto line = [](const char* what, const std::string& value) {
      fmt::print("{:<18}{}\n", what, value.empty() ? "-" : value);
    };
    line("number", field(e, "number"));
    line("name", field(e, "name"));
    line("email", field(e, "email"));
    line("registered", field(e, "registered"));
    line("do not disturb", quiet(options, number, e));
    for (const auto& [cause, what] :
         {std::pair{"always", "forward"}, std::pair{"busy", "  when busy"},
          std::pair{"no_answer", "  no answer"}, std::pair{"unreachable", "  unreachable"}}) {
      line(what, field(e.at("forward"), cause));
    }
    const bool own = e.at("ring_seconds") != json::value(0);
    line("rings", own ? field(e, "ring_seconds") + " s" : "as voicemail.no_answer_timeout says");
  });
}

int command_extension_remove(const std::string& number, const CommandOptions& options) {
  return ask_and_show(options, "DELETE", path_of("extensions", number), nullptr, show_message);
}

int command_extension_password(const std::string& number, bool ask_password, const CommandOptions& options) {
  json::object body;
  if (ask_password) {
    body["password"] = asked_password();
  } else {
    body["generate_password"] = true;
  }
  return ask_and_show(options, "PUT", path_of("extensions", number), body, show_message);
}

int command_phone_list(const CommandOptions& options) {
  return ask_and_list(
      options, "/api/registered-phones", "id",
      table({"EXTENSION", "ADDRESS", "PORT", "TRANSPORT", "EXPIRES", "DEVICE"},
            {"extension_number", "ip_address", "port", "transport", "expires_at", "user_agent"},
            "No phone is registered."));
}

int command_call_list(const CommandOptions& options) {
  return ask_and_list(options, "/api/calls", "call_id",
                      table({"CALL", "STATE", "FROM", "TO", "STARTED"},
                            {"call_id", "state", "from", "to", "started_at"}, "Nobody is in a call."));
}

int command_call_start(const std::string& from, const std::string& to, const CommandOptions& options) {
  return ask_and_show(options, "POST", "/api/call", json::object{{"from", from}, {"to", to}},
                      [&from, &to](const json::value& answer) {
                        fmt::print("call {}: {} rings, and is connected to {} when it answers\n",
                                   field(answer, "call_id"), from, to);
                      });
}

int command_call_show(const std::string& call_id, const CommandOptions& options) {
  return ask_and_show(options, "GET", path_of("calls", call_id), nullptr, [](const json::value& call) {
    fmt::print("{} from {} to {}, {}, since {}\n", field(call, "call_id"), field(call, "from"),
               field(call, "to"), field(call, "state"), field(call, "started_at"));
    json::value legs = call.at("legs");
    for (json::value& leg : legs.as_array()) {
      const json::value quality = leg.at("quality");  // a copy: the leg gets members below
      for (const char* figure : {"mos", "loss_percent", "jitter_ms"})
        leg.as_object()[figure] = quality.is_object() ? quality.at(figure) : json::value(nullptr);
    }
    table({"PARTY", "STATE", "CODEC", "SECURED", "MOS", "LOSS %", "JITTER MS", "REFUSED", "DEVICE"},
          {"party", "state", "codec", "secured", "mos", "loss_percent", "jitter_ms", "packets_refused",
           "device"},
          "It has no legs any more.")(legs);
  });
}

int command_call_act(const std::string& what, const std::string& call_id, const std::string& extension,
                     const CommandOptions& options) {
  const json::object body{{"call_id", call_id}, {"extension", extension}};
  return ask_and_show(options, "POST", "/api/call/" + what, body, [&](const json::value&) {
    fmt::print("asked for; `bellwire call show {}` says when it is so\n", call_id);
  });
}

int command_call_transfer(const std::string& call_id, const std::string& extension, const std::string& to,
                          const CommandOptions& options) {
  const json::object body{{"call_id", call_id}, {"extension", extension}, {"to", to}};
  return ask_and_show(options, "POST", "/api/call/transfer", body, [&to](const json::value&) {
    fmt::print("{} is being called; the call comes back if nobody answers there\n", to);
  });
}

int command_call_hang_up(const std::string& call_id, const CommandOptions& options) {
  return ask_and_show(options, "POST", "/api/call/hangup", json::object{{"call_id", call_id}},
                      [](const json::value&) { fmt::print("hung up\n"); });
}

}  // namespace bw::server
