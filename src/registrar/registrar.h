// Where the phones of each extension are: bindings, their expiry and their flows (RFC 3261 §10.3, RFC 3327,
// RFC 5626, RFC 5627). Assumptions and what is out of scope: docs/protocols/registration.md.
//
// Owner: the exchange, one per process, one thread. Every change is handed out as a ChangeSet, in order:
// whoever applies them all to the restored bindings has the same bindings.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "base/core.h"
#include "base/rng.h"
#include "model/binding.h"
#include "model/settings.h"
#include "sip/flow.h"
#include "sip/message.h"

namespace bw::registrar {

struct RegistrarLimits {
  std::size_t contacts_per_request = 32;
  std::size_t contact_bytes = 512;  // the URI alone
  std::size_t instance_bytes = 128;
  std::size_t call_id_bytes = 256;
  std::size_t path_entries = 8;
  std::size_t path_bytes = 1'024;      // all entries together
  std::size_t user_agent_bytes = 128;  // longer ones are cut
  std::size_t bindings = 1'000'000;
};

class Registrar {
 public:
  Registrar(Rng& rng, model::SettingsSnapshot settings, RegistrarLimits limits = {});
  ~Registrar();
  Registrar(Registrar&&) noexcept;
  Registrar& operator=(Registrar&&) noexcept;

  void configure(model::SettingsSnapshot settings);

  struct Result {
    sip::Message response;
    model::ChangeSet changes;
  };
  // `request`: a REGISTER whose sender the Authenticator accepted as `authenticated`. All or nothing.
  Result process(const sip::Message& request, const sip::Flow& flow,
                 const model::ExtensionNumber& authenticated, Instant now);

  // At start, from the database. Connections of the earlier process are gone: Binding.flow.connection is
  // cleared. What has expired meanwhile comes back as removals with the next expire().
  void restore(std::vector<model::Binding> bindings, Instant now);
  // Call when deadline() has come.
  model::ChangeSet expire(Instant now);
  Deadline deadline() const;
  // Contacts of that connection are not called any more, and removed after settings.connection_grace unless
  // the phone registers again meanwhile. Gives changes only if the grace is zero.
  model::ChangeSet connection_lost(sip::ConnectionId connection, Instant now);
  // All of the extension: it is gone, or has another password than those who registered.
  model::ChangeSet drop(std::string_view extension, std::string_view why);

  // ---- looking up; pointers are good until the next change ----
  // What a call to the extension rings: not expired, connection alive (or not needed), highest q first and
  // among equals the last registered first.
  std::vector<const model::Binding*> contacts(std::string_view extension, Instant now) const;
  // RFC 5627: `user` and the value of the gr parameter of a Request-URI. Public: user is the extension, `gr`
  // the instance (percent escapes already decoded). Temporary: user starts with "tgruu.", `gr` empty.
  const model::Binding* by_gruu(std::string_view user, std::string_view gr, Instant now) const;
  // For the API: every binding not expired, also those waiting for a reconnect; of one extension, or all
  // if empty.
  std::vector<const model::Binding*> bindings(std::string_view extension, Instant now) const;

  std::size_t extension_count() const;  // with at least one binding
  std::size_t binding_count() const;
  // Asserts that indexes, timers and limits agree; for tests. True so that it can stand in an EXPECT.
  bool check_invariants() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bw::registrar
