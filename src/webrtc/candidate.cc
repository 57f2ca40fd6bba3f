#include "webrtc/candidate.h"

#include <algorithm>
#include <charconv>

namespace bw::webrtc {
namespace {

constexpr std::size_t kLongestFoundation = 32;
constexpr std::size_t kLongestAddress = 253;
constexpr std::size_t kLongestWord = 16;

class Words {
 public:
  explicit Words(std::string_view text) : rest_(text) {}

  std::string_view next() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(' '), rest_.size()));
    const std::string_view word = rest_.substr(0, rest_.find(' '));
    rest_.remove_prefix(word.size());
    return word;
  }
  template <typename T>
  bool number(T& into) {
    const std::string_view word = next();
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), into);
    return error == std::errc{} && end == word.data() + word.size() && !word.empty();
  }
  bool text(std::string& into, std::size_t longest) {
    const std::string_view word = next();
    into = word;
    return !word.empty() && word.size() <= longest &&
           std::ranges::all_of(word, [](char c) { return c > ' ' && c < '\x7f'; });
  }

 private:
  std::string_view rest_;
};

}  // namespace

std::optional<Candidate> Candidate::parse(std::string_view text) {
  for (const std::string_view start : {"a=", "candidate:"}) {
    if (text.starts_with(start)) text.remove_prefix(start.size());
  }
  Candidate c;
  Words words{text};
  if (!words.text(c.foundation, kLongestFoundation) || !words.number(c.component) ||
      !words.text(c.transport, kLongestWord) || !words.number(c.priority) ||
      !words.text(c.address, kLongestAddress) || !words.number(c.port) || words.next() != "typ" ||
      !words.text(c.type, kLongestWord))
    return std::nullopt;
  if (c.component == 0 || c.component > 256) return std::nullopt;
  for (std::string_view name = words.next(); !name.empty(); name = words.next()) {
    const std::string_view value = words.next();
    if (name == "tcptype" && value.size() <= kLongestWord) c.tcp_type = value;
  }
  return c;
}

std::string Candidate::to_string() const {
  std::string text = "candidate:" + foundation + ' ' + std::to_string(component) + ' ' + transport + ' ' +
                     std::to_string(priority) + ' ' + address + ' ' + std::to_string(port) + " typ " + type;
  if (!tcp_type.empty()) text += " tcptype " + tcp_type;
  return text;
}

}  // namespace bw::webrtc
