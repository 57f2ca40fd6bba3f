// Who a request is from, once that is known.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bw::access {

// Each may what those before it may.
enum class Role : std::uint8_t { kUser, kSupervisor, kAdmin };

constexpr std::string_view name_of(Role role) {
  switch (role) {
    case Role::kUser:
      return "user";
    case Role::kSupervisor:
      return "supervisor";
    case Role::kAdmin:
      return "admin";
  }
  return "user";
}

constexpr std::optional<Role> role_of(std::string_view name) {
  for (const Role role : {Role::kUser, Role::kSupervisor, Role::kAdmin}) {
    if (name_of(role) == name) return role;
  }
  return std::nullopt;
}

// How a request shows who sends it.
enum class Way : std::uint8_t {
  kNobody,    // not at all
  kOperator,  // by opening the control socket: whoever may do that is an admin of this machine
  kCookie,
  kToken,
  kKey,
};

struct Principal {
  Way way = Way::kNobody;
  std::string name;  // of a user, an extension or a key
  Role role = Role::kUser;
  std::string extension;              // whose things a user sees; empty for others
  std::vector<std::string> scopes{};  // of a key: "calls:read"; "*" is every scope
  std::string session{};              // which session or key it is, never the token itself

  bool known() const { return way != Way::kNobody; }
  bool has_scope(std::string_view scope) const {
    if (way != Way::kKey) return true;
    return !scope.empty() && (std::ranges::find(scopes, "*") != scopes.end() ||
                              std::ranges::find(scopes, scope) != scopes.end());
  }
  // Everybody's things, or those of one extension alone; of a user who has none, nothing: what belongs to no
  // extension is not its own either.
  bool sees(std::string_view of_extension) const {
    return role != Role::kUser || (!extension.empty() && extension == of_extension);
  }

  static Principal from_operator() {
    Principal p;
    p.way = Way::kOperator;
    p.name = "operator";
    p.role = Role::kAdmin;
    return p;
  }
};

}  // namespace bw::access
