#include "api/csv.h"

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
  for (const char c : text) {
    if (c == '"') text_ += '"';
    // RFC 4180 knows no other controls, and terminals obey them.
    const auto byte = static_cast<unsigned char>(c);
    const bool control = (byte < 0x20 && c != '\t' && c != '\r' && c != '\n') || byte == 0x7F;
    text_ += control ? '?' : c;
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
