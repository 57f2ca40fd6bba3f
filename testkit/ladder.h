// What was said on the wire, printed as a ladder when a story fails.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/time.h"

namespace bw::testkit {

enum class Fate : std::uint8_t { kDelivered, kLost, kDuplicated };

class Ladder {
 public:
  explicit Ladder(Instant start) : start_(start) {}

  void name(IpAddress ip, std::string name);
  void message(Instant at, IpAddress from, IpAddress to, std::shared_ptr<const std::string> bytes, Fate fate);
  // What somebody does or finds, between the messages: "bob answers", "the server crashes".
  void remark(Instant at, std::string text);

  // One line per message, oldest first; at most the last `lines`.
  std::string print(std::size_t lines = 400) const;
  // The last message whose text begins with `start` and was sent by that host, or null: for replays.
  std::shared_ptr<const std::string> last(std::string_view start, IpAddress from) const;
  // How many messages beginning so were sent from one host to the other (lost ones too).
  std::size_t count(std::string_view start, IpAddress from, IpAddress to) const;
  // All bytes of the story, for tests that search them.
  std::vector<std::string_view> messages() const;

 private:
  struct Entry {
    Instant at;
    IpAddress from;
    IpAddress to;
    std::shared_ptr<const std::string> bytes;  // null: a remark
    std::string remark;
    Fate fate = Fate::kDelivered;
  };
  static constexpr std::size_t kKept = 20'000;

  std::string column_line(const Entry& e) const;

  Instant start_;
  std::vector<IpAddress> columns_;
  std::map<IpAddress, std::string> names_;
  std::deque<Entry> entries_;
};

}  // namespace bw::testkit
