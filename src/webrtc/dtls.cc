#include "webrtc/dtls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <new>

#include "webrtc/detail/datagram_bio.h"
#include "webrtc/fingerprint.h"

namespace bw::webrtc {
namespace {

// GCM first: a third of the work of AES-CM with HMAC.
constexpr const char* kSrtpProfiles = "SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80";
// ECDHE with AEAD only (RFC 8827 §6.5 demands the first); RSA for certificates of other ends.
constexpr const char* kCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:"
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305";
constexpr long kLargestChain = 16'384;  // bytes; a browser sends one certificate of some hundred
constexpr std::string_view kExporterLabel = "EXTRACTOR-dtls_srtp";  // RFC 5764 §4.2

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};

std::unique_ptr<BIO, FreeBio> reader(std::string_view text) {
  return std::unique_ptr<BIO, FreeBio>{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

Fingerprint fingerprint_of_x509(const X509* certificate, HashFunction hash) {
  const int size = i2d_X509(certificate, nullptr);
  std::vector<std::uint8_t> der(size > 0 ? static_cast<std::size_t>(size) : 0);
  unsigned char* to = der.data();
  if (size > 0) i2d_X509(certificate, &to);
  return fingerprint_of(der, hash);
}

// What the verification callback needs of its endpoint, found through SSL_get_app_data.
struct Judge {
  std::vector<Fingerprint> expected;
  detail::FlightTimer* timer = nullptr;
  bool stranger = false;
};

Judge& judge_of(const SSL* ssl) {
  return *static_cast<Judge*>(SSL_get_app_data(ssl));
}

// Who made the certificate says nothing here; that it is the promised one says all (RFC 8122 §6.2).
int verify(X509_STORE_CTX* store, void*) {
  const auto* ssl =
      static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  Judge& judge = judge_of(ssl);
  const X509* certificate = X509_STORE_CTX_get0_cert(store);
  for (const Fingerprint& f : judge.expected) {
    if (fingerprint_of_x509(certificate, f.hash) == f) return 1;
  }
  judge.stranger = true;
  X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

unsigned next_wait(SSL* ssl, unsigned before) {
  return judge_of(ssl).timer->next_wait(before);
}

std::optional<rtp::SrtpSuite> suite_of(SSL* ssl) {
  const SRTP_PROTECTION_PROFILE* profile = SSL_get_selected_srtp_profile(ssl);
  if (profile == nullptr) return std::nullopt;
  switch (profile->id) {
    case SRTP_AEAD_AES_128_GCM:
      return rtp::SrtpSuite::kAeadAes128Gcm;
    case SRTP_AEAD_AES_256_GCM:
      return rtp::SrtpSuite::kAeadAes256Gcm;
    case SRTP_AES128_CM_SHA1_80:
      return rtp::SrtpSuite::kAesCm128HmacSha1_80;
    default:
      return std::nullopt;
  }
}

std::size_t salt_bytes(rtp::SrtpSuite suite) {
  return suite == rtp::SrtpSuite::kAesCm128HmacSha1_80 ? 14 : 12;
}

std::string failure_in_words() {
  const unsigned long error = ERR_peek_last_error();
  const char* reason = error == 0 ? nullptr : ERR_reason_error_string(error);
  return reason == nullptr ? "the DTLS handshake failed"
                           : std::string{"the DTLS handshake failed: "} + reason;
}

}  // namespace

void DtlsContext::Free::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}

std::expected<DtlsContext, std::string> DtlsContext::make(const DtlsCertificate& certificate) {
  ERR_clear_error();
  const auto certificate_text = reader(certificate.certificate);
  const auto key_text = reader(certificate.key.reveal());
  const std::unique_ptr<X509, FreeCertificate> x509{
      PEM_read_bio_X509(certificate_text.get(), nullptr, nullptr, nullptr)};
  const std::unique_ptr<EVP_PKEY, FreeKey> key{
      PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr)};
  if (!x509 || !key) return std::unexpected("the DTLS certificate or its key is not PEM");
  DtlsContext made{SSL_CTX_new(DTLS_method())};
  SSL_CTX* c = made.get();
  if (c == nullptr) throw std::bad_alloc{};
  if (SSL_CTX_use_certificate(c, x509.get()) != 1 || SSL_CTX_use_PrivateKey(c, key.get()) != 1) {
    return std::unexpected("the DTLS certificate and its key do not belong together");
  }
  SSL_CTX_set_min_proto_version(c, DTLS1_2_VERSION);
  SSL_CTX_set_options(
      c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_max_cert_list(c, kLargestChain);
  SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(c, verify, nullptr);
  if (SSL_CTX_set_cipher_list(c, kCiphers) != 1 || SSL_CTX_set1_groups_list(c, "X25519:P-256:P-384") != 1 ||
      SSL_CTX_set_tlsext_use_srtp(c, kSrtpProfiles) != 0) {  // the last answers 0 for success
    return std::unexpected("this OpenSSL lacks the ciphers of DTLS-SRTP");
  }
  made.fingerprint_ = fingerprint_of_x509(x509.get(), HashFunction::kSha256);
  return made;
}

struct DtlsEndpoint::Ssl {
  struct Free {
    void operator()(SSL* s) const { SSL_free(s); }
  };
  detail::Datagrams datagrams;
  Judge judge;
  std::unique_ptr<SSL, Free> ssl;  // before what it uses goes
};

DtlsEndpoint::DtlsEndpoint(const DtlsContext& context, DtlsRole role, std::vector<Fingerprint> expected,
                           Instant now)
    : ssl_(std::make_unique<Ssl>()), started_(now) {
  ssl_->judge.expected = std::move(expected);
  ssl_->judge.timer = &ssl_->datagrams.timer;
  ssl_->ssl.reset(SSL_new(context.get()));
  BIO* bio = detail::make_datagram_bio(ssl_->datagrams);
  if (!ssl_->ssl || bio == nullptr) throw std::bad_alloc{};
  SSL* s = ssl_->ssl.get();
  SSL_set_bio(s, bio, bio);  // which now owns it
  SSL_set_app_data(s, &ssl_->judge);
  SSL_set_mtu(s, static_cast<long>(ssl_->datagrams.mtu));
  DTLS_set_timer_cb(s, next_wait);
  if (role == DtlsRole::kServer) {
    SSL_set_accept_state(s);
  } else {
    SSL_set_connect_state(s);
  }
  advance(now);
}

DtlsEndpoint::~DtlsEndpoint() = default;

void DtlsEndpoint::receive(std::span<const std::uint8_t> datagram, Instant now) {
  if (state_ != State::kHandshaking && state_ != State::kConnected) return;
  ssl_->datagrams.incoming = datagram;
  advance(now);
  ssl_->datagrams.incoming = {};
}

// Reading also answers what the other end repeats after the handshake, and notices its close_notify. What it
// says beyond that (data channels) is read and dropped: we have none.
void DtlsEndpoint::advance(Instant now) {
  SSL* s = ssl_->ssl.get();
  ssl_->datagrams.timer.set_time(now);
  ERR_clear_error();
  if (state_ == State::kHandshaking) {
    const int done = SSL_do_handshake(s);
    if (done == 1) {
      finish_handshake();
    } else if (SSL_get_error(s, done) != SSL_ERROR_WANT_READ) {
      fail(ssl_->judge.stranger ? "the certificate is not the one its fingerprint promised"
                                : failure_in_words());
    }
    if (state_ != State::kConnected) return;
  }
  std::array<char, 2048> dropped;
  int size = 0;
  do {
    size = SSL_read(s, dropped.data(), static_cast<int>(dropped.size()));
  } while (size > 0);
  const int error = SSL_get_error(s, size);
  if (error == SSL_ERROR_ZERO_RETURN) {
    state_ = State::kEnded;
  } else if (error != SSL_ERROR_WANT_READ) {
    fail("the other end broke off DTLS: " + failure_in_words());
  }
}

void DtlsEndpoint::finish_handshake() {
  SSL* s = ssl_->ssl.get();
  const auto suite = suite_of(s);
  if (!suite) return fail("the other end knows none of our SRTP profiles");
  // client key, server key, client salt, server salt (RFC 5764 §4.2)
  const std::size_t salt = salt_bytes(*suite);
  const std::size_t key = rtp::master_bytes(*suite) - salt;
  std::array<unsigned char, 2 * (32 + 14)> material{};
  if (SSL_export_keying_material(s, material.data(), 2 * (key + salt), kExporterLabel.data(),
                                 kExporterLabel.size(), nullptr, 0, 0) != 1) {
    return fail("OpenSSL gave no keys for SRTP");
  }
  const std::string_view all{reinterpret_cast<const char*>(material.data()), material.size()};
  Secret client{std::string{all.substr(0, key)}.append(all.substr(2 * key, salt))};
  Secret server{std::string{all.substr(key, key)}.append(all.substr(2 * key + salt, salt))};
  OPENSSL_cleanse(material.data(), material.size());
  keys_ = SSL_is_server(s) != 0 ? SrtpKeys{*suite, std::move(server), std::move(client)}
                                : SrtpKeys{*suite, std::move(client), std::move(server)};
  state_ = State::kConnected;
}

void DtlsEndpoint::fail(std::string why) {
  state_ = State::kFailed;
  why_ = std::move(why);
  keys_.reset();
}

void DtlsEndpoint::tick(Instant now) {
  if (state_ != State::kHandshaking) return;
  if (now - started_ >= kPatience) return fail("the DTLS handshake was not finished within 30 s");
  auto& timer = ssl_->datagrams.timer;
  if (!timer.due() || *timer.due() > now) return;
  timer.set_time(now);
  timer.expire();
  ERR_clear_error();
  if (DTLSv1_handle_timeout(ssl_->ssl.get()) < 0) fail("nobody answered the DTLS handshake");
}

void DtlsEndpoint::close(Instant now) {
  if (state_ != State::kConnected) return;
  ssl_->datagrams.timer.set_time(now);
  ERR_clear_error();
  SSL_shutdown(ssl_->ssl.get());
  state_ = State::kEnded;
}

std::optional<std::vector<std::uint8_t>> DtlsEndpoint::poll() {
  auto& waiting = ssl_->datagrams.outgoing;
  if (waiting.empty()) return std::nullopt;
  auto datagram = std::move(waiting.front());
  waiting.pop_front();
  return datagram;
}

Deadline DtlsEndpoint::deadline() const {
  if (state_ != State::kHandshaking) return Deadline::never();
  const Deadline limit{started_ + kPatience, "the DTLS handshake may have failed"};
  const auto due = ssl_->datagrams.timer.due();
  return due ? limit.earliest({*due, "a DTLS flight may be lost"}) : limit;
}

std::optional<SrtpKeys> DtlsEndpoint::take_keys() {
  return std::exchange(keys_, std::nullopt);
}

}  // namespace bw::webrtc
