#include "webrtc/ice_agent.h"

#include <algorithm>
#include <array>

namespace bw::webrtc {
namespace {

using stun::Class;
using stun::Type;

// RFC 8489 §6.3.1, and what ICE adds (RFC 8445 §16.1).
constexpr std::array kUnderstood{
    Type::kUsername, Type::kMessageIntegrity, Type::kMessageIntegritySha256, Type::kRealm, Type::kNonce,
    Type::kPriority, Type::kUseCandidate};

std::vector<std::uint8_t> refusal(const stun::Message& request, std::uint16_t code, std::string_view reason) {
  return stun::Writer{Class::kError, request.transaction()}.error(code, reason).fingerprint().take();
}

std::vector<std::uint8_t> signed_refusal(stun::Writer& answer, std::string_view password) {
  return answer.integrity(password).fingerprint().take();
}

}  // namespace

void IceAgent::restart(IceCredentials local) {
  // A second restart before the first was used: the browser still has the oldest ones.
  if (!old_) old_ = std::move(generation_);
  generation_ = {std::move(local), std::nullopt};
}

std::optional<std::string_view> IceAgent::old_ufrag() const {
  if (!old_) return std::nullopt;
  return old_->local.ufrag;
}

// USERNAME is "<ours>:<theirs>" (RFC 8445 §7.2.2). Theirs is only looked at once it is known: a check may
// come before their description does.
const IceAgent::Generation* IceAgent::generation_for(std::string_view username) const {
  const auto colon = username.find(':');
  if (colon == username.npos) return nullptr;
  const auto ours = username.substr(0, colon);
  const auto theirs = username.substr(colon + 1);
  for (const Generation* g : {&generation_, old_ ? &*old_ : nullptr}) {
    if (g != nullptr && g->local.ufrag == ours && (!g->remote || g->remote->ufrag == theirs)) return g;
  }
  return nullptr;
}

// In the order of RFC 8489 §9.1.3 and §6.3, RFC 8445 §7.3.
IceAgent::Answer IceAgent::check(const stun::Message& request, const Path& path, Instant now) {
  const auto username = request.text(Type::kUsername);
  if (!username || !request.has(Type::kMessageIntegrity) || !request.has_fingerprint()) {
    return {refusal(request, 400, "Bad Request")};
  }
  const Generation* g = generation_for(*username);
  if (g == nullptr || !request.is_authentic(g->local.password.reveal())) {
    return {refusal(request, 401, "Unauthenticated")};
  }
  const auto& password = g->local.password.reveal();
  if (const auto unknown = request.not_in(kUnderstood); !unknown.empty()) {
    stun::Writer answer{Class::kError, request.transaction()};
    answer.error(420, "Unknown Attribute").unknown_attributes(unknown);
    return {signed_refusal(answer, password)};
  }
  // A lite agent cannot control, so whatever the tie-breakers say, the other end has to (RFC 8445 §6.1.1).
  if (request.has(Type::kIceControlled)) {
    stun::Writer answer{Class::kError, request.transaction()};
    answer.error(487, "Role Conflict");
    return {signed_refusal(answer, password)};
  }
  // Who copied a check on its way must not become a way by sending it again from elsewhere. A browser sends
  // one again only over the same way (RFC 8445 §7.2.2), which tells nothing new.
  const Seen seen = seen_before(request.transaction(), path);
  if (seen == Seen::kElsewhere) return {refusal(request, 401, "Unauthenticated")};
  Answer answer;
  answer.authentic = true;
  answer.bytes = stun::Writer{Class::kSuccess, request.transaction()}
                     .mapped_address(path.remote)
                     .integrity(password)
                     .fingerprint()
                     .take();
  answer.repeated = seen == Seen::kHere && knows(path);
  if (answer.repeated) return answer;
  last_check_ = now;
  remember(path, now);
  if (request.has(Type::kUseCandidate)) answer.selected = nominate(*g, path, now);
  return answer;
}

// The latest nomination counts: a browser whose network changed nominates the new pair, and one that
// nominates at every check does so on the pair it uses. True: media goes elsewhere than before.
bool IceAgent::nominate(const Generation& by, const Path& path, Instant now) {
  // Nobody can have copied a check with credentials that were not used before.
  const bool fresh = !demands_proof_ || (old_ && &by == &generation_);
  if (&by == &generation_) old_.reset();
  if (nominated_ == path) {
    wished_.reset();
    return false;
  }
  if (!fresh && nominated_ && now - last_check() < kQuiet) {
    wished_ = path;
    return false;
  }
  use(path, !fresh);
  return true;
}

void IceAgent::use(const Path& path, bool blindly) {
  nominated_ = path;
  wished_.reset();
  blind_ = blindly;
}

void IceAgent::demand_proof() {
  if (const Path* way = target()) use(Path{*way}, false);
  demands_proof_ = true;
}

bool IceAgent::prove(const Path& path) {
  const bool is_used = nominated_ == path;
  if (is_used) blind_ = false;
  if (is_used || !(blind_ || wished_ == path)) return false;
  use(path, false);
  return true;
}

// Remembers it, too.
IceAgent::Seen IceAgent::seen_before(const stun::TransactionId& id, const Path& path) {
  const auto seen = std::ranges::find(seen_, id, &Check::id);
  if (seen != seen_.end()) return seen->path == path ? Seen::kHere : Seen::kElsewhere;
  if (seen_.size() < kMostSeen) {
    seen_.push_back({id, path});
  } else {
    seen_[next_seen_] = {id, path};
    next_seen_ = (next_seen_ + 1) % kMostSeen;
  }
  return Seen::kNever;
}

void IceAgent::remember(const Path& path, Instant now) {
  const auto it = std::ranges::find(known_, path, &Known::path);
  if (it != known_.end()) {
    it->last = now;
    return;
  }
  if (known_.size() < kMostPaths) {
    known_.push_back({path, now});
    return;
  }
  // The one that was silent longest makes room, never the one in use.
  auto oldest = known_.end();
  for (auto k = known_.begin(); k != known_.end(); ++k) {
    if (nominated_ == k->path) continue;
    if (oldest == known_.end() || k->last < oldest->last) oldest = k;
  }
  *oldest = {path, now};
}

void IceAgent::forget_stream(std::uint64_t stream) {
  std::erase_if(known_, [stream](const Known& k) { return k.path.stream == stream; });
  if (wished_ && wished_->stream == stream) wished_.reset();
  if (!nominated_ || nominated_->stream != stream) return;
  nominated_.reset();
  doubt();  // target() is a way nobody nominated
}

bool IceAgent::knows(const Path& path) const {
  return (nominated_ && *nominated_ == path) || std::ranges::find(known_, path, &Known::path) != known_.end();
}

const IceAgent::Known* IceAgent::newest() const {
  const auto found = std::ranges::max_element(known_, {}, &Known::last);
  return found == known_.end() ? nullptr : &*found;
}

const Path* IceAgent::target() const {
  if (nominated_) return &*nominated_;
  const Known* way = newest();
  return way == nullptr ? nullptr : &way->path;
}

Instant IceAgent::last_check() const {
  const Path* used = target();
  const auto way = used == nullptr ? known_.end() : std::ranges::find(known_, *used, &Known::path);
  return way == known_.end() ? last_check_ : way->last;
}

void IceAgent::fall_back() {
  const Known* way = newest();
  if (way != nullptr && nominated_ != way->path) use(way->path, demands_proof_);
}

}  // namespace bw::webrtc
