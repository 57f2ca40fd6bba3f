// `bellwire event tail`.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <cstdio>

#include "base/ascii.h"
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
      const bool plain = std::string_view{"*,.-_"}.find(c) != std::string_view::npos || is_alnum(c);
      query += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  };
  add("since", tail.since ? std::to_string(*tail.since) : std::string{});
  add("type", types);
  add("extension", tail.extension);
  return "/api/events" + query;
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
    fmt::print("{}\n", options.json ? std::string{line} : event_in_one_line(line));
    return std::fflush(stdout) == 0;  // who reads us has gone
  });
  if (!answer) return complain(kNotRunning, answer.error());
  if (answer->status == 200) return complain(kNotRunning, reason);
  boost::system::error_code error;
  const json::value refused = json::parse(answer->body, error);
  return complain(kRefused, error ? "the server refused" : field(refused, "error"));
}

}  // namespace bw::server
