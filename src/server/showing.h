// How commands ask a running server and print what it says.
#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <expected>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "server/commands.h"

namespace bw::server {

std::filesystem::path data_of(const CommandOptions& options);
int complain(int code, std::string_view sentence);
std::string text_of(const boost::json::value& v);  // printable()
std::string field(const boost::json::value& object, const char* name);

// What others wrote, fit for a terminal: controls become '?', and it ends somewhere.
std::string printable(std::string_view text, std::size_t most = 16'384);
// "   17  2026-03-01T10:00:00.000Z  call.started  from_extension=1001 to_extension=1002"
std::string event_in_one_line(std::string_view envelope);

// The answer, or the exit code of a refusal that has been told.
std::expected<boost::json::value, int> asked(const CommandOptions& options, std::string_view method,
                                             const std::string& target, const boost::json::value& body);

using Show = std::function<void(const boost::json::value&)>;

// Asks, prints the answer (raw with --json, else by `show`), and turns a refusal into a sentence and an exit
// code.
int ask_and_show(const CommandOptions& options, std::string_view method, const std::string& target,
                 const boost::json::value& body, const Show& show);
// The same for a list, all its pages; `key` is the field that the next page begins after.
int ask_and_list(const CommandOptions& options, const std::string& target, const char* key, const Show& show);

// `none` is said in place of a table without rows.
Show table(std::vector<std::string> head, std::vector<const char*> fields, std::string none);
void show_message(const boost::json::value& answer);
// A line of standard input; a terminal is asked for it and does not show it.
std::string asked_password();

}  // namespace bw::server
