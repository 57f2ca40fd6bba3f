// Where a peer's media really comes from (symmetric RTP), and who is a stranger. The rule against RTPbleed:
// docs/protocols/media-relay.md.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/time.h"

namespace bw::media {

struct LatchLimits {
  Duration window = 5s;            // after which nothing new is learned
  std::uint8_t streak = 5;         // packets in a row from an address nothing speaks for …
  Duration streak_span = 40ms;     // … over at least so long: a rival's packet in between starts it again
  std::uint8_t likely_streak = 2;  // from the address of the peer's SIP or SDP, other port (NAT)
  std::uint16_t largest_step = 8;  // sequence numbers between two packets of a streak
};

// The RTP path of one leg. Owned by the leg; no thread of its own. It judges each packet before anything else
// looks at it; target() is where our packets go.
class SourceLatch {
 public:
  // What a judged packet says of itself.
  struct Claim {
    Endpoint from;
    std::uint32_t ssrc = 0;
    std::uint16_t sequence = 0;
    bool authentic = false;  // its SRTP tag is right: only the peer has the key
  };

  explicit SourceLatch(LatchLimits limits = {}) : limits_(limits) {}

  // A (new) signalled address: all that was learned is forgotten, the window opens. `sip_source` is where the
  // peer's SIP comes from, if known: behind a NAT its media has the same address.
  // `same_host`: the addresses of this host, if the peer lives on it and may use any of them.
  void expect(const Endpoint& signalled, const std::optional<IpAddress>& sip_source, Instant now,
              std::vector<IpAddress> same_host = {});
  // The window starts anew unless something was latched already (the leg is connected only now).
  void reopen(Instant now);

  // True: the packet is the peer's. The hot path is one comparison.
  bool accepts(const Claim& claim, Instant now) {
    if (standing_ != Standing::kNone && claim.from == latched_) return true;
    return judge(claim, now);
  }
  // False for a packet that could not be accepted whatever it contains, so that nobody needs to decrypt it.
  bool could_accept(const Endpoint& from, Instant now) const;
  // No more packets from there would make it the peer.
  bool is_stranger(const Endpoint& from, Instant now) const;

  // The latched source, else the signalled address; none while the peer named no address.
  std::optional<Endpoint> target() const;
  std::optional<Endpoint> latched() const;
  bool is_guess() const { return standing_ == Standing::kLikely || standing_ == Standing::kUnknown; }

 private:
  // How well a source is vouched for; a better one wins while the window is open.
  enum class Standing : std::uint8_t { kNone, kUnknown, kLikely, kProven, kSignalled };
  struct Candidate {
    Endpoint from;
    std::uint32_t ssrc = 0;
    std::uint16_t sequence = 0;
    std::uint8_t streak = 0;
    Instant since;
  };

  Standing standing_of(const Endpoint& from) const;
  bool on_same_host(const IpAddress& ip) const;
  bool judge(const Claim& claim, Instant now);
  bool completes_streak(const Claim& claim, Standing standing, Instant now);
  bool latch(const Endpoint& from, Standing standing);

  LatchLimits limits_;
  Endpoint latched_;
  Standing standing_ = Standing::kNone;
  Endpoint signalled_;
  std::optional<IpAddress> sip_source_;
  std::vector<IpAddress> same_host_;
  bool has_address_ = false;
  bool may_be_elsewhere_ = true;  // the peer's media may come from an address nothing speaks for
  Instant opened_;
  Instant closes_;
  std::array<Candidate, 2> candidates_{};  // unknown, likely: a stranger cannot interrupt a likely one
};

// The RTCP path where it has a port of its own. Reports are seconds apart, so there is no window: the
// signalled address is believed, or once an address whose IP is that of the latched RTP source.
class RtcpLatch {
 public:
  void expect(const Endpoint& signalled) { *this = RtcpLatch{signalled}; }
  bool could_accept(const Endpoint& from, const std::optional<Endpoint>& rtp_source) const;
  // A packet that could be accepted proved to be a report: its source is held from now on.
  void hold(const Endpoint& from) { latched_ = from; }
  // Where our reports go; none if the peer is behind a NAT and has not reported yet.
  std::optional<Endpoint> target(const SourceLatch& rtp) const;

  RtcpLatch() = default;

 private:
  explicit RtcpLatch(const Endpoint& signalled) : signalled_(signalled) {}
  Endpoint signalled_;
  std::optional<Endpoint> latched_;
};

}  // namespace bw::media
