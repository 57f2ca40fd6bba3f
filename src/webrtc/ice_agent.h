// ICE-lite (RFC 8445 §2.5): we never send a check, and are always the controlled side. The other end's
// checks say which ways there are and, by USE-CANDIDATE, which one is used.
//
// Trickle (RFC 8838) needs nothing from us: a check may come at any time. TCP candidates are passive
// (RFC 6544 §4.1).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "stun/message.h"
#include "webrtc/parameters.h"
#include "webrtc/path.h"

namespace bw::webrtc {

class IceAgent {
 public:
  static constexpr std::size_t kMostPaths = 16;
  static constexpr std::size_t kMostSeen = 64;
  // A way without a check for so long is quiet: browsers check the one they use every 2.5 s.
  static constexpr Duration kQuiet = 6s;

  explicit IceAgent(IceCredentials local) : generation_{std::move(local), std::nullopt} {}

  // Of the newest generation of credentials.
  void set_remote(IceCredentials remote) { generation_.remote = std::move(remote); }
  // RFC 8445 §9: from now on both generations are answered; once the other end nominates a pair with the new
  // one, the old one is forgotten. The ways stay open meanwhile.
  void restart(IceCredentials local);

  struct Answer {
    std::vector<std::uint8_t> bytes;  // to where the check came from; empty: silence
    bool authentic = false;           // the path now is one of ours
    bool repeated = false;            // it came before, over this way: nothing has changed
    bool selected = false;            // this check made it the selected one
  };
  // A Binding request that came over `path`.
  Answer check(const stun::Message& request, const Path& path, Instant now);

  // The connection is gone (TCP).
  void forget_stream(std::uint64_t stream);

  // A check with our password came over it.
  bool knows(const Path& path) const;
  // Where to send: the nominated path, before that the newest one that was checked.
  const Path* target() const;
  bool has_nominated() const { return nominated_.has_value(); }
  // When the other end last consented to what is sent to target(): consent is that of one way, not of the
  // session (RFC 7675 §5.1). Without a target: the last authentic check.
  Instant last_check() const;
  // From now on the way that was checked last is used, whatever was nominated.
  void fall_back();

  // A check says nothing of when it was made, so one that was copied long ago is as good as a fresh one. From
  // now on (there are keys) a nomination of another way waits for prove(), unless the way in use is quiet;
  // then it is followed blindly (docs/decisions/053-fresh-media-moves-media.md).
  void demand_proof();
  // Something fresh that only the other end can have made came over `path`, one of ours. True: it is used
  // now.
  bool prove(const Path& path);
  bool wants_proof() const { return blind_ || wished_.has_value(); }
  // The way in use was not proven since it was taken.
  bool is_blind() const { return blind_; }
  // The other end was gone and is said to be back.
  void doubt() { blind_ = demands_proof_; }

  // Fragments by which a check is found to be ours.
  std::string_view ufrag() const { return generation_.local.ufrag; }
  std::optional<std::string_view> old_ufrag() const;

 private:
  struct Generation {
    IceCredentials local;
    std::optional<IceCredentials> remote;  // none until its description came
  };
  struct Known {
    Path path;
    Instant last;
  };
  const Generation* generation_for(std::string_view username) const;
  void remember(const Path& path, Instant now);
  const Known* newest() const;
  enum class Seen : std::uint8_t { kNever, kHere, kElsewhere };
  Seen seen_before(const stun::TransactionId& id, const Path& path);
  bool nominate(const Generation& by, const Path& path, Instant now);
  void use(const Path& path, bool blindly);

  Generation generation_;
  std::optional<Generation> old_;
  std::vector<Known> known_;  // at most kMostPaths
  std::optional<Path> nominated_;
  std::optional<Path> wished_;  // nominated, and waits for its proof
  bool demands_proof_ = false;
  bool blind_ = false;
  Instant last_check_;  // that was authentic
  struct Check {
    stun::TransactionId id;
    Path path;
  };
  std::vector<Check> seen_;  // the last kMostSeen authentic checks, a ring
  std::size_t next_seen_ = 0;
};

}  // namespace bw::webrtc
