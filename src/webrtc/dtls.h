// DTLS 1.2 of one media connection (RFC 6347), and the SRTP keys that come out of it (RFC 5764, RFC 7714).
//
// Sans-IO but for one thing: OpenSSL draws its own randomness (docs/protocols/webrtc.md).
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/core.h"
#include "base/secret.h"
#include "rtp/srtp.h"
#include "webrtc/parameters.h"

struct ssl_ctx_st;  // of OpenSSL

namespace bw::webrtc {

// What we show to the other end: certificate and key as PEM, the certificate made by itself (RFC 8827 §6.5).
struct DtlsCertificate {
  std::string certificate;
  Secret<std::string> key;
};

// Certificate and settings of all handshakes of one thread; the endpoints made with it must not outlive it.
class DtlsContext {
 public:
  // Or a sentence about what is wrong with the certificate.
  static std::expected<DtlsContext, std::string> make(const DtlsCertificate& certificate);

  const Fingerprint& fingerprint() const { return fingerprint_; }  // of the certificate, SHA-256
  ssl_ctx_st* get() const { return context_.get(); }

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };
  explicit DtlsContext(ssl_ctx_st* context) : context_(context) {}
  std::unique_ptr<ssl_ctx_st, Free> context_;
  Fingerprint fingerprint_;
};

// Master key and salt of both directions.
struct SrtpKeys {
  rtp::SrtpSuite suite = rtp::SrtpSuite::kAeadAes128Gcm;
  Secret<std::string> send;
  Secret<std::string> receive;
};

// One handshake and what follows it. The certificate of the other end must fit one of `expected` before the
// handshake succeeds, so no key ever exists for a stranger. Owned by its Transport, never moved.
class DtlsEndpoint {
 public:
  enum class State : std::uint8_t { kHandshaking, kConnected, kEnded, kFailed };

  // A client says hello at once.
  DtlsEndpoint(const DtlsContext& context, DtlsRole role, std::vector<Fingerprint> expected, Instant now);
  ~DtlsEndpoint();
  DtlsEndpoint(const DtlsEndpoint&) = delete;
  DtlsEndpoint& operator=(const DtlsEndpoint&) = delete;

  void receive(std::span<const std::uint8_t> datagram, Instant now);
  void tick(Instant now);
  void close(Instant now);  // tells the other end (close_notify)

  std::optional<std::vector<std::uint8_t>> poll();  // the next datagram to send
  Deadline deadline() const;

  State state() const { return state_; }
  std::string_view why_failed() const { return why_; }  // a sentence, once kFailed
  // Once kConnected; they leave only one time.
  std::optional<SrtpKeys> take_keys();

  static constexpr Duration kPatience = 30s;  // for the whole handshake

 private:
  struct Ssl;
  void advance(Instant now);
  void finish_handshake();
  void fail(std::string why);

  std::unique_ptr<Ssl> ssl_;
  State state_ = State::kHandshaking;
  std::string why_;
  std::optional<SrtpKeys> keys_;
  Instant started_;
};

}  // namespace bw::webrtc
