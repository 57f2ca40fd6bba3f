// Name service as questions and answers. The order of questions is RFC 3263's: sip/resolver.h.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/address.h"
#include "base/strong.h"
#include "base/time.h"

namespace bw::dns {

using QueryId = StrongId<struct QueryTag>;

enum class RecordType : std::uint8_t { kA, kAaaa, kSrv, kNaptr };

struct Question {
  std::string name;
  RecordType type = RecordType::kA;
  friend bool operator==(const Question&, const Question&) = default;
};

struct Srv {  // RFC 2782
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
  std::uint16_t port = 0;
  std::string target;
};
struct Naptr {  // RFC 3403
  std::uint16_t order = 0;
  std::uint16_t preference = 0;
  std::string flags;
  std::string service;
  std::string replacement;
};

struct Answer {  // empty: no such record, or the lookup failed
  std::vector<IpAddress> addresses;
  std::vector<Srv> srv;
  std::vector<Naptr> naptr;
  Duration ttl{0};
};

}  // namespace bw::dns
