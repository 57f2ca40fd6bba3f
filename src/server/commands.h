// The commands that ask a running server, and those that read its files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bw::server {

struct CommandOptions {
  std::string config;
  std::string data;
  bool json = false;
};

// Each prints and answers an ExitCode.
int command_check(const std::string& file, const CommandOptions& options);
int command_status(const CommandOptions& options);
int command_reload(const CommandOptions& options);
int command_export(const CommandOptions& options);
int command_backup(const std::string& file, const CommandOptions& options);

int command_extension_list(const CommandOptions& options);
struct NewExtension {
  std::string number;
  std::string name;
  std::string email;
  bool allow_external = false;
  bool ask_password = false;  // read it from standard input instead of having one made
};
int command_extension_add(const NewExtension& extension, const CommandOptions& options);
// What is not given stays.
struct ChangedExtension {
  std::string number;
  std::optional<std::string> name, email;
  std::optional<std::uint32_t> ring_seconds;
  std::optional<std::string> always, busy, no_answer, unreachable;  // forwards; empty: off
  bool do_not_disturb = false;
  bool disturb = false;
};
int command_extension_change(const ChangedExtension& extension, const CommandOptions& options);
int command_extension_show(const std::string& number, const CommandOptions& options);
int command_extension_remove(const std::string& number, const CommandOptions& options);
int command_extension_password(const std::string& number, bool ask_password, const CommandOptions& options);

int command_phone_list(const CommandOptions& options);
int command_call_list(const CommandOptions& options);
int command_call_start(const std::string& from, const std::string& to, const CommandOptions& options);
int command_call_show(const std::string& call_id, const CommandOptions& options);
// What a phone could ask for in its call: "hold", "resume".
int command_call_act(const std::string& what, const std::string& call_id, const std::string& extension,
                     const CommandOptions& options);
int command_call_transfer(const std::string& call_id, const std::string& extension, const std::string& to,
                          const CommandOptions& options);
int command_call_hang_up(const std::string& call_id, const CommandOptions& options);

int command_user_list(const CommandOptions& options);
int command_user_add(const std::string& name, const std::string& role, bool ask_password,
                     const CommandOptions& options);
int command_user_remove(const std::string& name, const CommandOptions& options);
int command_user_password(const std::string& name, bool ask_password, const CommandOptions& options);
struct NewKey {
  std::string name;
  std::string role = "supervisor";
  std::vector<std::string> scopes;
  std::uint32_t days = 0;  // 0: for ever
};
int command_key_list(const CommandOptions& options);
int command_key_add(const NewKey& key, const CommandOptions& options);
int command_key_remove(const std::string& id, const CommandOptions& options);
int command_audit(const CommandOptions& options);
int command_lockout_list(const CommandOptions& options);
int command_lockout_lift(const std::string& subject, const CommandOptions& options);

struct EventTail {
  std::optional<std::uint64_t> since;  // the last number already known
  std::vector<std::string> types;
  std::string extension;
};
// Until the server ends.
int command_event_tail(const EventTail& tail, const CommandOptions& options);

int command_doctor(const CommandOptions& options);

}  // namespace bw::server
