// What is said to people in words: recordings.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/time.h"

namespace bw::model {

// G.722 at 64 kbit/s without a header, as Debian's asterisk-core-sounds-en-g722 has it (ITU-T G.722: any
// bytes are some sound). Immutable; shared by all who hear it.
class Prompt {
 public:
  static constexpr std::size_t kMostBytes = std::size_t{60} * 8'000;  // a minute

  explicit Prompt(std::vector<std::uint8_t> g722) : g722_(std::move(g722)) {}
  std::span<const std::uint8_t> g722() const { return g722_; }
  Duration duration() const { return std::chrono::microseconds{125} * g722_.size(); }

 private:
  std::vector<std::uint8_t> g722_;
};

// What a caller hears instead of a tone when a call was refused. Null: not recorded, so a tone.
struct Prompts {
  std::shared_ptr<const Prompt> no_such_number;
  std::shared_ptr<const Prompt> nobody_there;
  std::shared_ptr<const Prompt> no_way;  // the network, or this server, cannot
};

}  // namespace bw::model
