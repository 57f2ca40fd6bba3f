#include "registrar/authenticator.h"

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <utility>

#include "registrar/detail/attempts.h"
#include "registrar/detail/keyed_hash.h"
#include "registrar/detail/lru_table.h"
#include "registrar/detail/nonce.h"
#include "sip/auth_header.h"
#include "sip/digest.h"
#include "sip/grammar.h"
#include "sip/host.h"
#include "sip/name_addr.h"
#include "sip/uri.h"

namespace bw::registrar {

using model::DigestAlgorithm;
using sip::Credentials;
using sip::DigestHash;
using sip::HeaderName;

namespace {

constexpr Duration kSweepEvery = 30s;
constexpr Duration kFirstDelay = 500ms;
// Lockouts nobody took yet, beyond which they happen but are not told; and those in force that can be named.
constexpr std::size_t kMaxUntold = 1000;
constexpr std::size_t kSubjectLength = 64;  // of a user name that is told in a Lockout

DigestHash hash_of(DigestAlgorithm algorithm) {
  switch (algorithm) {
    case DigestAlgorithm::kMd5:
      return DigestHash::kMd5;
    case DigestAlgorithm::kSha256:
      return DigestHash::kSha256;
  }
  return DigestHash::kMd5;
}

// The user a request without credentials speaks of. Believed only in so far as it gets a challenge.
std::string claimed_user(const sip::Message& request) {
  const bool registers = request.method() == sip::Method::kRegister;
  const auto value = request.get(registers ? HeaderName::kTo : HeaderName::kFrom);
  const auto uri = value ? sip::Uri::parse(sip::uri_of(*value)) : std::nullopt;
  return uri && uri->is_sip() ? uri->decoded_user() : std::string{};
}

// RFC 7616 §3.4.6, RFC 3261 §22.4: the credentials must be for this request and no other. Phones write the
// uri as they first knew it, so its parameters, its port and the case of the host do not count; and some
// (sipp among them) name the server alone, whatever user they call.
bool is_for(std::string_view uri_text, std::string_view request_uri) {
  if (uri_text == request_uri) return true;
  const auto uri = sip::Uri::parse(uri_text);
  const auto target = sip::Uri::parse(request_uri);
  if (!uri || !target || uri->scheme != target->scheme || uri->scheme == sip::Scheme::kOther) return false;
  return (uri->user.empty() || uri->user == target->user) && sip::same_host(uri->host, target->host);
}

// Refused before anything is hashed: what this server never offered, or what no client that works would send.
std::optional<DigestHash> usable_hash(const Credentials& credentials, const sip::Message& request,
                                      const model::Settings& settings) {
  if (credentials.qop != "auth" || credentials.cnonce.empty()) return std::nullopt;
  if (credentials.nonce_count().value_or(0) == 0) return std::nullopt;
  if (!is_for(credentials.uri, request.request_uri())) return std::nullopt;
  for (const DigestAlgorithm offered : settings.digest_algorithms) {
    const std::string_view token = sip::algorithm_token(hash_of(offered));
    const bool named = sip::iequals(credentials.algorithm, token);
    if (named || (credentials.algorithm.empty() && offered == DigestAlgorithm::kMd5)) return hash_of(offered);
  }
  return std::nullopt;
}

std::optional<Credentials> credentials_of(const sip::Message& request) {
  for (std::size_t i = 0; i < request.header_count(); ++i) {
    const sip::Message::Header header = request.header(i);
    if (header.id != HeaderName::kAuthorization) continue;
    auto credentials = Credentials::parse(header.value);
    if (credentials && credentials->realm == model::kRealm) return credentials;
  }
  return std::nullopt;
}

std::string_view ha1_of(const model::Extension* extension, DigestHash hash) {
  if (extension == nullptr) return {};
  switch (hash) {
    case DigestHash::kMd5:
      return extension->credentials.ha1_md5.reveal();
    case DigestHash::kSha256:
      return extension->credentials.ha1_sha256.reveal();
  }
  return {};
}

std::string name_of_source(const IpAddress& source) {
  return source.to_string() + (source.is_v6() ? "/64" : "");
}

std::string random_hex(Rng& rng, std::size_t bytes) {
  std::array<std::uint8_t, sip::HexDigest::kMaxBytes> raw{};
  rng.fill(std::as_writable_bytes(std::span{raw}));
  return std::string{sip::HexDigest{std::span{raw}.first(bytes)}.view()};
}

}  // namespace

struct Authenticator::Impl {
  Impl(Rng& rng, model::SettingsSnapshot s, AuthenticatorLimits l)
      : settings(std::move(s)),
        limits(l),
        mint(rng),
        subject_hash(rng),
        nonces(l.nonces),
        by_source(l.attempt_entries),
        by_user(l.attempt_entries),
        by_pair(l.attempt_entries),
        known(l.known_pairs),
        no_md5(random_hex(rng, 16)),
        no_sha256(random_hex(rng, 32)) {}

