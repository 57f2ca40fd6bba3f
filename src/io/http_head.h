// The head of an HTTP/1.1 request (RFC 9112), watched while it arrives: where it ends, and the shapes that
// two readers could understand differently. Those are refused before anything parses them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace bw::io {

// One per request.
class HeadWatch {
 public:
  enum class State : std::uint8_t { kMore, kWhole, kRefused };

  explicit HeadWatch(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  // `received`: everything since the end of the last request; each call sees at least what the last one saw.
  // Nothing is looked at twice.
  State look(std::string_view received);

  std::size_t begin() const { return begin_; }  // behind empty lines (§2.2)
  std::size_t size() const { return size_; }    // kWhole: bytes from begin(), the empty line included
  // kRefused:
  int status() const { return status_; }  // 400, 431, 501 or 505
  std::string_view sentence() const { return sentence_; }

 private:
  State refuse(int status, std::string_view sentence);
  bool take_line(std::string_view line);
  bool take_field(std::string_view name, std::string_view value);
  bool check_whole();

  std::size_t most_bytes_;
  std::size_t begin_ = 0;
  std::size_t line_begin_ = 0;
  std::size_t looked_ = 0;
  std::size_t size_ = 0;
  std::size_t lines_ = 0;
  unsigned lengths_ = 0, encodings_ = 0, hosts_ = 0;
  bool version_10_ = false;
  State state_ = State::kMore;
  int status_ = 0;
  std::string_view sentence_;
};

}  // namespace bw::io
