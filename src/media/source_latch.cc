#include "media/source_latch.h"

#include <algorithm>
#include <array>
#include <utility>

namespace bw::media {
namespace {

// An address that means nothing outside its own network (RFC 1918, 6598, 3927, 4193, 4291).
bool is_private(const IpAddress& ip) {
  static const std::array<Network, 7> kPrivate{
      *Network::parse("10.0.0.0/8"),    *Network::parse("172.16.0.0/12"),  *Network::parse("192.168.0.0/16"),
      *Network::parse("100.64.0.0/10"), *Network::parse("169.254.0.0/16"), *Network::parse("fc00::/7"),
      *Network::parse("fe80::/10")};
  return std::ranges::any_of(kPrivate, [&](const Network& n) { return n.contains(ip); });
}

}  // namespace

void SourceLatch::expect(const Endpoint& signalled, const std::optional<IpAddress>& sip_source, Instant now,
                         std::vector<IpAddress> same_host) {
  signalled_ = signalled;
  sip_source_ = sip_source;
  same_host_ = std::move(same_host);
  // c=0.0.0.0 or port 0: the peer wants nothing, so nobody may step into its place.
  has_address_ = signalled.port != 0 && !signalled.ip.is_unspecified() && !signalled.ip.is_multicast();
  // Media from a third address needs a reason: the peer named a private address and its SIP came from another
  // one (a NAT with several public addresses), or we do not know where its SIP comes from.
  may_be_elsewhere_ = !sip_source || (*sip_source != signalled.ip && is_private(signalled.ip));
  standing_ = Standing::kNone;
  reopen(now);
}

void SourceLatch::reopen(Instant now) {
  if (standing_ != Standing::kNone) return;
  candidates_ = {};
  opened_ = now;
  closes_ = has_address_ ? now + limits_.window : now;
}

SourceLatch::Standing SourceLatch::standing_of(const Endpoint& from) const {
  if (from == signalled_) return Standing::kSignalled;
  if (from.ip == signalled_.ip || (sip_source_ && from.ip == *sip_source_)) return Standing::kLikely;
  return Standing::kUnknown;
}

// Both at home: a program may well sign in over one address of the host and send its voice from another.
bool SourceLatch::on_same_host(const IpAddress& ip) const {
  return !same_host_.empty() && (ip.is_loopback() || std::ranges::find(same_host_, ip) != same_host_.end());
}

bool SourceLatch::could_accept(const Endpoint& from, Instant now) const {
  if (!has_address_) return false;
  if (standing_ != Standing::kNone && from == latched_) return true;
  if (standing_ == Standing::kSignalled) return false;
  if (now < closes_) return true;
  return standing_ <= Standing::kUnknown && from == signalled_;
}

bool SourceLatch::is_stranger(const Endpoint& from, Instant now) const {
  if (!has_address_) return false;
  if (!could_accept(from, now)) return true;
  return standing_of(from) == Standing::kUnknown && !may_be_elsewhere_ && !on_same_host(from.ip);
}

bool SourceLatch::judge(const Claim& claim, Instant now) {
  if (!could_accept(claim.from, now)) return false;
  const Standing standing = standing_of(claim.from);
  if (standing == Standing::kSignalled) return latch(claim.from, standing);
  if (claim.authentic) return standing_ < Standing::kProven && latch(claim.from, Standing::kProven);
  if (standing <= standing_) return false;
  if (standing == Standing::kUnknown && !on_same_host(claim.from.ip)) {
    if (!may_be_elsewhere_) return false;
    // While we know where the peer's SIP lives, media from elsewhere gets its chance only when that address
    // stayed silent for half the window.
    if (sip_source_ && now - opened_ < limits_.window / 2) return false;
  }
  return completes_streak(claim, standing, now) && latch(claim.from, standing);
}

bool SourceLatch::completes_streak(const Claim& claim, Standing standing, Instant now) {
  const bool likely = standing == Standing::kLikely;
  Candidate& candidate = candidates_[likely ? 1 : 0];
  const auto step = static_cast<std::uint16_t>(claim.sequence - candidate.sequence);
  const bool continues = candidate.streak > 0 && candidate.from == claim.from &&
                         candidate.ssrc == claim.ssrc && step > 0 && step <= limits_.largest_step;
  if (!continues) {
    candidate = {claim.from, claim.ssrc, claim.sequence, 1, now};
    return false;
  }
  candidate.sequence = claim.sequence;
  const std::uint8_t needed = likely ? limits_.likely_streak : limits_.streak;
  if (candidate.streak < needed) ++candidate.streak;
  return candidate.streak >= needed && (likely || now - candidate.since >= limits_.streak_span);
}

bool SourceLatch::latch(const Endpoint& from, Standing standing) {
  latched_ = from;
  standing_ = standing;
  return true;
}

std::optional<Endpoint> SourceLatch::target() const {
  if (standing_ != Standing::kNone) return latched_;
  if (has_address_) return signalled_;
  return std::nullopt;
}

std::optional<Endpoint> SourceLatch::latched() const {
  if (standing_ == Standing::kNone) return std::nullopt;
  return latched_;
}

bool RtcpLatch::could_accept(const Endpoint& from, const std::optional<Endpoint>& rtp_source) const {
  if (latched_ && *latched_ == from) return true;
  if (signalled_.port != 0 && from == signalled_) return true;
  return !latched_ && rtp_source && rtp_source->ip == from.ip;
}

std::optional<Endpoint> RtcpLatch::target(const SourceLatch& rtp) const {
  if (latched_) return latched_;
  const auto source = rtp.target();
  if (!source || signalled_.port == 0 || signalled_.ip.is_unspecified()) return std::nullopt;
  if (rtp.is_guess() && source->ip != signalled_.ip) return std::nullopt;
  return signalled_;
}

}  // namespace bw::media
