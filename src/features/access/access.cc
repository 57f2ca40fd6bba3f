#include "access/access.h"

#include <algorithm>
#include <array>

#include "access/credentials.h"
#include "access/password_hash.h"
#include "base/core.h"

namespace bw::access {
namespace {

// One customer usually has a whole /64.
std::string subject_of(const IpAddress& address) {
  if (address.is_v4()) return address.to_string();
  std::array<std::uint8_t, 16> bytes = address.bytes();
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  return IpAddress::v6(bytes).to_string() + "/64";
}

bool is_number(std::string_view name) {
  return !name.empty() && name.find_first_not_of("0123456789") == std::string_view::npos;
}

// As long as those of somebody; no password has them.
const model::Credentials& nobodys_credentials() {
  static const model::Credentials kNobody{Secret{std::string(32, '-')}, Secret{std::string(64, '-')}};
  return kNobody;
}

std::string bucket_of(const Principal& p) {
  return p.way == Way::kKey ? "key:" + p.session : "name:" + p.name;
}

}  // namespace

Access::Access(Limits limits)
    : limits_(limits),
      attempts_of_address_(limits.attempt_entries),
      attempts_of_name_(limits.attempt_entries),
      buckets_of_address_(limits.rate_of_address, limits.buckets),
      buckets_of_principal_(limits.rate_of_principal, limits.buckets) {}

void Access::restore(Records&& records, Instant now) {
  for (User& u : records.users) users_.insert_or_assign(u.name, std::move(u));
  for (ApiKey& k : records.keys) {
    key_digests_.insert_or_assign(k.digest, k.id);
    keys_.insert_or_assign(k.id, std::move(k));
  }
  for (Session& s : records.sessions) {
    if (s.expires <= now) continue;
    s.last_seen = now;
    sessions_.insert_or_assign(s.digest, std::move(s));
  }
}

Principal Access::who(const Shown& shown, const model::Directory& directory, Instant now) {
  // What is shown explicitly counts before what a browser adds by itself.
  for (const auto& token :
       {bearer_of(shown.authorization),
        shown.api_key.empty() ? std::optional<std::string_view>{} : std::optional{shown.api_key}}) {
    if (!token) continue;
    if (token->starts_with("bwk_")) return of_key(*token, now).value_or(Principal{});
    return of_session(*token, Way::kToken, directory, now).value_or(Principal{});
  }
  if (!shown.authorization.empty()) return {};
  if (const auto cookie = cookie_of(shown.cookie, kCookieName))
    return of_session(*cookie, Way::kCookie, directory, now).value_or(Principal{});
  return {};
}

std::optional<Principal> Access::of_session(std::string_view token, Way way,
                                            const model::Directory& directory, Instant now) {
  const auto it = sessions_.find(digest_of(token));
  if (it == sessions_.end() || it->second.way != way) return std::nullopt;
  Session& s = it->second;
  const bool idle = way == Way::kCookie && s.last_seen + limits_.cookie_idle <= now;
  const std::string mark = mark_of(s.name, s.extension, directory);
  if (s.expires <= now || idle || mark.empty() || mark != s.mark) {
    sessions_.erase(it);  // its row goes with the next start, which restores nothing that has expired
    return std::nullopt;
  }
  s.last_seen = now;
  const auto user = users_.find(s.name);
  return Principal{.way = way,
                   .name = s.name,
                   .role = s.extension.empty() && user != users_.end() ? user->second.role : Role::kUser,
                   .extension = s.extension,
                   .session = s.digest};
}

std::optional<Principal> Access::of_key(std::string_view token, Instant now) const {
  const auto id = key_digests_.find(digest_of(token));
  if (id == key_digests_.end()) return std::nullopt;
  const ApiKey& k = keys_.at(id->second);
  if (k.expires && *k.expires <= now) return std::nullopt;
  return Principal{.way = Way::kKey, .name = k.name, .role = k.role, .scopes = k.scopes, .session = k.id};
}

// Users have names that no extension has: digits alone are extensions.
std::string Access::mark_of(const std::string& name, const std::string& extension,
                            const model::Directory& directory) const {
  if (!extension.empty()) {
    const model::Extension* e = directory.find(extension);
    return e == nullptr ? std::string{} : digest_of(e->credentials.ha1_sha256.reveal());
  }
  const auto user = users_.find(name);
  return user == users_.end() ? std::string{} : digest_of(user->second.password_hash.reveal());
}

std::optional<Duration> Access::too_many(const IpAddress& from, const Principal& principal, Instant now) {
  if (auto wait = buckets_of_address_.take(subject_of(from), now)) return wait;
  if (!principal.known()) return std::nullopt;
  return buckets_of_principal_.take(bucket_of(principal), now);
}

Access::Allowance Access::allowance(const IpAddress& from, const Principal& principal, Instant now) const {
  const Buckets& buckets = principal.known() ? buckets_of_principal_ : buckets_of_address_;
  const std::string sender = principal.known() ? bucket_of(principal) : subject_of(from);
  return {buckets.burst(), buckets.left(sender, now), buckets.full_in(sender, now)};
}

Access::Attempt Access::begin_login(const std::string& name, const IpAddress& from, Instant now) {
  Attempt attempt{.name = name, .address = subject_of(from), .at = now};
  const bool trusted =
      std::ranges::any_of(settings_.trusted_networks, [&](const Network& n) { return n.contains(from); });
  attempt.counts_for_address = !trusted;
  if (!trusted) attempt.locked = attempts_of_address_.locked_for(attempt.address, now);
  if (!attempt.locked) attempt.locked = attempts_of_name_.locked_for(name, now);
  if (attempt.locked) return attempt;
  std::size_t& under_way = looked_at_[attempt.address];
  attempt.crowded = under_way >= (trusted ? limits_.looked_at_of_proxy : limits_.looked_at_of_address);
  if (attempt.crowded) return attempt;
  ++under_way;
  if (!trusted && attempts_of_address_.begin(attempt.address, settings_.rate_limit, now))
    attempt.began.push_back({"address", attempt.address});
  if (attempts_of_name_.begin(name, settings_.rate_limit, now)) attempt.began.push_back({"user", name});
  return attempt;
}

void Access::looked_at(const Attempt& attempt) {
  const auto it = looked_at_.find(attempt.address);
  if (it != looked_at_.end() && --it->second == 0) looked_at_.erase(it);
}

void Access::login_failed(const Attempt& attempt) {
  looked_at(attempt);
}

void Access::login_unjudged(const Attempt& attempt) {
  looked_at(attempt);
  attempts_of_name_.give_back(attempt.name, settings_.rate_limit, attempt.at);
  if (attempt.counts_for_address)
    attempts_of_address_.give_back(attempt.address, settings_.rate_limit, attempt.at);
}

// Whoever has one password must not thereby try any number of others: of the address only this attempt is
// forgotten.
void Access::login_succeeded(const Attempt& attempt) {
  login_unjudged(attempt);
  attempts_of_name_.succeeded(attempt.name);
}

std::vector<Access::InForce> Access::lockouts(Instant now) const {
  std::vector<InForce> all;
  for (auto& l : attempts_of_address_.locked(now))
    all.push_back({{"address", std::move(l.subject)}, l.attempts, l.until});
  for (auto& l : attempts_of_name_.locked(now))
    all.push_back({{"user", std::move(l.subject)}, l.attempts, l.until});
  return all;
}

bool Access::lift(const std::string& subject, Instant now) {
  const auto address = IpAddress::parse(subject);
  const std::string source = address ? subject_of(*address) : subject;
  const bool from_address =
      attempts_of_address_.locked_for(source, now) && attempts_of_address_.succeeded(source);
  const bool from_name = attempts_of_name_.locked_for(subject, now) && attempts_of_name_.succeeded(subject);
  return from_address || from_name;
}

// Numbers are only looked for among extensions, and no extension is anything but a number, so the way a name
// goes says nothing about whether somebody has it.
Claim Access::claim_of(const std::string& name, const model::Directory& directory) const {
  if (is_number(name)) {
    const model::Extension* e = directory.find(name);
    return {{}, e == nullptr ? nobodys_credentials() : e->credentials};
  }
  const auto user = users_.find(name);
  return {user == users_.end() ? nobodys_hash() : user->second.password_hash.reveal(), std::nullopt};
}

std::optional<Access::Opened> Access::open(const std::string& name, Way way,
                                           const model::Directory& directory, Rng& rng, Instant now) {
  const auto user = users_.find(name);
  const std::string extension = user == users_.end() ? name : std::string{};
  Session s;
  s.mark = mark_of(name, extension, directory);
  if (s.mark.empty()) return std::nullopt;
  Opened opened;
  opened.token = make_token(way == Way::kCookie ? "bwc_" : "bwt_", rng);
  s.digest = digest_of(opened.token.reveal());
  s.way = way;
  s.name = name;
  s.extension = extension;
  s.created = s.last_seen = now;
  s.expires = opened.expires = now + (way == Way::kCookie ? limits_.cookie_lifetime : limits_.token_lifetime);
  make_room(name, opened.changes);
  opened.principal = {.way = way,
                      .name = name,
                      .role = user == users_.end() ? Role::kUser : user->second.role,
                      .extension = extension,
                      .session = s.digest};
  opened.changes.emplace_back(SaveSession{std::move(s)});
  return opened;
}

void Access::make_room(const std::string& name, std::vector<Change>& changes) {
  const auto quietest = [&](auto&& counts) {
    auto found = sessions_.end();
    std::size_t count = 0;
    for (auto it = sessions_.begin(); it != sessions_.end(); ++it) {
      if (!counts(it->second)) continue;
      ++count;
      if (found == sessions_.end() || it->second.last_seen < found->second.last_seen) found = it;
    }
    return std::pair{found, count};
  };
  const auto [own, of_one] = quietest([&](const Session& s) { return s.name == name; });
  if (of_one >= limits_.sessions_of_one) return end(std::string(own->first), changes);
  if (sessions_.size() < limits_.sessions) return;
  end(std::string(quietest([](const Session&) { return true; }).first->first), changes);
}

void Access::end(const std::string& digest, std::vector<Change>& changes) {
  sessions_.erase(digest);
  changes.emplace_back(DropSession{digest});
}

std::vector<Change> Access::close(const Principal& principal) {
  std::vector<Change> changes;
  if (principal.way == Way::kCookie || principal.way == Way::kToken) end(principal.session, changes);
  return changes;
}

bool Access::is_last_admin(const std::string& name) const {
  const auto user = users_.find(name);
  return user != users_.end() && user->second.role == Role::kAdmin &&
         std::ranges::none_of(users_, [&](const auto& u) {
           const auto change = leaving_.find(u.first);
           const bool leaves = change != leaving_.end() && change->second;
           return u.first != name && u.second.role == Role::kAdmin && !leaves;
         });
}

void Access::begin(std::span<const Change> changes) {
  for (const Change& change : changes) {
    if (const auto* save = std::get_if<SaveUser>(&change))
      leaving_[save->user.name] = save->user.role != Role::kAdmin;
    if (const auto* drop = std::get_if<DropUser>(&change)) leaving_[drop->name] = true;
  }
}

void Access::give_up(std::span<const Change> changes) {
  for (const Change& change : changes) {
    if (const auto* save = std::get_if<SaveUser>(&change)) leaving_.erase(save->user.name);
    if (const auto* drop = std::get_if<DropUser>(&change)) leaving_.erase(drop->name);
  }
}

void Access::apply(std::span<const Change> changes) {
  give_up(changes);  // nothing is under way any more
  for (const Change& change : changes) {
    std::visit(Overloaded{
                   [&](const SaveUser& c) { users_.insert_or_assign(c.user.name, c.user); },
                   [&](const DropUser& c) { users_.erase(c.name); },
                   [&](const SaveKey& c) {
                     key_digests_.insert_or_assign(c.key.digest, c.key.id);
                     keys_.insert_or_assign(c.key.id, c.key);
                   },
                   [&](const DropKey& c) {
                     if (const auto it = keys_.find(c.id); it != keys_.end()) {
                       key_digests_.erase(it->second.digest);
                       keys_.erase(it);
                     }
                   },
                   [&](const SaveSession& c) { sessions_.insert_or_assign(c.session.digest, c.session); },
                   [&](const DropSession& c) { sessions_.erase(c.digest); },
                   [](const AddAudit&) {},
               },
               change);
  }
}

}  // namespace bw::access
