// Passwords of users at rest: argon2id (RFC 9106) by libsodium, as the usual text "$argon2id$v=19$m=…".
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/secret.h"

namespace bw::access {

inline constexpr std::size_t kSaltBytes = 16;

// 64 MiB and some 50 to 100 ms: never on a thread that others wait for. Throws std::bad_alloc without the
// memory.
std::string hash_password(const Secret<std::string>& password, std::span<const std::byte, kSaltBytes> salt);
// As slow. False as well for what is no such text.
bool is_password(const std::string& hash, const Secret<std::string>& password);

// Of a password that nobody has: what a name that does not exist is compared with, so that time tells
// nothing.
const std::string& nobodys_hash();

}  // namespace bw::access
