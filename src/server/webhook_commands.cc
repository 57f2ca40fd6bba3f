#include "server/webhook_commands.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <optional>

#include "api/paging.h"
#include "server/program.h"
#include "server/showing.h"

namespace bw::server {
namespace {

namespace json = boost::json;

std::string path_of(const std::string& id, std::string_view what = {}) {
  return fmt::format("/api/webhooks/{}{}", api::percent_encoded(id), what);
}

json::array texts(const std::vector<std::string>& items) {
  json::array list;
  for (const std::string& item : items) list.emplace_back(item);
  return list;
}

std::string without_blanks(std::string_view text) {
  const auto begin = text.find_first_not_of(' ');
  if (begin == text.npos) return {};
  return std::string{text.substr(begin, text.find_last_not_of(' ') - begin + 1)};
}

constexpr const char* kHeaderUsage = "a header is written as 'Name: value'";

std::optional<json::object> headers_of(const std::vector<std::string>& lines) {
  json::object headers;
  for (const std::string& line : lines) {
    const auto colon = line.find(':');
    if (colon == line.npos || colon == 0) return std::nullopt;
    headers[line.substr(0, colon)] = without_blanks(std::string_view{line}.substr(colon + 1));
  }
  return headers;
}

bool warned(const json::value& answer) {
  if (!answer.as_object().contains("warning")) return false;
  complain(kOk, "warning: " + field(answer, "warning"));
  return true;
}

// What was posted and what came back, as on the wire.
void show_test(const json::value& answer) {
  const json::value& request = answer.at("request");
  const json::value& delivery = answer.at("delivery");
  fmt::print("POST {}\n", field(request, "url"));
  for (const json::value& header : request.at("headers").as_array()) fmt::print("{}\n", text_of(header));
  fmt::print("\n{}\n\n", printable(field(request, "body")));
  const json::value& said = delivery.at("response");
  std::string response = said.is_string() ? std::string{said.get_string()} : text_of(said);
  response.erase(response.find_last_not_of("\r\n\t ") + 1);
  fmt::print("answer: {} after {} ms  {}\n", field(delivery, "status"), field(delivery, "latency_ms"),
             printable(response));
}

}  // namespace

int command_webhook_list(const CommandOptions& options) {
  return ask_and_show(options, "GET", "/api/webhooks", nullptr,
                      table({"ID", "STATE", "PENDING", "DEAD", "SENT", "FAILED", "EVENTS", "URL", "REASON"},
                            {"id", "state", "pending", "dead_letters", "success_count", "failure_count",
                             "events", "url", "reason"},
                            "There are no webhooks; `bellwire webhook add URL` makes one."));
}

int command_webhook_add(const NewWebhook& webhook, const CommandOptions& options) {
  json::object body{{"url", webhook.url}};
  if (!webhook.events.empty()) body["events"] = texts(webhook.events);
  if (!webhook.extensions.empty()) body["extensions"] = texts(webhook.extensions);
  if (!webhook.secret.empty()) body["secret"] = webhook.secret;
  auto headers = headers_of(webhook.headers);
  if (!headers) return complain(kBadUsage, kHeaderUsage);
  if (!headers->empty()) body["headers"] = std::move(*headers);
  return ask_and_show(options, "POST", "/api/webhooks", body, [](const json::value& answer) {
    const std::string id = field(answer.at("subscription"), "id");
    fmt::print("id: {}\n", id);
    if (!warned(answer)) fmt::print("`bellwire webhook test {}` tries it.\n", id);
  });
}

int command_webhook_change(const ChangedWebhook& webhook, const CommandOptions& options) {
  json::object body;
  if (!webhook.url.empty()) body["url"] = webhook.url;
  if (!webhook.events.empty()) body["events"] = texts(webhook.events);
  if (!webhook.extensions.empty() || webhook.all_extensions) body["extensions"] = texts(webhook.extensions);
  auto headers = headers_of(webhook.headers);
  if (!headers) return complain(kBadUsage, kHeaderUsage);
  if (!headers->empty() || webhook.no_headers) body["headers"] = std::move(*headers);
  if (webhook.enable || webhook.disable) body["enabled"] = webhook.enable;
  if (body.empty()) return complain(kBadUsage, "nothing to change; see bellwire webhook change --help");
  return ask_and_show(options, "PUT", path_of(webhook.id), body, [](const json::value& answer) {
    fmt::print("{} state: {}\n", field(answer, "message"), field(answer.at("subscription"), "state"));
    warned(answer);
  });
}

int command_webhook_rotate(const std::string& id, const std::string& secret, const CommandOptions& options) {
  json::object body;
  if (!secret.empty()) body["secret"] = secret;
  return ask_and_show(options, "POST", path_of(id, "/rotate-secret"), body, [](const json::value& answer) {
    fmt::print("{}\n", field(answer, "message"));
    if (answer.as_object().contains("secret")) fmt::print("secret: {}\n", field(answer, "secret"));
  });
}

int command_webhook_remove(const std::string& id_or_url, const CommandOptions& options) {
  const bool is_url = id_or_url.find("://") != id_or_url.npos;
  return ask_and_show(
      options, "DELETE", is_url ? "/api/webhooks?url=" + api::percent_encoded(id_or_url) : path_of(id_or_url),
      nullptr, [](const json::value& answer) {
        const std::string count = field(answer, "count");
        fmt::print("{}{}\n", field(answer, "message"), count == "1" ? "" : " (" + count + ")");
      });
}

int command_webhook_test(const std::string& id, const CommandOptions& options) {
  const auto answer = asked(options, "POST", path_of(id, "/test"), nullptr);
  if (!answer) return answer.error();
  if (options.json) {
    fmt::print("{}\n", json::serialize(*answer));
  } else {
    show_test(*answer);
  }
  if (answer->at("success").as_bool()) return kOk;
  return complain(kRefused, printable(field(*answer, "message")));
}

int command_webhook_deliveries(const std::string& id, std::uint32_t limit, const CommandOptions& options) {
  return ask_and_show(
      options, "GET", path_of(id, fmt::format("/deliveries?limit={}", limit)), nullptr,
      table({"AT", "SEQ", "EVENT", "EVENT ID", "ATTEMPT", "STATUS", "MS", "ERROR"},
            {"timestamp", "seq", "event_type", "event_id", "attempt", "status", "latency_ms", "error"},
            "Nothing was posted yet."));
}

int command_webhook_replay(const WebhookReplay& replay, const CommandOptions& options) {
  json::object body;
  if (!replay.event_id.empty()) body["event_id"] = replay.event_id;
  if (!replay.since.empty()) body["since"] = replay.since;
  if (!replay.until.empty()) body["until"] = replay.until;
  return ask_and_show(options, "POST", path_of(replay.id, "/replay"), body, [](const json::value& answer) {
    const std::string count = field(answer, "count");
    if (count == "0") return fmt::print("There is nothing to send again.\n");
    fmt::print("{} event{} sent again.\n", count, count == "1" ? " is" : "s are");
  });
}

}  // namespace bw::server
