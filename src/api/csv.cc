#include "api/csv.h"

#include "base/control.h"

namespace bw::api {

void Csv::separate() {
  if (in_row_) text_ += ',';
  in_row_ = true;
}

void Csv::cell(std::string_view text) {
  separate();
  const bool formula = !text.empty() && std::string_view{"=+-@\t\r"}.find(text[0]) != std::string_view::npos;
  // Programs that separate at semicolons or tabs must not find a formula behind one.
  const bool quoted = text.find_first_of("\",;\t\r\n") != std::string_view::npos;
  if (quoted) text_ += '"';
  if (formula) text_ += '\'';
  while (!text.empty()) {
    const char c = text.front();
    if (c == '"') text_ += '"';
    // RFC 4180 knows no other controls, and terminals obey them.
    const bool allowed = c == '\t' || c == '\r' || c == '\n';
    const std::size_t control = allowed ? 0 : control_at_front(text);
    text_ += control != 0 ? '?' : c;
    text.remove_prefix(control != 0 ? control : 1);
  }
  if (quoted) text_ += '"';
}

void Csv::cell(long long number) {
  separate();
  text_ += std::to_string(number);
}

void Csv::end_row() {
  text_ += "\r\n";
  in_row_ = false;
}

}  // namespace bw::api
