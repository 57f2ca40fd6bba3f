// Comma separated values (RFC 4180), as a spreadsheet reads them.
#pragma once

#include <string>
#include <string_view>

namespace bw::api {

// One cell after another, then end_row(). Lines end with CR LF.
class Csv {
 public:
  // Quoted where needed. What a spreadsheet would take for a formula (it begins with = + - @, a tab or a
  // carriage return) gets a ' in front: names and numbers come from whoever calls.
  void cell(std::string_view text);
  void cell(long long number);
  void end_row();
  std::string take() && { return std::move(text_); }

 private:
  void separate();
  std::string text_;
  bool in_row_ = false;
};

}  // namespace bw::api
