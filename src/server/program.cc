#include "server/program.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "api/version.h"
#include "model/ring_time.h"
#include "server/commands.h"
#include "server/demo.h"
#include "server/serve.h"
#include "server/usage.h"
#include "server/webhook_commands.h"

namespace bw::server {
namespace {

// What the command line says. CLI11 writes into it while parsing; `chosen` is the command that was named.
struct CommandLine {
  CommandOptions options;
  DemoOptions demo;
  NewExtension extension;
  ChangedExtension changed_extension;
  std::string file, number, from, to, call_id, user, role = "admin";
  NewKey key;
  EventTail tail;
  NewWebhook webhook;
  ChangedWebhook changed_webhook;
  WebhookReplay replay;
  WebhookListener listener;
  std::uint32_t limit = 100;
  bool ask_password = false;
  std::function<int()> chosen;
};

// What the environment says, as long as no option does. CLI11 would also write it for the commands that were
// not named, over what was typed for the one that was.
constexpr const char* kDataVariable = "BELLWIRE_DATA";
constexpr const char* kSecretVariable = "BELLWIRE_WEBHOOK_SECRET";  // a command line is seen by all

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string{} : std::string{value};
}

std::string or_variable(const char* about, const char* name) {
  return fmt::format("{} (or ${})", about, name);
}

CLI::App* add_plain(CLI::App& parent, CommandLine& line, const char* name, const char* what,
                    std::function<int()> run) {
  CLI::App* command = parent.add_subcommand(name, what)->group("Commands");
  command->callback([&line, run = std::move(run)] { line.chosen = run; });
  return command;
}

// A command with --data and --json, which nearly all have.
CLI::App* add(CLI::App& parent, CommandLine& line, const char* name, const char* what,
              std::function<int()> run) {
  CLI::App* command = add_plain(parent, line, name, what, std::move(run));
  command->add_option("--data", line.options.data,
                      or_variable("data directory of the server", kDataVariable));
  command->add_flag("--json", line.options.json, "print JSON");
  return command;
}

// Without a command of its own it shows which there are.
CLI::App* group(CLI::App& app, const char* name, const char* what) {
  return app.add_subcommand(name, what);
}

void add_running(CLI::App& app, CommandLine& line) {
  const CommandOptions& o = line.options;
  auto* demo_command = add_plain(app, line, "demo", "an office on this machine alone, to try things out",
                                 [&line] { return demo(line.demo); });
  // Not that of the environment, which is where a server of one's own lies.
  demo_command->add_option("--data", line.demo.data, "keep everything here; else it is removed at the end");
  const auto port = [demo_command](const char* name, std::uint16_t& into, const char* about) {
    demo_command->add_option(name, into, about)->capture_default_str()->check(CLI::Range(1, 65'535));
  };
  port("--sip-port", line.demo.sip_port, "SIP over UDP and TCP");
  port("--sip-tls-port", line.demo.sip_tls_port, "SIP over TLS");
  port("--http-port", line.demo.http_port, "HTTP and WebSocket");
  port("--https-port", line.demo.https_port, "the same with TLS");
  auto* serve_command =
      add_plain(app, line, "serve", "run the server", [&o] { return serve({o.config, o.data}); });
  serve_command->add_option("--config", line.options.config, "default: config.yml here, if there is one");
  serve_command->add_option("--data", line.options.data,
                            or_variable("where its database, keys and socket lie", kDataVariable));
}

void add_server_commands(CLI::App& app, CommandLine& line) {
  const CommandOptions& o = line.options;
  add(app, line, "check", "say what is wrong with a configuration file",
      [&line] { return command_check(line.file, line.options); })
      ->add_option("FILE", line.file, "config.yml")
      ->required();
  add(app, line, "doctor", "look for what keeps the server from working here",
      [&o] { return command_doctor(o); })
      ->add_option("--config", line.options.config,
                   "default: that of the running server, else config.yml here");
  add(app, line, "status", "what the running server does", [&o] { return command_status(o); });
  add(app, line, "reload", "read the configuration again", [&o] { return command_reload(o); });
  add(app, line, "backup", "copy the database of the running server",
      [&line] { return command_backup(line.file, line.options); })
      ->add_option("FILE", line.file, "the copy; it must not exist")
      ->required();
  add(app, line, "export", "write the extensions of the database as YAML", [&o] {
    return command_export(o);
  })->add_option("--config", line.options.config, "which names the database; default: SQLite");
}

void add_extension_changes(CLI::App& extension, CommandLine& line) {
  add(extension, line, "show", "one of them",
      [&line] { return command_extension_show(line.number, line.options); })
      ->add_option("NUMBER", line.number, "of the extension")
      ->required();
  ChangedExtension& what = line.changed_extension;
  auto* change = add(extension, line, "change", "change one; what is not given stays",
                     [&line] { return command_extension_change(line.changed_extension, line.options); });
  change->add_option("NUMBER", what.number, "of the extension")->required();
  // An empty text is one as well: it ends a forward.
  const auto text = [change](const char* name, std::optional<std::string>& into, const char* about) {
    change->add_option_function<std::string>(
        name, [&into](const std::string& given) { into = given; }, about);
  };
  text("--name", what.name, "of the person");
  text("--email", what.email, "of the person");
  change->add_option("--ring-seconds", what.ring_seconds,
                     fmt::format("{} to {}; 0: as voicemail.no_answer_timeout says",
                                 model::kShortestRingSeconds, model::kLongestRingSeconds));
  text("--forward", what.always, "where every call goes; '' ends it, also with those below");
  text("--forward-busy", what.busy, "where a call goes while it talks");
  text("--forward-no-answer", what.no_answer, "where a call goes that nobody answers");
  text("--forward-unreachable", what.unreachable, "where a call goes while no phone is there");
  auto* quiet = change->add_flag("--do-not-disturb", what.do_not_disturb, "rings no phone");
  change->add_flag("--disturb", what.disturb, "ends that; what the person set on its own phone or page stays")
      ->excludes(quiet);
}

void add_extension_commands(CLI::App& app, CommandLine& line) {
  CLI::App& extension = *group(app, "extension", "extensions: who can be called");
  add(extension, line, "ls", "list them", [&line] { return command_extension_list(line.options); });
  add_extension_changes(extension, line);
  auto* add_one = add(extension, line, "add", "add one; its password is made and shown once",
                      [&line] { return command_extension_add(line.extension, line.options); });
  add_one->add_option("NUMBER", line.extension.number, "of the extension")->required();
  add_one->add_option("--name", line.extension.name, "of the person");
  add_one->add_option("--email", line.extension.email, "of the person");
  add_one->add_flag("--allow-external", line.extension.allow_external, "may call outside numbers");
  add_one->add_flag("--ask-password", line.extension.ask_password, "read the password from standard input");
  add(extension, line, "rm", "remove one",
      [&line] { return command_extension_remove(line.number, line.options); })
      ->add_option("NUMBER", line.number, "of the extension")
      ->required();
  auto* password = add(extension, line, "passwd", "give one a new password, made and shown once", [&line] {
    return command_extension_password(line.number, line.ask_password, line.options);
  });
  password->add_option("NUMBER", line.number, "of the extension")->required();
  password->add_flag("--ask-password", line.ask_password, "read the password from standard input");
}

void add_call_commands(CLI::App& app, CommandLine& line) {
  CLI::App& phone = *group(app, "phone", "registered phones");
  add(phone, line, "ls", "list them", [&line] { return command_phone_list(line.options); });
  CLI::App& call = *group(app, "call", "calls that are up");
  add(call, line, "ls", "list them", [&line] { return command_call_list(line.options); });
  auto* start = add(call, line, "start", "ring FROM, then connect it to TO",
                    [&line] { return command_call_start(line.from, line.to, line.options); });
  start->add_option("FROM", line.from, "extension that rings first")->required();
  start->add_option("TO", line.to, "number that is called when it answers")->required();
  add(call, line, "show", "one of them, with its legs",
      [&line] { return command_call_show(line.call_id, line.options); })
      ->add_option("CALL_ID", line.call_id, "as `bellwire call ls` shows it")
      ->required();
  for (const char* what : {"hold", "resume"}) {
    auto* act = add(call, line, what, "as the phone of EXTENSION could",
                    [&line, what] { return command_call_act(what, line.call_id, line.from, line.options); });
    act->add_option("CALL_ID", line.call_id, "as `bellwire call ls` shows it")->required();
    act->add_option("EXTENSION", line.from, "whose phone could have asked for it")->required();
  }
  auto* transfer = add(call, line, "transfer", "pass the other side of EXTENSION's call on to TO", [&line] {
    return command_call_transfer(line.call_id, line.from, line.to, line.options);
  });
  transfer->add_option("CALL_ID", line.call_id, "as `bellwire call ls` shows it")->required();
  transfer->add_option("EXTENSION", line.from, "who leaves the call")->required();
  transfer->add_option("TO", line.to, "number that takes its place")->required();
  add(call, line, "hangup", "end one", [&line] { return command_call_hang_up(line.call_id, line.options); })
      ->add_option("CALL_ID", line.call_id, "as `bellwire call ls` shows it")
      ->required();
}

void add_event_commands(CLI::App& app, CommandLine& line) {
  CLI::App& event = *group(app, "event", "what happens: calls, phones, people");
  auto* tail = add(event, line, "tail", "show events as they happen, until interrupted",
                   [&line] { return command_event_tail(line.tail, line.options); });
  tail->add_option("--since", line.tail.since, "first those after this number (0: all that are kept)");
  tail->add_option("--type", line.tail.types, "only this type, or call.*; may be given more than once");
  tail->add_option("--extension", line.tail.extension, "only what concerns it");
}

void add_webhook_changes(CLI::App& webhook, CommandLine& line) {
  ChangedWebhook& what = line.changed_webhook;
  auto* change = add(webhook, line, "change", "change one; what is not given stays",
                     [&line] { return command_webhook_change(line.changed_webhook, line.options); });
  change->add_option("ID", what.id, "as `bellwire webhook ls` shows it")->required();
  change->add_option("--url", what.url, "where events are posted");
  change->add_option("--event", what.events, "only this type, or call.*; more than once")
      ->allow_extra_args(false);
  auto* some = change->add_option("--extension", what.extensions, "only what concerns it; more than once")
                   ->allow_extra_args(false);
  change->add_flag("--all-extensions", what.all_extensions, "whatever it concerns")->excludes(some);
  auto* headers =
      change
          ->add_option("--header", what.headers, "'Name: value', in place of those there are; more than once")
          ->allow_extra_args(false);
  change->add_flag("--no-headers", what.no_headers, "none")->excludes(headers);
  auto* enable = change->add_flag("--enable", what.enable, "send again what happens from now on");
  change->add_flag("--disable", what.disable, "send nothing")->excludes(enable);
  auto* rotate = add(webhook, line, "rotate", "a new secret; both sign for 24 hours", [&line] {
    return command_webhook_rotate(line.user, line.webhook.secret, line.options);
  });
  rotate->add_option("ID", line.user, "as `bellwire webhook ls` shows it")->required();
  rotate->add_option("--secret", line.webhook.secret,
                     or_variable("without it one is made and shown this once", kSecretVariable));
}

void add_webhook_commands(CLI::App& app, CommandLine& line) {
  const CommandOptions& o = line.options;
  CLI::App& webhook = *group(app, "webhook", "webhooks: URLs that events are posted to");
  add(webhook, line, "ls", "list them", [&o] { return command_webhook_list(o); });
  auto* add_one = add(webhook, line, "add", "subscribe a URL to events",
                      [&line] { return command_webhook_add(line.webhook, line.options); });
  add_one->add_option("URL", line.webhook.url, "where events are posted")->required();
  add_one
      ->add_option("--event", line.webhook.events, "only this type, or call.*; may be given more than once")
      ->allow_extra_args(false);
  add_one->add_option("--extension", line.webhook.extensions, "only what concerns it; more than once")
      ->allow_extra_args(false);
  add_one
      ->add_option("--header", line.webhook.headers, "'Name: value', added to each delivery; more than once")
      ->allow_extra_args(false);
  add_one->add_option("--secret", line.webhook.secret, or_variable("signs each delivery", kSecretVariable));
  add_webhook_changes(webhook, line);
  add(webhook, line, "rm", "remove one, or all with a URL",
      [&line] { return command_webhook_remove(line.user, line.options); })
      ->add_option("ID", line.user, "or its URL")
      ->required();
  add(webhook, line, "test", "post a webhook.test now, and show request and answer",
      [&line] { return command_webhook_test(line.user, line.options); })
      ->add_option("ID", line.user, "as `bellwire webhook ls` shows it")
      ->required();
  auto* deliveries = add(webhook, line, "deliveries", "the last attempts, newest first",
                         [&line] { return command_webhook_deliveries(line.user, line.limit, line.options); });
  deliveries->add_option("ID", line.user, "as `bellwire webhook ls` shows it")->required();
  deliveries->add_option("--limit", line.limit, "at most 100")->capture_default_str();
  auto* replay = add(webhook, line, "replay", "send again: an event, a time, or all that was given up",
                     [&line] { return command_webhook_replay(line.replay, line.options); });
  replay->add_option("ID", line.replay.id, "as `bellwire webhook ls` shows it")->required();
  replay->add_option("--event", line.replay.event_id, "event_id of one");
  replay->add_option("--since", line.replay.since, "from then on, such as 2026-03-01T09:30:00Z");
  replay->add_option("--until", line.replay.until, "up to then");
  auto* listen =
      add(webhook, line, "listen", "a receiver on this machine, to try things out; needs no server",
          [&line] { return command_webhook_listen(line.listener, line.options); });
  listen->add_option("--port", line.listener.port, "of 127.0.0.1; 0: any")->capture_default_str();
  listen->add_option("--secret", line.listener.secret, or_variable("check signatures", kSecretVariable));
}

void add_access_commands(CLI::App& app, CommandLine& line) {
  CLI::App& user = *group(app, "user", "users: who administers or supervises");
  add(user, line, "ls", "list them", [&line] { return command_user_list(line.options); });
  auto* add_one = add(user, line, "add", "add one; its password is made and shown once", [&line] {
    return command_user_add(line.user, line.role, line.ask_password, line.options);
  });
  add_one->add_option("--role", line.role, "admin, supervisor or user")->capture_default_str();
  auto* password = add(user, line, "passwd", "give one a new password, made and shown once",
                       [&line] { return command_user_password(line.user, line.ask_password, line.options); });
  for (CLI::App* command : {add_one, password}) {
    command->add_option("NAME", line.user, "of the login")->required();
    command->add_flag("--ask-password", line.ask_password, "read the password from standard input");
  }
  add(user, line, "rm", "remove one", [&line] { return command_user_remove(line.user, line.options); })
      ->add_option("NAME", line.user, "of the login")
      ->required();
  CLI::App& key = *group(app, "key", "API keys: for programs");
  add(key, line, "ls", "list them", [&line] { return command_key_list(line.options); });
  auto* make = add(key, line, "add", "make one; it is shown once",
                   [&line] { return command_key_add(line.key, line.options); });
  make->add_option("NAME", line.key.name, "what it is for")->required();
  make->add_option("--scope", line.key.scopes, "such as calls:read; * is all")->required();
  make->add_option("--role", line.key.role, "supervisor or admin")->capture_default_str();
  make->add_option("--days", line.key.days, "how long it is good; 0: for ever")->capture_default_str();
  add(key, line, "rm", "revoke one", [&line] { return command_key_remove(line.user, line.options); })
      ->add_option("ID", line.user, "as `bellwire key ls` shows it")
      ->required();
  CLI::App& lockout = *group(app, "lockout", "who guessed too many passwords");
  add(lockout, line, "ls", "list them", [&line] { return command_lockout_list(line.options); });
  add(lockout, line, "lift", "let one try again at once",
      [&line] { return command_lockout_lift(line.user, line.options); })
      ->add_option("SUBJECT", line.user, "address, extension or user, as listed")
      ->required();
  add(app, line, "audit", "the last changes and logins", [&line] { return command_audit(line.options); });
}

// In the order in which somebody meets them.
void arrange(CLI::App& app) {
  const auto under = [&app](const char* title, std::initializer_list<const char*> names) {
    for (const char* name : names) app.get_subcommand(name)->group(title);
  };
  under("Run a server", {"demo", "serve", "check", "doctor"});
  under("Ask the running one", {"status", "reload", "backup", "export"});
  under("Phones and calls", {"extension", "phone", "call"});
  under("Hear what happens", {"event", "webhook"});
  under("Who may do what", {"user", "key", "lockout", "audit"});
  app.footer(
      "`bellwire demo` is the place to begin; `bellwire COMMAND --help` tells more of each command.\n");
}

}  // namespace

int run_program(int argc, char** argv) {
  CLI::App app{"Bellwire, a telephone system for an office", "bellwire"};
  explain_well(app);
  app.set_version_flag("--version", api::kVersion, "show which version this is");
  CommandLine line;
  line.options.data = environment(kDataVariable);
  line.webhook.secret = line.listener.secret = environment(kSecretVariable);
  add_running(app, line);
  add_server_commands(app, line);
  add_extension_commands(app, line);
  add_call_commands(app, line);
  add_event_commands(app, line);
  add_webhook_commands(app, line);
  add_access_commands(app, line);
  arrange(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return refuse(app, e, std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
  }
  if (line.chosen) return line.chosen();
  show_help(app);  // nothing, or only a group of commands was named
  return kOk;
}

}  // namespace bw::server
