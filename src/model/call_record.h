// One record per call, opened when the call starts and closed exactly once (calls.md §2).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "base/strong.h"
#include "base/time.h"

namespace bw::model {

// Bellwire's own name of a call, one for its whole life, across transfers; UUID text (not a SIP Call-ID).
using CallId = StrongString<struct CallIdTag>;

enum class Disposition : std::uint8_t { kAnswered, kNoAnswer, kBusy, kFailed, kCancelled };
std::string_view name_of(Disposition d);  // "answered", "no_answer", "busy", "failed", "cancelled"

struct LegQuality {
  double mos = 0;  // 0: nothing came
  double loss_percent = 0;
  double jitter_ms = 0;
};

struct LegRecord {
  std::string party;   // extension or number
  std::string device;  // User-Agent or contact
  std::string codec;   // "PCMU/8000"
  bool secured = false;
  double mos = 0;  // 0: unknown
  double loss_percent = 0;
  double jitter_ms = 0;
  std::optional<LegQuality> heard = {};  // of what came to a browser, by its own measure
};

struct CallRecord {
  CallId id;
  std::string from_extension;  // empty if from outside
  std::string to_extension;    // empty if to outside or a service
  Personal<std::string> from_number;
  Personal<std::string> to_number;  // as dialled
  std::string direction = "internal";
  Personal<std::string> caller_name;
  Instant started;
  std::optional<Instant> answered;
  std::optional<Instant> ended;
  Disposition disposition = Disposition::kFailed;
  std::string hangup_by;   // "caller", "callee", "system"
  int cause_code = 0;      // SIP status or Q.850 as received
  std::string reason;      // a plain sentence
  std::string user_agent;  // of the caller
  std::vector<LegRecord> legs;
};

}  // namespace bw::model
