// The one user that a new database begins with.
#pragma once

#include "access/records.h"
#include "api/password.h"
#include "base/rng.h"
#include "server/log.h"
#include "store/store.h"

namespace bw::server {

// If there is no user yet: makes "admin" and prints its password to the terminal, this once; only its hash is
// kept. Without a terminal (a service manager would keep the output) nobody learns it: the log says how to
// set one. Throws std::bad_alloc without the memory for a hash.
store::Result<void> make_first_admin(store::Store& store, access::Records& records,
                                     const api::PasswordRules& rules, Rng& rng, Instant now, Log& log);

}  // namespace bw::server
