// Phones on a network, without a server between them: what World is made of, and where phones are tested
// against each other.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "testkit/ladder.h"
#include "testkit/network.h"
#include "testkit/phone.h"
#include "testkit/quantity.h"
#include "testkit/timeline.h"

namespace bw::testkit {

// Owner of everything on it. Single-threaded; time only goes on inside run_for() and until().
class Stage {
 public:
  explicit Stage(Seed seed);
  virtual ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  VirtualNetwork& network() { return network_; }
  Timeline& time() { return time_; }
  Ladder& tape() { return tape_; }
  Rng& rng() { return rng_; }
  Instant now() const { return time_.now(); }

  void run_for(Duration d);
  // Goes on until `holds` (asked after every event) or the limit; answers whether it holds.
  bool until(const std::function<bool()>& holds, Duration limit = 60s);

  // A phone with an address of its own and nothing configured.
  Phone& bare_phone(std::string_view name, std::string_view number, Habits habits = {});
  const std::vector<std::unique_ptr<Phone>>& all_phones() const { return phones_; }
  Phone* phone_at(IpAddress ip) const;

  void remark(std::string text) { tape_.remark(now(), std::move(text)); }
  // Seed and ladder, for the message of a failed expectation.
  std::string ladder(std::size_t lines = 400) const;

 protected:
  IpAddress next_address();

 private:
  Seed seed_;
  SeededRng rng_;
  Timeline time_;
  Ladder tape_;
  VirtualNetwork network_;
  std::vector<std::unique_ptr<Phone>> phones_;
  std::uint32_t addresses_ = 10;
};

}  // namespace bw::testkit
