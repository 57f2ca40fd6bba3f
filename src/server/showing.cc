#include "server/showing.h"

#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <cstdio>
#include <iostream>

#include "api/paging.h"
#include "base/control.h"
#include "base/utf8.h"
#include "server/control_client.h"
#include "server/data_directory.h"
#include "server/program.h"

namespace bw::server {
namespace {

namespace json = boost::json;

// Of UTF-8: bytes that go on with a letter are none.
std::size_t letters(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

// Columns as wide as their widest cell.
void print_table(const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const std::string& cell : head) widths.push_back(letters(cell));
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], letters(row[i]));
  }
  const auto print_row = [&](const std::vector<std::string>& row) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i)
      line += row[i] + std::string(widths[i] - letters(row[i]) + 2, ' ');
    line.erase(line.find_last_not_of(' ') + 1);
    fmt::print("{}\n", line);
  };
  print_row(head);
  for (const auto& row : rows) print_row(row);
}

std::string joined(const json::array& list) {
  std::string text;
  for (const json::value& item : list) {
    const bool words = item.is_object();
    text += (text.empty() ? "" : words ? "; " : ", ") + text_of(item);
  }
  return text.empty() ? "-" : text;
}

// Marks that show what follows from right to left, or on a line of its own: U+2028 to U+202E, U+2066 to
// U+2069.
bool turns_the_line(std::string_view text) {
  if (text.size() < 3 || !text.starts_with('\xE2')) return false;
  const auto last = static_cast<unsigned char>(text[2]);
  return (text[1] == '\x80' && last >= 0xA8 && last <= 0xAE) ||
         (text[1] == '\x81' && last >= 0xA6 && last <= 0xA9);
}

}  // namespace

std::filesystem::path data_of(const CommandOptions& options) {
  return options.data.empty() ? default_data_directory() : std::filesystem::path{options.data};
}

int complain(int code, std::string_view sentence) {
  fmt::print(stderr, "bellwire: {}\n", sentence);
  return code;
}

std::string text_of(const json::value& v) {
  if (const auto* s = v.if_string()) return printable({s->data(), s->size()});
  if (v.is_null()) return "-";
  if (const auto* number = v.if_double()) return fmt::format("{}", std::round(*number * 1000) / 1000);
  if (const auto* flag = v.if_bool()) return *flag ? "yes" : "no";
  if (const auto* list = v.if_array()) return joined(*list);
  if (const auto* object = v.if_object()) {
    std::string text;
    for (const auto& [name, content] : *object)
      text += fmt::format("{}{}={}", text.empty() ? "" : " ", std::string_view{name.data(), name.size()},
                          text_of(content));
    return text.empty() ? "-" : text;
  }
  return json::serialize(v);
}

std::string field(const json::value& object, const char* name) {
  const auto* o = object.if_object();
  const json::value* v = o == nullptr ? nullptr : o->if_contains(name);
  return v == nullptr ? "-" : text_of(*v);
}

std::expected<json::value, int> asked(const CommandOptions& options, std::string_view method,
                                      const std::string& target, const json::value& body) {
  const std::string text = body.is_null() ? std::string{} : json::serialize(body);
  const auto answer = ask_server(data_of(options), method, target, text);
  if (!answer) return std::unexpected(complain(kNotRunning, answer.error()));
  boost::system::error_code error;
  json::value value = json::parse(answer->body, error);
  if (error) return std::unexpected(complain(kRefused, "the server's answer is not JSON"));
  if (answer->status < 400) return value;
  if (options.json) fmt::print("{}", answer->body);
  for (const auto& p : value.is_object() && value.as_object().contains("problems")
                           ? value.at("problems").as_array()
                           : json::array{}) {
    complain(kRefused, text_of(p));
  }
  return std::unexpected(options.json ? kRefused : complain(kRefused, field(value, "error")));
}

int ask_and_show(const CommandOptions& options, std::string_view method, const std::string& target,
                 const json::value& body, const Show& show) {
  const auto value = asked(options, method, target, body);
  if (!value) return value.error();
  if (options.json) {
    fmt::print("{}\n", json::serialize(*value));
  } else {
    show(*value);
  }
  return kOk;
}

int ask_and_list(const CommandOptions& options, const std::string& target, const char* key,
                 const Show& show) {
  json::array all;
  std::string cursor;
  for (;;) {
    const auto page = asked(options, "GET",
                            fmt::format("{}?limit={}&cursor={}", target, api::kMostPerPage, cursor), nullptr);
    if (!page) return page.error();
    const json::array& items = page->as_array();
    all.insert(all.end(), items.begin(), items.end());
    if (items.size() < api::kMostPerPage) break;
    const json::value& last = items.back().at(key);
    cursor = api::percent_encoded(last.is_string() ? std::string{last.get_string()} : text_of(last));
  }
  if (options.json) {
    fmt::print("{}\n", json::serialize(all));
  } else {
    show(all);
  }
  return kOk;
}

std::string printable(std::string_view text, std::size_t most) {
  std::string out = without_controls(valid_utf8(text, most));
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (turns_the_line(std::string_view{out}.substr(i))) out.replace(i, 3, "?");
  }
  return out;
}

std::string event_in_one_line(std::string_view envelope) {
  boost::system::error_code error;
  const json::value value = json::parse(envelope, error);
  if (error || !value.is_object()) return printable(envelope);
  std::string line = fmt::format("{:>5}  {}  {:<22}", field(value, "seq"), field(value, "timestamp"),
                                 field(value, "event_type"));
  const json::value* data = value.as_object().if_contains("data");
  if (data == nullptr || !data->is_object()) return printable(line);
  for (const auto& [name, content] : data->as_object()) {
    if (name == "timestamp" || (content.is_string() && content.get_string().empty())) continue;
    line += fmt::format(" {}={}", std::string_view{name.data(), name.size()}, text_of(content));
  }
  return printable(line);
}

Show table(std::vector<std::string> head, std::vector<const char*> fields, std::string none) {
  return
      [head = std::move(head), fields = std::move(fields), none = std::move(none)](const json::value& list) {
        if (list.as_array().empty()) return fmt::print("{}\n", none);
        std::vector<std::vector<std::string>> rows;
        for (const json::value& item : list.as_array()) {
          auto& row = rows.emplace_back();
          for (const char* name : fields) row.push_back(printable(field(item, name)));
        }
        print_table(head, rows);
      };
}

void show_message(const json::value& answer) {
  const json::object& o = answer.as_object();
  if (o.contains("message")) fmt::print("{}\n", field(answer, "message"));
  if (o.contains("password")) fmt::print("password: {}   (shown this once)\n", field(answer, "password"));
}

std::string asked_password() {
  std::string line;
  termios before{};
  const bool typed = ::tcgetattr(STDIN_FILENO, &before) == 0;  // by a person at a terminal
  if (typed) {
    fmt::print(stderr, "password: ");
    termios unseen = before;
    unseen.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &unseen);
  }
  std::getline(std::cin, line);
  if (typed) {
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    fmt::print(stderr, "\n");
  }
  return line;
}

}  // namespace bw::server
