// `bellwire event tail`.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <cstdio>

#include "server/commands.h"
#include "server/control_client.h"
#include "server/program.h"
#include "server/showing.h"

namespace bw::server {
namespace {

namespace json = boost::json;

std::string target_of(const EventTail& tail) {
  std::string types;
  for (const std::string& type : tail.types) types.append(types.empty() ? "" : ",").append(type);
  std::string query;
  const auto add = [&](std::string_view name, std::string_view value) {
    if (value.empty()) return;
    query.append(query.empty() ? "?" : "&").append(name).append("=");
    for (const char c : value) {
      const bool plain = std::string_view{"*,.-_"}.find(c) != std::string_view::npos ||
                         (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      query += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  };
  add("since", tail.since ? std::to_string(*tail.since) : std::string{});
  add("type", types);
  add("extension", tail.extension);
  return "/api/events" + query;
}

// "17  2026-03-01T10:00:00.000Z  call.started  from_extension=1001 to_extension=1002"
std::string in_one_line(std::string_view envelope) {
  boost::system::error_code error;
  const json::value value = json::parse(envelope, error);
  if (error || !value.is_object()) return std::string{envelope};
  std::string line = fmt::format("{}  {}  {:<22}", field(value, "seq"), field(value, "timestamp"),
                                 field(value, "event_type"));
  const json::value* data = value.as_object().if_contains("data");
  if (data == nullptr || !data->is_object()) return line;
  for (const auto& [name, content] : data->as_object()) {
    if (name == "timestamp" || (content.is_string() && content.get_string().empty())) continue;
    line += fmt::format(" {}={}", std::string_view{name.data(), name.size()}, text_of(content));
  }
  return line;
}

std::string reason_in(std::string_view data) {
  boost::system::error_code error;
  const json::value value = json::parse(data, error);
  return error ? std::string{data} : field(value, "reason");
}

}  // namespace

int command_event_tail(const EventTail& tail, const CommandOptions& options) {
  constexpr std::string_view kEvent = "event: ", kData = "data: ";
  bool closing = false;
  std::string reason = "the server has ended";
  const auto answer = follow_server(data_of(options), target_of(tail), [&](std::string_view line) {
    if (line.starts_with(kEvent)) closing = line.substr(kEvent.size()) == "closed";
    if (!line.starts_with(kData)) return true;
    line.remove_prefix(kData.size());
    if (closing) {
      reason = reason_in(line);
      return false;
    }
    fmt::print("{}\n", options.json ? std::string{line} : in_one_line(line));
    return std::fflush(stdout) == 0;  // who reads us has gone
  });
  if (!answer) return complain(kNotRunning, answer.error());
  if (answer->status == 200) return complain(kNotRunning, reason);
  boost::system::error_code error;
  const json::value refused = json::parse(answer->body, error);
  return complain(kRefused, error ? "the server refused" : field(refused, "error"));
}

}  // namespace bw::server
