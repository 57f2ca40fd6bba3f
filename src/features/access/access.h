// Who may come in: users, keys, sessions, and how often somebody may try. State in memory; what has to
// outlive the run is handed out as changes for the database.
//
// Owner: the front thread. Decides; hashing passwords and storing is done by whoever asks it.
#pragma once

#include <expected>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "access/attempts.h"
#include "access/buckets.h"
#include "access/records.h"
#include "access/repeats.h"
#include "base/address.h"
#include "base/rng.h"
#include "model/directory.h"
#include "model/settings.h"

namespace bw::access {

struct Limits {
  std::size_t users = 1'000;
  std::size_t keys = 1'000;
  std::size_t sessions = 20'000;         // beyond: the one unused for longest ends
  std::size_t sessions_of_one = 50;      // of one user or extension, likewise
  std::size_t attempt_entries = 20'000;  // per kind of subject
  std::size_t buckets = 20'000;
  Rate rate_of_address{200, 2'000};  // offices share one address
  Rate rate_of_principal{100, 1'000};
  Duration cookie_idle = 30min;
  Duration cookie_lifetime = 12h;
  Duration token_lifetime = 12h;
  // Passwords being looked at: hashes cost the one thread for them 0.1 s each, and it has 64 places.
  std::size_t looked_at_of_address = 4;
  std::size_t looked_at_of_proxy = 32;  // of an address of the trusted networks
};

struct Settings {
  model::RateLimit rate_limit;
  std::vector<Network> trusted_networks;  // their addresses are not locked out: a proxy is one of them
  std::vector<std::string> origins;       // api.cors_origins
};

// What a request shows.
struct Shown {
  std::string_view cookie;  // headers
  std::string_view authorization;
  std::string_view api_key;
};

// What a password has to be compared with; of a name nobody has it looks the same. Which of the two it is
// can be seen from the name alone: extensions are numbers, users are not.
struct Claim {
  std::string hash;                               // argon2id, of a user
  std::optional<model::Credentials> credentials;  // of an extension
};

class Access {
 public:
  explicit Access(Limits limits = {});

  void restore(Records&& records, Instant now);
  void configure(Settings settings) { settings_ = std::move(settings); }
  const Settings& settings() const { return settings_; }

  // ---- requests ----
  Principal who(const Shown& shown, const model::Directory& directory, Instant now);
  // What who() once said of somebody who has stayed since. No visit: staying alone keeps no session awake.
  bool is_still(const Principal& principal, const model::Directory& directory, Instant now) const;
  std::optional<Duration> too_many(const IpAddress& from, const Principal& principal, Instant now);
  struct Allowance {
    std::uint32_t limit = 0;
    std::uint32_t left = 0;
    Duration full_in{0};
  };
  Allowance allowance(const IpAddress& from, const Principal& principal, Instant now) const;
  Repeats& repeats() { return repeats_; }

  // ---- logging in ----
  struct Lockout {
    std::string kind;  // "address", "user"
    std::string subject;
  };
  struct Attempt {
    std::optional<Duration> locked;  // it is not looked at
    bool crowded = false;            // nor now: too many of this address are; it does not count
    std::vector<Lockout> began;      // to be told if it turns out to be wrong
    std::string name;
    std::string address;
    bool counts_for_address = false;
    Instant at;
  };
  // What is neither locked nor crowded has to end by one of the three below.
  Attempt begin_login(const std::string& name, const IpAddress& from, Instant now);
  void login_succeeded(
      const Attempt& attempt);  // forgets the failures of the name; those of the address stay
  void login_failed(const Attempt& attempt);
  void login_unjudged(const Attempt& attempt);  // nobody looked at the password: it does not count
  struct InForce {
    Lockout lockout;
    std::uint32_t attempts = 0;
    Instant until;
  };
  std::vector<InForce> lockouts(Instant now) const;
  // By its subject, or an address that it covers. False: there is none.
  bool lift(const std::string& subject, Instant now);
  Claim claim_of(const std::string& name, const model::Directory& directory) const;
  struct Opened {
    Secret<std::string> token;
    Principal principal;
    Instant expires;
    std::vector<Change> changes;
  };
  // The name has proved its password; none: it is gone meanwhile.
  std::optional<Opened> open(const std::string& name, Way way, const model::Directory& directory, Rng& rng,
                             Instant now);
  std::vector<Change> close(const Principal& principal);

  // ---- users and keys; changes take effect when apply() says they are stored ----
  const std::map<std::string, User>& users() const { return users_; }
  const std::map<std::string, ApiKey>& keys() const { return keys_; }
  bool room_for_user() const { return users_.size() < limits_.users; }
  bool room_for_key() const { return keys_.size() < limits_.keys; }
  // Without those whom a change under way takes away: two admins cannot remove each other at once.
  bool is_last_admin(const std::string& name) const;
  // A change of this user is on its way to the database; another one has to wait for its end.
  bool is_changing(const std::string& name) const { return leaving_.contains(name); }
  void begin(std::span<const Change> changes);
  void give_up(std::span<const Change> changes);  // they could not be stored
  void apply(std::span<const Change> changes);

 private:
  std::string mark_of(const std::string& name, const std::string& extension,
                      const model::Directory& directory) const;
  std::optional<Principal> of_session(std::string_view token, Way way, const model::Directory& directory,
                                      Instant now);
  std::optional<Principal> of_key(std::string_view token, Instant now) const;
  void looked_at(const Attempt& attempt);
  void make_room(const std::string& name, std::vector<Change>& changes);
  void end(const std::string& digest, std::vector<Change>& changes);

  Limits limits_;
  Settings settings_;
  std::map<std::string, User> users_;
  std::map<std::string, bool> leaving_;  // users whose change is under way; true: no admin after it
  std::map<std::string, ApiKey> keys_;   // by id
  std::unordered_map<std::string, std::string> key_digests_;  // digest → id
  std::unordered_map<std::string, Session> sessions_;         // by digest
  Attempts attempts_of_address_;
  Attempts attempts_of_name_;
  std::unordered_map<std::string, std::size_t> looked_at_;  // passwords, by address
  Buckets buckets_of_address_;
  Buckets buckets_of_principal_;
  Repeats repeats_;
};

}  // namespace bw::access
