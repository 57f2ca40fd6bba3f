// A browser's end of a media connection, for tests: full ICE (it checks, and controls), DTLS in either role,
// SRTP. As small as a test can use: it nominates the path it is told to.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "rtp/packet.h"
#include "rtp/srtp_streams.h"
#include "stun/message.h"
#include "webrtc/dtls.h"
#include "webrtc/parameters.h"

namespace bw::webrtc {

// A certificate as browsers make one, by itself and for nobody in particular.
inline DtlsCertificate test_certificate() {
  struct Free {
    void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
    void operator()(X509* p) const { X509_free(p); }
    void operator()(BIO* p) const { BIO_free(p); }
  };
  const std::unique_ptr<EVP_PKEY, Free> key{EVP_EC_gen("P-256")};
  const std::unique_ptr<X509, Free> x{X509_new()};
  X509_set_version(x.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(x.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(x.get()), 86'400);
  X509_set_pubkey(x.get(), key.get());
  X509_sign(x.get(), key.get(), EVP_sha256());
  const auto text = [](const auto& write) {
    const std::unique_ptr<BIO, Free> bio{BIO_new(BIO_s_mem())};
    write(bio.get());
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    return std::string(data, static_cast<std::size_t>(size));
  };
  return {text([&](BIO* b) { PEM_write_bio_X509(b, x.get()); }), Secret{text([&](BIO* b) {
            PEM_write_bio_PrivateKey(b, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
          })}};
}

inline DtlsContext test_context() {
  return std::move(*DtlsContext::make(test_certificate()));
}

class TestPeer {
 public:
  using Bytes = std::vector<std::uint8_t>;
  struct Out {
    Endpoint from;  // which of its addresses sends
    Bytes bytes;
  };

  TestPeer(const DtlsContext& context, IceCredentials own, std::uint64_t seed = 1)
      : context_(context), own_(std::move(own)), rng_(seed) {}

  void set_remote(RemoteParameters remote) { remote_ = std::move(remote); }
  // Checks that leave from `from`; nominating ones make it the path of DTLS and media.
  void check(const Endpoint& from, bool nominate, bool controlling = true) {
    stun::TransactionId id;
    rng_.fill(std::as_writable_bytes(std::span{id}));
    stun::Writer w{stun::Class::kRequest, id};
    w.text(stun::Type::kUsername, remote_.ice.ufrag + ":" + own_.ufrag);
    w.number32(stun::Type::kPriority, 0x6e0001ff);
    w.number64(controlling ? stun::Type::kIceControlling : stun::Type::kIceControlled, 7);
    if (nominate) w.flag(stun::Type::kUseCandidate);
    asked_[id] = {from, nominate};
    out_.push_back({from, w.integrity(remote_.ice.password.reveal()).fingerprint().take()});
  }

  void receive(const Endpoint& at, const Bytes& bytes, Instant now) {
    switch (rtp::classify(bytes)) {
      case rtp::Kind::kStun:
        return on_stun(bytes, now);
      case rtp::Kind::kDtls:
        if (dtls_) dtls_->receive(bytes, now);
        return drain(now);
      default:
        on_media(at, bytes);
    }
  }
  void tick(Instant now) {
    if (!dtls_ || dtls_->deadline().at > now) return;
    dtls_->tick(now);
    drain(now);
  }
  Deadline deadline() const { return dtls_ ? dtls_->deadline() : Deadline::never(); }
  std::optional<Out> poll() {
    if (out_.empty()) return std::nullopt;
    Out one = std::move(out_.front());
    out_.pop_front();
    return one;
  }

  bool connected() const { return send_.has_value(); }
  const std::optional<Endpoint>& selected() const { return selected_; }
  DtlsEndpoint* dtls() { return dtls_.get(); }
  // Codes of error answers to its checks, latest last.
  const std::vector<std::uint16_t>& errors() const { return errors_; }
  const std::optional<Endpoint>& mapped() const { return mapped_; }

  // One SRTP packet, sealed; it is sent by whoever asks.
  Bytes sealed(std::uint16_t sequence, std::uint8_t payload_type = 111, std::size_t payload = 80) {
    Bytes packet(rtp::kHeaderBytes + payload, 0x5a);
    rtp::write_header({false, payload_type, sequence, sequence * 960U, 0xb0b0}, packet);
    return seal(std::move(packet));
  }
  Bytes seal(Bytes packet) {
    const std::size_t size = packet.size();
    packet.resize(size + rtp::kSrtpTailRoom);
    packet.resize(send_->protect_rtp(packet, size).value_or(0));
    return packet;
  }
  // Media that arrived and was right, in plain.
  std::vector<std::pair<Endpoint, Bytes>> heard;

 private:
  struct Asked {
    Endpoint from;
    bool nominate = false;
  };

  void on_stun(const Bytes& bytes, Instant now) {
    const auto answer = stun::Message::parse(bytes);
    if (!answer) return;
    const auto asked = asked_.find(answer->transaction());
    if (asked == asked_.end()) return;
    if (answer->message_class() == stun::Class::kError) {
      errors_.push_back(answer->error_code().value_or(0));
      return;
    }
    if (!answer->is_authentic(remote_.ice.password.reveal())) return;
    mapped_ = answer->mapped_address();
    if (asked->second.nominate) selected_ = asked->second.from;
    if (!selected_ || dtls_) return;
    dtls_ = std::make_unique<DtlsEndpoint>(context_, remote_.our_role, remote_.fingerprints, now);
    drain(now);
  }

  void drain(Instant) {
    if (!dtls_) return;
    while (auto datagram = dtls_->poll()) out_.push_back({*selected_, std::move(*datagram)});
    if (const auto keys = dtls_->take_keys()) {
      using Role = rtp::SrtpSession::Role;
      send_ = rtp::SrtpStreams::make(Role::kSend, keys->suite, keys->send.reveal());
      receive_ = rtp::SrtpStreams::make(Role::kReceive, keys->suite, keys->receive.reveal());
    }
  }

  void on_media(const Endpoint& at, Bytes bytes) {
    if (!receive_) return;
    const auto size = rtp::classify(bytes) == rtp::Kind::kRtcp ? receive_->unprotect_rtcp(bytes, bytes.size())
                                                               : receive_->unprotect_rtp(bytes, bytes.size());
    if (!size) return;
    bytes.resize(*size);
    heard.emplace_back(at, std::move(bytes));
  }

  const DtlsContext& context_;
  IceCredentials own_;
  RemoteParameters remote_;
  SeededRng rng_;
  std::map<stun::TransactionId, Asked> asked_;
  std::deque<Out> out_;
  std::optional<Endpoint> selected_;
  std::optional<Endpoint> mapped_;
  std::vector<std::uint16_t> errors_;
  std::unique_ptr<DtlsEndpoint> dtls_;
  std::optional<rtp::SrtpStreams> send_;
  std::optional<rtp::SrtpStreams> receive_;
};

}  // namespace bw::webrtc
