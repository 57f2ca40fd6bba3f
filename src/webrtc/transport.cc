#include "webrtc/transport.h"

#include <utility>

#include "rtp/packet.h"

namespace bw::webrtc {

Transport::Transport(const DtlsContext& context, IceCredentials local, TransportLimits limits)
    : context_(context), limits_(limits), ice_(std::move(local)) {}

void Transport::handle(const Input& input, Instant now) {
  std::visit([&](const auto& i) { on(i, now); }, input);
}

std::optional<Transport::Output> Transport::poll() {
  if (outputs_.empty()) return std::nullopt;
  Output output = std::move(outputs_.front());
  outputs_.pop_front();
  return output;
}

Deadline Transport::deadline() const {
  if (state_ == State::kEnded) return Deadline::never();
  Deadline next = dtls_ ? dtls_->deadline() : Deadline::never();
  if (state_ == State::kConnected && !silent_) {
    next = next.earliest({ice_.last_check() + limits_.silence, "the browser may have gone"});
    if (trusted_until_ && !muted_) next = next.earliest({*trusted_until_, "the browser is not proven there"});
  }
  return next;
}

// RFC 7983 §7: the first byte tells them apart.
void Transport::on(const Received& input, Instant now) {
  if (state_ == State::kEnded) return;
  switch (rtp::classify(input.bytes)) {
    case rtp::Kind::kStun:
      return on_check(input.path, input.bytes, now);
    case rtp::Kind::kDtls:
      return on_dtls(input.path, input.bytes, now);
    case rtp::Kind::kRtp:
    case rtp::Kind::kRtcp:
    case rtp::Kind::kOther:
      ++counters_.media_strangers;
  }
}

void Transport::on_check(const Path& path, std::span<const std::uint8_t> bytes, Instant now) {
  const auto request = stun::Message::parse(bytes);
  if (!request || !request->is_binding_request()) {  // we ask nothing, so no answer is for us
    ++counters_.checks_refused;
    return;
  }
  const std::optional<Path> before = ice_.target() == nullptr ? std::nullopt : std::optional{*ice_.target()};
  const bool nominated = ice_.has_nominated();
  auto answer = ice_.check(*request, path, now);
  outputs_.emplace_back(Send{path, std::move(answer.bytes)});
  if (!answer.authentic) {
    ++counters_.checks_refused;
    return;
  }
  if (answer.repeated) return;
  if (std::exchange(silent_, false)) {
    ice_.doubt();
    outputs_.emplace_back(Heard{});
  }
  // The one in use may be silent for long, while others are not.
  if (is_silent(now)) ice_.fall_back();
  // Before a nomination the newest way is used, which moves without being chosen.
  const bool chosen = answer.selected || nominated;
  const Path now_used = *ice_.target();
  if (chosen && state_ == State::kConnected && before != now_used) outputs_.emplace_back(Moved{now_used});
  watch_trust(now);
  begin_dtls(now);
}

void Transport::on_dtls(const Path& path, std::span<const std::uint8_t> bytes, Instant now) {
  // Before any work: whoever did not know the password gets none of it.
  if (!ice_.knows(path)) {
    ++counters_.dtls_strangers;
    return;
  }
  if (!dtls_) {
    if (early_.size() < limits_.early_datagrams) early_.push_back({path, {bytes.begin(), bytes.end()}});
    return;
  }
  dtls_->receive(bytes, now);
  drain_dtls();
}

// Both are needed: a way to the other end, and what its certificate has to be.
void Transport::begin_dtls(Instant now) {
  if (dtls_ || !remote_ || ice_.target() == nullptr) return;
  dtls_ = std::make_unique<DtlsEndpoint>(context_, remote_->our_role, remote_->fingerprints, now);
  for (const Early& e : std::exchange(early_, {})) dtls_->receive(e.bytes, now);
  drain_dtls();
}

void Transport::drain_dtls() {
  while (auto datagram = dtls_->poll()) {
    if (const Path* to = ice_.target()) outputs_.emplace_back(Send{*to, std::move(*datagram)});
  }
  switch (dtls_->state()) {
    case DtlsEndpoint::State::kHandshaking:
      return;
    case DtlsEndpoint::State::kConnected:
      return connect();
    case DtlsEndpoint::State::kEnded:
      return end(false, "the browser ended its media connection");
    case DtlsEndpoint::State::kFailed:
      return end(true, "the browser's media connection failed: " + std::string{dtls_->why_failed()});
  }
}

void Transport::connect() {
  const auto keys = dtls_->take_keys();
  if (!keys) return;  // connected before: the other end repeats its last flight
  using Role = rtp::SrtpSession::Role;
  send_ = rtp::SrtpStreams::make(Role::kSend, keys->suite, keys->send.reveal());
  receive_ = rtp::SrtpStreams::make(Role::kReceive, keys->suite, keys->receive.reveal());
  if (!send_ || !receive_) return end(true, "the keys of the handshake cannot be used for SRTP");
  state_ = State::kConnected;
  ice_.demand_proof();
  // A handshake over TCP may outlive the connection it came on.
  outputs_.emplace_back(Connected{ice_.target() == nullptr ? Path{} : *ice_.target()});
}

void Transport::on(const StreamGone& input, Instant now) {
  ice_.forget_stream(input.stream);
  watch_trust(now);
}

void Transport::on(const SetRemote& input, Instant now) {
  if (state_ == State::kEnded) return;
  ice_.set_remote(input.remote.ice);
  if (dtls_) {
    // Another certificate is another handshake (RFC 8842 §5.1): the page makes a new session for that.
    if (input.remote.fingerprints != remote_->fingerprints) {
      end(true, "the browser changed its certificate within one session; it needs a new session");
    }
    return;
  }
  remote_ = input.remote;
  begin_dtls(now);
}

void Transport::on(const Restart& input, Instant) {
  ice_.restart(input.local);
}

void Transport::on(const Close&, Instant now) {
  if (state_ == State::kEnded) return;
  if (dtls_) dtls_->close(now);
  while (auto datagram = dtls_ ? dtls_->poll() : std::nullopt) {
    if (const Path* to = ice_.target()) outputs_.emplace_back(Send{*to, std::move(*datagram)});
  }
  state_ = State::kEnded;
  send_.reset();
  receive_.reset();
}

void Transport::on(const Tick&, Instant now) {
  if (state_ == State::kEnded) return;
  if (dtls_ && dtls_->deadline().at <= now) {
    dtls_->tick(now);
    drain_dtls();
  }
  if (state_ != State::kConnected || silent_) return;
  if (is_silent(now)) leave_silent_way(now);
  watch_trust(now);
}

// Not begun anew by a further move: whoever only sends old checks has this long in all.
void Transport::watch_trust(Instant now) {
  if (!ice_.is_blind()) {
    trusted_until_.reset();
  } else if (!trusted_until_) {
    trusted_until_ = now + limits_.trust;
  }
  muted_ = trusted_until_ && *trusted_until_ <= now;
}

void Transport::prove(const Path& path) {
  if (!ice_.wants_proof()) return;
  if (ice_.prove(path)) outputs_.emplace_back(Moved{path});
  if (ice_.is_blind()) return;
  trusted_until_.reset();
  muted_ = false;
}

void Transport::leave_silent_way(Instant now) {
  const Duration silent_for = now - ice_.last_check();
  if (ice_.target() != nullptr) {
    const Path before = *ice_.target();
    ice_.fall_back();
    if (!is_silent(now)) {
      if (before != *ice_.target()) outputs_.emplace_back(Moved{*ice_.target()});
      return;
    }
  }
  silent_ = true;
  outputs_.emplace_back(Silent{silent_for});
}

void Transport::end(bool failed, std::string sentence) {
  if (state_ == State::kEnded) return;
  state_ = State::kEnded;
  send_.reset();
  receive_.reset();
  outputs_.emplace_back(Ended{failed, std::move(sentence)});
}

bool Transport::may_receive(const Path& path) {
  if (receive_ && ice_.knows(path)) return true;
  ++counters_.media_strangers;
  return false;
}

std::optional<std::size_t> Transport::receive_rtp(const Path& path, std::span<std::uint8_t> buffer,
                                                  std::size_t size) {
  if (!may_receive(path)) return std::nullopt;
  const auto plain = receive_->unprotect_rtp(buffer, size);
  if (plain) {
    prove(path);
  } else {
    ++counters_.media_refused;
  }
  return plain;
}

std::optional<std::size_t> Transport::receive_rtcp(const Path& path, std::span<std::uint8_t> buffer,
                                                   std::size_t size) {
  if (!may_receive(path)) return std::nullopt;
  const auto plain = receive_->unprotect_rtcp(buffer, size);
  if (plain) {
    prove(path);
  } else {
    ++counters_.media_refused;
  }
  return plain;
}

std::optional<std::size_t> Transport::protect_rtp(std::span<std::uint8_t> buffer, std::size_t size) {
  return send_ ? send_->protect_rtp(buffer, size) : std::nullopt;
}

std::optional<std::size_t> Transport::protect_rtcp(std::span<std::uint8_t> buffer, std::size_t size) {
  return send_ ? send_->protect_rtcp(buffer, size) : std::nullopt;
}

}  // namespace bw::webrtc
