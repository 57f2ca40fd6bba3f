// What is kept of logins, as plain values; none holds a password or a token, only what recognises them.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "access/principal.h"
#include "base/secret.h"
#include "base/time.h"

namespace bw::access {

struct User {
  std::string name;
  Role role = Role::kUser;
  Secret<std::string> password_hash;  // argon2id
  Instant created;
};

struct ApiKey {
  std::string id;    // shown, also after it was made
  std::string name;  // what it is for
  Role role = Role::kUser;
  std::vector<std::string> scopes;
  std::string digest;
  std::string created_by;
  Instant created;
  std::optional<Instant> expires;
};

// Someone who logged in: by cookie, or with a token.
struct Session {
  std::string digest;
  Way way = Way::kToken;
  std::string name;       // of the user or extension
  std::string extension;  // empty for users
  // Recognises the password it was opened with: another password ends the session.
  std::string mark;
  Instant created;
  Instant expires;
  Instant last_seen;  // not stored: a start counts as a visit
};

struct AuditEntry {
  std::uint64_t number = 0;  // given by the database, growing
  Instant at;
  std::string who;
  std::string way;     // "cookie", "token", "key", "operator", "none"
  std::string from;    // address; empty for the operators' socket
  std::string action;  // the operation: "addExtension"
  std::string target;  // path, or the name somebody tried to log in with
  int status = 0;
  std::string before;  // JSON, or empty
  std::string after;
};

struct SaveUser {
  User user;
};
struct DropUser {
  std::string name;
};
struct SaveKey {
  ApiKey key;
};
struct DropKey {
  std::string id;
};
struct SaveSession {
  Session session;
};
struct DropSession {
  std::string digest;
};
struct AddAudit {
  AuditEntry entry;
};
using Change = std::variant<SaveUser, DropUser, SaveKey, DropKey, SaveSession, DropSession, AddAudit>;

// What a start finds in the database.
struct Records {
  std::vector<User> users;
  std::vector<ApiKey> keys;
  std::vector<Session> sessions;
};

}  // namespace bw::access
