// `bellwire webhook …`: commands about webhooks, and a receiver for those who write one. Each prints and
// answers an ExitCode.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/commands.h"

namespace bw::server {

struct NewWebhook {
  std::string url;
  std::vector<std::string> events;
  std::vector<std::string> extensions;
  std::vector<std::string> headers;  // "Name: value"
  std::string secret;                // empty: unsigned
};

struct ChangedWebhook {  // what is not given stays
  std::string id;
  std::string url;
  std::vector<std::string> events;
  std::vector<std::string> extensions;
  bool all_extensions = false;
  std::vector<std::string> headers;  // "Name: value"; replace those there are
  bool no_headers = false;
  bool enable = false;
  bool disable = false;
};

struct WebhookReplay {  // of one event, of a time, or of all dead letters
  std::string id;
  std::string event_id;
  std::string since;
  std::string until;
};

struct WebhookListener {
  std::uint16_t port = 9'000;  // of 127.0.0.1; 0: one that is free
  std::string secret;          // empty: signatures are not looked at
};

int command_webhook_list(const CommandOptions& options);
int command_webhook_add(const NewWebhook& webhook, const CommandOptions& options);
int command_webhook_change(const ChangedWebhook& webhook, const CommandOptions& options);
// A new secret; an empty one: one is made, and shown this once.
int command_webhook_rotate(const std::string& id, const std::string& secret, const CommandOptions& options);
// By id, or all with that URL.
int command_webhook_remove(const std::string& id_or_url, const CommandOptions& options);
int command_webhook_test(const std::string& id, const CommandOptions& options);
int command_webhook_deliveries(const std::string& id, std::uint32_t limit, const CommandOptions& options);
int command_webhook_replay(const WebhookReplay& replay, const CommandOptions& options);

// Needs no server. Until SIGINT, SIGTERM or SIGHUP, or until nobody reads standard output.
int command_webhook_listen(const WebhookListener& listener, const CommandOptions& options);

}  // namespace bw::server
