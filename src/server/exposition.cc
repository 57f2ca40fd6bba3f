#include "server/exposition.h"

#include <fmt/format.h>

#include <iterator>

namespace bw::server {

void Exposition::family(std::string_view name, std::string_view help, std::string_view type) {
  name_ = name;
  fmt::format_to(std::back_inserter(text_), "# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
}

void Exposition::sample(double value, Labels labels) {
  text_ += name_;
  char open = '{';
  for (const auto& [name, text] : labels) {
    fmt::format_to(std::back_inserter(text_), "{}{}=\"", open, name);
    for (const char c : text) {
      if (c == '\\' || c == '"') text_ += '\\';
      if (c == '\n') {
        text_ += "\\n";
      } else {
        text_ += c;
      }
    }
    text_ += '"';
    open = ',';
  }
  if (open == ',') text_ += '}';
  fmt::format_to(std::back_inserter(text_), " {}\n", value);
}

}  // namespace bw::server
