// What two ends of a browser's media connection tell each other in their descriptions (RFC 8839, RFC 8122,
// RFC 8842).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/secret.h"

namespace bw::webrtc {

struct IceCredentials {          // RFC 8839 §5.4
  std::string ufrag;             // 4 to 256 characters
  Secret<std::string> password;  // 22 to 256 characters
  friend bool operator==(const IceCredentials&, const IceCredentials&) = default;
};

// Those whose collisions nobody can make; md5 and sha-1 of RFC 8122 §5 are not believed.
enum class HashFunction : std::uint8_t { kSha256, kSha384, kSha512 };

struct Fingerprint {  // RFC 8122 §5
  HashFunction hash = HashFunction::kSha256;
  std::string digest;  // raw bytes, as many as the hash has
  friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

// Who says ClientHello: a=setup:passive is the server (RFC 5763 §5).
enum class DtlsRole : std::uint8_t { kServer, kClient };

// How packets of a connection travel: TCP with the framing of RFC 4571.
enum class Protocol : std::uint8_t { kUdp, kTcp };

// What the other end said of itself.
struct RemoteParameters {
  IceCredentials ice;
  std::vector<Fingerprint> fingerprints;  // its certificate must fit one of them
  DtlsRole our_role = DtlsRole::kServer;
};

}  // namespace bw::webrtc