  // Who asks, in the three ways failures are counted.
  struct Asker {
    IpAddress source;
    bool trusted = false;
    std::string user;
    std::uint64_t source_key = 0;
    std::uint64_t user_key = 0;
    std::uint64_t pair_key = 0;
    bool known = false;
  };

  Asker asker(const sip::Flow& flow) const;
  void name(Asker& asker, std::string_view user, Instant now);
  bool is_locked_out(const Asker& asker, Instant now);
  Verdict judge(const sip::Message& request, const Credentials& credentials, const Asker& asker,
                const model::Directory& directory, Instant now);
  bool is_right(const sip::Message& request, const Credentials& credentials, DigestHash hash,
                const model::Extension* extension);
  Verdict failed(const Asker& asker, Instant now);
  Duration delay_after(const Attempts::Entry& entry) const;
  Challenge challenge(const Asker& asker, bool stale, Instant now, Duration delay = {});
  void remember(const Asker& asker, Instant now);
  void plan_sweep(Instant now) {
    if (next_sweep == Instant::far_future()) next_sweep = now + kSweepEvery;
  }

  model::SettingsSnapshot settings;
  AuthenticatorLimits limits;
  NonceMint mint;
  KeyedHash subject_hash;
  NonceCounts nonces;
  Attempts by_source, by_user, by_pair;
  LruTable<Instant> known;  // pairs, with their last success
  // What unknown users are checked against, so that they cost what known ones cost. Nobody knows a password
  // to these, and equality with them is not believed anyway.
  std::string no_md5, no_sha256;
  sip::DigestComputer digest;
  std::vector<Lockout> lockouts;
  struct InForce {
    Lockout lockout;
    std::uint64_t key = 0;
  };
  std::deque<InForce> in_force;  // oldest first
  void lock_began(Lockout lockout, std::uint64_t key);
  Instant next_sweep = Instant::far_future();
  Counts counts;
};

Authenticator::Authenticator(Rng& rng, model::SettingsSnapshot settings, AuthenticatorLimits limits)
    : impl_(std::make_unique<Impl>(rng, std::move(settings), limits)) {}
Authenticator::~Authenticator() = default;
Authenticator::Authenticator(Authenticator&&) noexcept = default;
Authenticator& Authenticator::operator=(Authenticator&&) noexcept = default;

void Authenticator::configure(model::SettingsSnapshot settings) {
  impl_->settings = std::move(settings);
}

void Authenticator::restore(std::span<const model::Binding> bindings, Instant now) {
  for (const model::Binding& binding : bindings) {
    Impl::Asker asker = impl_->asker(binding.flow);
    impl_->name(asker, binding.extension.view(), now);
    impl_->remember(asker, now);
  }
}

Authenticator::Impl::Asker Authenticator::Impl::asker(const sip::Flow& flow) const {
  Asker out;
  out.source = source_of(flow.remote.ip);
  out.trusted = std::ranges::any_of(settings->trusted_networks,
                                    [&](const Network& network) { return network.contains(flow.remote.ip); });
  const auto bytes = bytes_of(out.source);
  out.source_key = subject_hash({bytes.data(), bytes.size()});
  return out;
}

void Authenticator::Impl::name(Asker& asker, std::string_view user, Instant now) {
  asker.user = user;
  asker.user_key = subject_hash(user);
  const std::array<std::uint64_t, 2> both{asker.source_key, asker.user_key};
  asker.pair_key = subject_hash({reinterpret_cast<const char*>(both.data()), sizeof both});
  const Instant* last = known.find(asker.pair_key);
  // A pair that itself fails too often is a stranger again until its lock is over.
  asker.known = last != nullptr && *last + limits.known_for > now && !by_pair.is_locked(asker.pair_key, now);
}

bool Authenticator::Impl::is_locked_out(const Asker& asker, Instant now) {
  if (asker.trusted || asker.known) return false;
  return by_source.is_locked(asker.source_key, now) || by_user.is_locked(asker.user_key, now);
}

Verdict Authenticator::verify(const sip::Message& request, const sip::Flow& flow,
                              const model::Directory& directory, Instant now) {
  Impl& self = *impl_;
  if (!self.settings->require_authentication) {
    const model::Extension* extension = directory.find(claimed_user(request));
    if (extension != nullptr) return Accepted{extension->number};
  }
  Impl::Asker asker = self.asker(flow);
  const auto credentials = credentials_of(request);
  if (!credentials) {
    // Whom it claims to be matters only when its source is locked: a known phone there still gets its nonce.
    if (!asker.trusted && self.by_source.is_locked(asker.source_key, now)) {
      self.name(asker, claimed_user(request), now);
      if (!asker.known) {
        ++self.counts.ignored;
        return Ignored{};
      }
    }
    return self.challenge(asker, false, now);
  }
  self.name(asker, credentials->username, now);
  if (self.is_locked_out(asker, now)) {
    ++self.counts.ignored;
    return Ignored{};
  }
  return self.judge(request, *credentials, asker, directory, now);
}

Verdict Authenticator::Impl::judge(const sip::Message& request, const Credentials& credentials,
                                   const Asker& asker, const model::Directory& directory, Instant now) {
  const auto hash = usable_hash(credentials, request, *settings);
  if (!hash) return challenge(asker, false, now);
  const auto nonce = mint.recognise(credentials.nonce, asker.source);
  // Never sent there by this process: perhaps of the time before a restart, perhaps a guess or a forged
  // source. Nothing is hashed, counted or told but that a fresh nonce is needed.
  if (!nonce) return challenge(asker, true, now);
  if (asker.trusted && !asker.known) {
    const Instant not_before = by_user.not_before(asker.user_key);
    if (now < not_before) return challenge(asker, true, now, not_before - now);
  }
  const model::Extension* extension = directory.find(credentials.username);
  if (!is_right(request, credentials, *hash, extension)) return failed(asker, now);
  if (nonces.is_forgotten(*nonce) || nonce->issued + settings->nonce_lifetime <= now) {
    return challenge(asker, true, now);
  }
  // RFC 7616 §3.4: a count that was used is a replay, which is told no more than a wrong password.
  if (!nonces.use(*nonce, *credentials.nonce_count())) return failed(asker, now);
  remember(asker, now);
  ++counts.accepted;
  return Accepted{extension->number};
}

// The same hashes over texts of the same lengths, whoever is asked for.
bool Authenticator::Impl::is_right(const sip::Message& request, const Credentials& credentials,
                                   DigestHash hash, const model::Extension* extension) {
  const std::string_view stored = ha1_of(extension, hash);
  const std::string_view dummy = hash == DigestHash::kMd5 ? no_md5 : no_sha256;
  const sip::DigestInput input{.method = request.method_name(),
                               .uri = credentials.uri,
                               .nonce = credentials.nonce,
                               .nc = credentials.nc,
                               .cnonce = credentials.cnonce,
                               .qop = credentials.qop};
  const sip::HexDigest expected = digest.response(hash, stored.empty() ? dummy : stored, input);
  const bool equal = sip::equal_in_constant_time(expected.view(), credentials.response);
  return equal && !stored.empty();
}

Verdict Authenticator::Impl::failed(const Asker& asker, Instant now) {
  ++counts.failed;
  plan_sweep(now);
  const model::RateLimit& limit = settings->rate_limit;
  const Attempts::Failure source = by_source.fail(asker.source_key, limit, now);
  const Attempts::Failure user = by_user.fail(asker.user_key, limit, now);
  if (asker.known) by_pair.fail(asker.pair_key, limit, now);
  if (source.lock_began && !asker.trusted) {
    lock_began({Lockout::Kind::kAddress, name_of_source(asker.source), source.entry.failures,
                source.entry.locked_until},
               asker.source_key);
  }
  if (user.lock_began) {
    lock_began({Lockout::Kind::kExtension, asker.user.substr(0, kSubjectLength), user.entry.failures,
                user.entry.locked_until},
               asker.user_key);
  }
  Duration delay{0};
  if (asker.trusted) delay = std::max(delay_after(source.entry), delay_after(user.entry));
  if (delay > Duration{0}) user.entry.not_before = now + delay;
  Challenge answer = challenge(asker, false, now, delay);
  answer.counted = true;
  return answer;
}

void Authenticator::Impl::lock_began(Lockout lockout, std::uint64_t key) {
  if (lockouts.size() < kMaxUntold) lockouts.push_back(lockout);
  if (in_force.size() >= kMaxUntold) in_force.pop_front();
  in_force.push_back({std::move(lockout), key});
}

// 0.5 s, 1 s, 2 s … from the failure on that would lock out a stranger.
Duration Authenticator::Impl::delay_after(const Attempts::Entry& entry) const {
  if (entry.failures < settings->rate_limit.max_attempts) return Duration{0};
  const std::uint32_t excess = entry.failures - settings->rate_limit.max_attempts;
  return std::min(kFirstDelay * (1 << std::min(excess, 10U)), limits.longest_delay);
}

Challenge Authenticator::Impl::challenge(const Asker& asker, bool stale, Instant now, Duration delay) {
  ++counts.challenged;
  const std::string nonce = mint.issue(asker.source, now);
  Challenge out{.www_authenticate = {}, .stale = stale, .delay = delay, .counted = false};
  out.www_authenticate.reserve(settings->digest_algorithms.size());
  for (const DigestAlgorithm algorithm : settings->digest_algorithms) {
    sip::Challenge value;
    value.realm = model::kRealm;
    value.nonce = nonce;
    value.algorithm = sip::algorithm_token(hash_of(algorithm));
    value.qop = "auth";
    if (stale) value.stale = "true";
    out.www_authenticate.push_back(value.to_string());
  }
  return out;
}

void Authenticator::Impl::remember(const Asker& asker, Instant now) {
  known.touch(asker.pair_key) = now;
  plan_sweep(now);
}

void Authenticator::expire(Instant now) {
  Impl& self = *impl_;
  if (now < self.next_sweep) return;
  self.nonces.forget(now - self.settings->nonce_lifetime);
  self.by_source.expire(now);
  self.by_user.expire(now);
  self.by_pair.expire(now);
  self.known.drop_while([&](Instant last) { return last + self.limits.known_for <= now; });
  const Counts left = counts();
  const bool empty = left.nonces + left.attempt_entries + left.known_pairs == 0;
  self.next_sweep = empty ? Instant::far_future() : now + kSweepEvery;
}

Deadline Authenticator::deadline() const {
  if (impl_->next_sweep == Instant::far_future()) return Deadline::never();
  return {impl_->next_sweep, "old nonces and failed attempts are forgotten"};
}

std::vector<Lockout> Authenticator::take_lockouts() {
  return std::exchange(impl_->lockouts, {});
}

std::vector<Lockout> Authenticator::lockouts(Instant now) {
  std::erase_if(impl_->in_force, [now](const Impl::InForce& f) { return f.lockout.until <= now; });
  std::vector<Lockout> out;
  for (const auto& f : impl_->in_force) out.push_back(f.lockout);
  return out;
}

bool Authenticator::lift(std::string_view subject, Instant now) {
  lockouts(now);
  const auto address = IpAddress::parse(subject);
  const std::string covering = address ? name_of_source(source_of(*address)) : std::string(subject);
  return std::erase_if(impl_->in_force, [&](const Impl::InForce& f) {
           if (f.lockout.subject != subject && f.lockout.subject != covering) return false;
           (f.lockout.kind == Lockout::Kind::kAddress ? impl_->by_source : impl_->by_user).forget(f.key);
           return true;
         }) > 0;
}

Authenticator::Counts Authenticator::counts() const {
  Counts out = impl_->counts;
  out.hashes = impl_->digest.operations();
  out.nonces = impl_->nonces.size();
  out.attempt_entries = impl_->by_source.size() + impl_->by_user.size() + impl_->by_pair.size();
  out.known_pairs = impl_->known.size();
  return out;
}

}  // namespace bw::registrar
