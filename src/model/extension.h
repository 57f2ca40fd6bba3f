// An extension: a person's (or a desk's) number, its credentials and wishes. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/secret.h"
#include "base/strong.h"
#include "base/time.h"

namespace bw::model {

using ExtensionNumber = StrongString<struct ExtensionNumberTag>;  // 2-10 digits

// Digest credentials, never the password (RFC 2617 §3.2.2.2, RFC 7616 §3.4.2): hex of H(user:realm:password).
struct Credentials {
  Secret<std::string> ha1_md5;
  Secret<std::string> ha1_sha256;
  friend bool operator==(const Credentials&, const Credentials&) = default;
};

struct Forwarding {  // calls.md §3; empty target = off
  std::string always;
  std::string busy;
  std::string no_answer;
  std::string unreachable;
  friend bool operator==(const Forwarding&, const Forwarding&) = default;
};

struct Extension {
  ExtensionNumber number;
  Personal<std::string> name;
  Personal<std::string> email;
  Credentials credentials;
  bool allow_external = false;
  bool do_not_disturb = false;
  bool record = false;
  std::uint32_t ring_seconds = 30;
  Forwarding forward;
  std::vector<std::string> groups;
  friend bool operator==(const Extension&, const Extension&) = default;
};

}  // namespace bw::model
