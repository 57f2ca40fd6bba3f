// Who is asking: digest authentication of requests from extensions (RFC 3261 §22, RFC 7616, RFC 8760), and
// what happens to those who guess. Rules and reasons: docs/decisions/020-lockouts.md.
//
// Owner: the exchange, one per process, one thread. Keeps state only for those who once authenticated or
// failed with a nonce that was really sent to their address; a request without credentials leaves nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/core.h"
#include "base/rng.h"
#include "model/binding.h"
#include "model/directory.h"
#include "model/settings.h"
#include "sip/flow.h"
#include "sip/message.h"

namespace bw::registrar {

struct AuthenticatorLimits {
  std::size_t nonces = 100'000;  // that authenticated and are still fresh; beyond: the oldest go stale
  std::size_t attempt_entries =
      50'000;                         // per table of failed attempts; beyond: the longest quiet is forgotten
  std::size_t known_pairs = 500'000;  // (extension, address) that authenticated
  Duration known_for = 24h;           // how long such a pair counts as known
  Duration longest_delay = 4s;        // of an answer to a trusted network that guesses
};

// The request is from this extension, whatever its From and To say.
struct Accepted {
  model::ExtensionNumber extension;
};
// Answer 401 with these WWW-Authenticate values in this order, after `delay`.
struct Challenge {
  std::vector<std::string> www_authenticate;
  bool stale = false;
  Duration delay{0};
  // An attempt was counted: a repetition of the same request must not be another. Without it nothing shows
  // that the request came from where it says.
  bool counted = false;
};
// Locked out: no answer at all.
struct Ignored {};
using Verdict = std::variant<Accepted, Challenge, Ignored>;

// A lockout began: for the security log and the audit table.
struct Lockout {
  enum class Kind : std::uint8_t { kAddress, kExtension };
  Kind kind = Kind::kAddress;
  std::string subject;  // the address (an IPv6 one as its /64) or the user name that was tried
  std::uint32_t attempts = 0;
  Instant until;
};

class Authenticator {
 public:
  Authenticator(Rng& rng, model::SettingsSnapshot settings, AuthenticatorLimits limits = {});
  ~Authenticator();
  Authenticator(Authenticator&&) noexcept;
  Authenticator& operator=(Authenticator&&) noexcept;

  void configure(model::SettingsSnapshot settings);
  // At start: phones that were registered are known at the addresses they came from.
  void restore(std::span<const model::Binding> bindings, Instant now);

  Verdict verify(const sip::Message& request, const sip::Flow& flow, const model::Directory& directory,
                 Instant now);

  // Forgets what is over. Nothing goes wrong when this is late: it only gives memory back.
  void expire(Instant now);
  Deadline deadline() const;

  std::vector<Lockout> take_lockouts();
  // Those that are not over; the newest thousand at most.
  std::vector<Lockout> lockouts(Instant now);
  // By its subject, or an address that it covers. False: there is none.
  bool lift(std::string_view subject, Instant now);

  struct Counts {
    std::uint64_t accepted = 0;
    std::uint64_t challenged = 0;  // all challenges, also the delayed
    std::uint64_t failed = 0;      // wrong password, unknown user, replay
    std::uint64_t ignored = 0;
    std::uint64_t hashes = 0;  // digest hashes computed
    std::size_t nonces = 0;    // remembered now
    std::size_t attempt_entries = 0;
    std::size_t known_pairs = 0;
  };
  Counts counts() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bw::registrar
