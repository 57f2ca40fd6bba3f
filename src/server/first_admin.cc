#include "server/first_admin.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "access/password_hash.h"
#include "store/access.h"

namespace bw::server {

store::Result<void> make_first_admin(store::Store& store, access::Records& records,
                                     const api::PasswordRules& rules, Rng& rng, Instant now, Log& log) {
  if (!records.users.empty()) return {};
  const Secret<std::string> password = api::generate_password(rng, rules);
  std::array<std::byte, access::kSaltBytes> salt{};
  rng.fill(salt);
  access::User admin{"admin", access::Role::kAdmin, Secret{access::hash_password(password, salt)}, now};
  const access::Change change = access::SaveUser{admin};
  if (auto kept = store::AccessTables{store}.apply(std::span{&change, 1}); !kept) return kept;
  records.users.push_back(std::move(admin));
  if (::isatty(STDOUT_FILENO) == 1) {
    fmt::print("\n  The first login: user admin, password {}   (shown this once)\n\n", password.reveal());
    std::fflush(stdout);
  } else {
    log.info("the user admin has been made; `bellwire user passwd admin` gives it a password");
  }
  return {};
}

}  // namespace bw::server
