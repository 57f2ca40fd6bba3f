#include "access/access.h"

namespace bw::access {

bool Access::is_still(const Principal& p, const model::Directory& directory, Instant now) const {
  if (p.way == Way::kOperator) return true;
  if (p.way == Way::kKey) {
    const auto key = keys_.find(p.session);
    return key != keys_.end() && (!key->second.expires || *key->second.expires > now) &&
           key->second.role == p.role && key->second.scopes == p.scopes;
  }
  const auto it = sessions_.find(p.session);
  if (it == sessions_.end() || it->second.way != p.way) return false;
  const Session& s = it->second;
  if (s.expires <= now || (s.way == Way::kCookie && s.last_seen + limits_.cookie_idle <= now)) return false;
  const std::string mark = mark_of(s.name, s.extension, directory);
  if (mark.empty() || mark != s.mark) return false;
  const auto user = users_.find(s.name);
  return p.role == (s.extension.empty() && user != users_.end() ? user->second.role : Role::kUser);
}

}  // namespace bw::access
