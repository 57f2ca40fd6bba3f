// Strangers at the port of the browsers: each from a port of its own, none with a session.
#pragma once

#include <cstdint>
#include <vector>

#include "base/address.h"
#include "base/rng.h"
#include "base/time.h"
#include "crowd_member.h"
#include "io/descriptor.h"

namespace bw::load {

class Storm {
 public:
  struct Figures {
    std::size_t strangers = 0;
    std::size_t datagrams = 0;
    std::size_t answers = 0;  // none is deserved
  };

  // What each sends is made now, so that sending is quick. Throws std::system_error.
  Storm(const IpAddress& local, const Endpoint& server, unsigned strangers, Instant now);

  // A few of them; a storm that leaves at once would only overflow a buffer.
  void blow();
  bool is_over() const { return next_ == strangers_.size(); }
  Figures figures() const;

 private:
  struct Stranger {
    io::Descriptor socket;
    std::vector<Bytes> datagrams;
  };
  std::vector<Stranger> strangers_;
  std::size_t next_ = 0;
  std::size_t sent_ = 0;
};

}  // namespace bw::load
