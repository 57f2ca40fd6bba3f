#include "rtp/srtp.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <srtp2/srtp.h>

#include <array>
#include <string>
#include <vector>

#include "base/rng.h"
#include "rtp/packet.h"
#include "rtp/rtcp.h"

namespace bw::rtp {
namespace {

using Bytes = std::vector<std::uint8_t>;
using Role = SrtpSession::Role;
constexpr std::array kSuites{SrtpSuite::kAesCm128HmacSha1_80, SrtpSuite::kAesCm128HmacSha1_32,
                             SrtpSuite::kAeadAes128Gcm, SrtpSuite::kAeadAes256Gcm};

Bytes from_hex(std::string_view hex) {
  Bytes out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out.push_back(static_cast<std::uint8_t>(std::stoi(std::string{hex.substr(i, 2)}, nullptr, 16)));
  }
  return out;
}
std::string text(const Bytes& b) {
  return {b.begin(), b.end()};
}

std::string master_of(SrtpSuite suite, std::uint64_t seed) {
  SeededRng rng{seed};
  std::string master(master_bytes(suite), '\0');
  rng.fill(std::as_writable_bytes(std::span{master}));
  return master;
}

// ---- RFC 3711 written a second time, on OpenSSL alone, as the oracle ----

Bytes counter_mode(const Bytes& key, Bytes counter, const Bytes& in) {
  Bytes out(in.size());
  EVP_CIPHER_CTX* c = EVP_CIPHER_CTX_new();
  int n = 0;
  EVP_EncryptInit_ex(c, key.size() == 32 ? EVP_aes_256_ctr() : EVP_aes_128_ctr(), nullptr, key.data(),
                     counter.data());
  EVP_EncryptUpdate(c, out.data(), &n, in.data(), static_cast<int>(in.size()));
  EVP_CIPHER_CTX_free(c);
  return out;
}

// RFC 3711 §4.3.1 with key derivation rate 0: the label goes over byte 7 of the salt.
Bytes derive(const Bytes& key, Bytes salt, std::uint8_t label, std::size_t size) {
  salt.resize(16);  // a salt of 12 bytes (RFC 7714 §11) is filled up like one of 14
  salt[7] ^= label;
  return counter_mode(key, salt, Bytes(size));
}

// The example packet: V=2 PT=15, sequence 0x1234, SSRC 0xcafebabe, sixteen bytes 0xab.
const Bytes kPlain = from_hex("800f1234decafbadcafebabeabababababababababababababababab");

Bytes protect(SrtpSession& session, const Bytes& plain) {
  Bytes buffer = plain;
  buffer.resize(plain.size() + kSrtpTailRoom);
  const auto size = session.protect_rtp(buffer, plain.size());
  EXPECT_TRUE(size);
  buffer.resize(size.value_or(0));
  return buffer;
}

const Bytes kMasterKey = from_hex("e1f97a0d3e018be0d64fa32c06de4139");  // RFC 3711 B.3
const Bytes kMasterSalt = from_hex("0ec675ad498afeebb6960b3aabe6");

TEST(Srtp, OracleDerivesTheKeysOfRfc3711AppendixB3) {
  EXPECT_EQ(derive(kMasterKey, kMasterSalt, 0, 16), from_hex("c61e7a93744f39ee10734afe3ff7a087"));
  EXPECT_EQ(derive(kMasterKey, kMasterSalt, 2, 14), from_hex("30cbbc08863d8c85d49db34a9ae1"));
  EXPECT_EQ(derive(kMasterKey, kMasterSalt, 1, 20), from_hex("cebe321f6ff7716b6fd4ab49af256a156d38baa4"));
}

TEST(Srtp, CounterModePacketIsWhatTheRfcComputes) {
  for (const auto [suite, tag_bytes] :
       {std::pair{SrtpSuite::kAesCm128HmacSha1_80, 10u}, std::pair{SrtpSuite::kAesCm128HmacSha1_32, 4u}}) {
    Bytes counter = derive(kMasterKey, kMasterSalt, 2, 14);  // RFC 3711 §4.1.1: salt ^ SSRC ^ index
    counter.resize(16);
    for (std::size_t i = 0; i < 4; ++i) counter[4 + i] ^= kPlain[8 + i];
    counter[12] ^= kPlain[2];
    counter[13] ^= kPlain[3];
    Bytes expected(kPlain.begin(), kPlain.begin() + 12);
    const Bytes cipher = counter_mode(derive(kMasterKey, kMasterSalt, 0, 16), counter,
                                      Bytes(kPlain.begin() + 12, kPlain.end()));
    expected.insert(expected.end(), cipher.begin(), cipher.end());
    Bytes authenticated = expected;
    authenticated.resize(authenticated.size() + 4);  // rollover counter 0
    const Bytes key = derive(kMasterKey, kMasterSalt, 1, 20);
    Bytes tag(20);
    unsigned n = 20;
    HMAC(EVP_sha1(), key.data(), 20, authenticated.data(), authenticated.size(), tag.data(), &n);
    expected.insert(expected.end(), tag.begin(), tag.begin() + tag_bytes);

    auto session = SrtpSession::make(Role::kSend, suite, text(kMasterKey) + text(kMasterSalt));
    ASSERT_TRUE(session);
    EXPECT_EQ(protect(*session, kPlain), expected);
  }
}

TEST(Srtp, GcmPacketIsWhatTheRfcComputes) {
  for (const SrtpSuite suite : {SrtpSuite::kAeadAes128Gcm, SrtpSuite::kAeadAes256Gcm}) {
    const std::string master = master_of(suite, 5);
    const Bytes key(master.begin(), master.end() - 12);
    const Bytes salt(master.end() - 12, master.end());
    Bytes iv = derive(key, salt, 2, 12);  // RFC 7714 §8.1: salt ^ (00 00 SSRC ROC SEQ)
    for (std::size_t i = 0; i < 4; ++i) iv[2 + i] ^= kPlain[8 + i];
    iv[10] ^= kPlain[2];
    iv[11] ^= kPlain[3];
    const Bytes session_key = derive(key, salt, 0, key.size());
    Bytes expected = kPlain;
    expected.resize(kPlain.size() + 16);
    EVP_CIPHER_CTX* c = EVP_CIPHER_CTX_new();
    int n = 0;
    EVP_EncryptInit_ex(c, key.size() == 32 ? EVP_aes_256_gcm() : EVP_aes_128_gcm(), nullptr,
                       session_key.data(), iv.data());
    EVP_EncryptUpdate(c, nullptr, &n, kPlain.data(), 12);
    EVP_EncryptUpdate(c, expected.data() + 12, &n, kPlain.data() + 12, static_cast<int>(kPlain.size() - 12));
    EVP_EncryptFinal_ex(c, expected.data() + 12 + n, &n);
    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, 16, expected.data() + kPlain.size());
    EVP_CIPHER_CTX_free(c);

    auto session = SrtpSession::make(Role::kSend, suite, master);
    ASSERT_TRUE(session);
    EXPECT_EQ(protect(*session, kPlain), expected);
  }
}

// libsrtp2 does no GCM for us; it is asked whether we do it right.
class OtherLibrary {
 public:
  OtherLibrary(Role role, SrtpSuite suite, const std::string& master) : key_(master.begin(), master.end()) {
    // Sets the library up, which may be done but once.
    EXPECT_TRUE(SrtpSession::make(Role::kSend, SrtpSuite::kAesCm128HmacSha1_80, std::string(30, 'k')));
    srtp_policy_t policy{};
    for (srtp_crypto_policy_t* part : {&policy.rtp, &policy.rtcp}) {
      if (suite == SrtpSuite::kAeadAes128Gcm) {
        srtp_crypto_policy_set_aes_gcm_128_16_auth(part);
      } else {
        srtp_crypto_policy_set_aes_gcm_256_16_auth(part);
      }
    }
    policy.ssrc.type = role == Role::kSend ? ssrc_any_outbound : ssrc_any_inbound;
    policy.key = key_.data();
    policy.window_size = 256;
    EXPECT_EQ(srtp_create(&context_, &policy), srtp_err_status_ok);
  }
  ~OtherLibrary() { srtp_dealloc(context_); }
  OtherLibrary(const OtherLibrary&) = delete;
  OtherLibrary& operator=(const OtherLibrary&) = delete;

  Bytes run(srtp_err_status_t (*operation)(srtp_t, void*, int*), Bytes packet) {
    int size = static_cast<int>(packet.size());
    packet.resize(packet.size() + SRTP_MAX_TRAILER_LEN + 4);
    if (operation(context_, packet.data(), &size) != srtp_err_status_ok) size = 0;
    packet.resize(static_cast<std::size_t>(size));
    return packet;
  }

 private:
  Bytes key_;
  srtp_t context_ = nullptr;
};

// With CSRCs and an extension now and then, lost and late packets, and past the end of the sequence.
Bytes odd_packet(std::uint32_t n, SeededRng& rng) {
  Bytes p(kHeaderBytes + rng.below(200));
  write_header({n % 3 == 0, 111, static_cast<std::uint16_t>(n), n * 960, 77 + n % 2}, p);
  const auto csrcs = static_cast<std::uint8_t>(rng.below(4));
  p[0] = static_cast<std::uint8_t>(p[0] | csrcs);
  Bytes more(4U * csrcs, 0x11);
  if (rng.below(2) == 0) {
    p[0] |= 0x10;
    more.insert(more.end(), {0xbe, 0xde, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8});
  }
  p.insert(p.begin() + kHeaderBytes, more.begin(), more.end());
  return p;
}

TEST(Srtp, GcmAgreesWithAnotherLibraryBothWays) {
  for (const SrtpSuite suite : {SrtpSuite::kAeadAes128Gcm, SrtpSuite::kAeadAes256Gcm}) {
    SeededRng rng{3};
    const std::string master = master_of(suite, 9);
    auto send = std::move(*SrtpSession::make(Role::kSend, suite, master));
    auto receive = std::move(*SrtpSession::make(Role::kReceive, suite, master));
    OtherLibrary others_send{Role::kSend, suite, master};
    OtherLibrary others_receive{Role::kReceive, suite, master};
    Bytes late;
    for (std::uint32_t n = 30'000; n < 150'000; n += 1 + static_cast<std::uint32_t>(rng.below(60))) {
      const Bytes plain = odd_packet(n, rng);
      const Bytes ours = protect(send, plain);
      ASSERT_EQ(ours, others_send.run(srtp_protect, plain)) << n;
      if (late.empty() && rng.below(4) == 0) {
        late = ours;
        continue;
      }
      ASSERT_EQ(others_receive.run(srtp_unprotect, ours), plain) << n;
      for (Bytes packet : {ours, std::exchange(late, {})}) {
        if (packet.empty()) continue;
        const auto size = receive.unprotect_rtp(packet, packet.size());
        ASSERT_TRUE(size) << n;
      }
    }
    for (int i = 0; i < 300; ++i) {
      Bytes plain(200);
      plain.resize(
          write_report({static_cast<std::uint32_t>(7 + i % 3), SenderInfo{{1, 2}, 3, 4, 5}, {}, "c"}, plain));
      Bytes ours = plain;
      ours.resize(plain.size() + kSrtpTailRoom);
      ours.resize(send.protect_rtcp(ours, plain.size()).value_or(0));
      ASSERT_EQ(ours, others_send.run(srtp_protect_rtcp, plain)) << i;
      ASSERT_EQ(others_receive.run(srtp_unprotect_rtcp, ours), plain) << i;
    }
  }
}

struct Pair {
  SrtpSession send;
  SrtpSession receive;
};
Pair pair_of(SrtpSuite suite, std::uint64_t seed = 1) {
  const std::string master = master_of(suite, seed);
  return {std::move(*SrtpSession::make(Role::kSend, suite, master)),
          std::move(*SrtpSession::make(Role::kReceive, suite, master))};
}

Bytes speech(std::uint32_t n) {
  Bytes p(kHeaderBytes + 160, static_cast<std::uint8_t>(n));
  write_header({false, 0, static_cast<std::uint16_t>(n), n * 160, 77}, p);
  return p;
}

TEST(Srtp, WhatIsProtectedComesBackInEverySuiteAcrossTheSequenceWrap) {
  for (const SrtpSuite suite : kSuites) {
    auto [send, receive] = pair_of(suite);
    for (std::uint32_t n = 65'500; n < 65'600; ++n) {
      const Bytes plain = speech(n);
      Bytes packet = protect(send, plain);
      ASSERT_NE(Bytes(packet.begin(), packet.begin() + 172), plain);
      const auto size = receive.unprotect_rtp(packet, packet.size());
      ASSERT_TRUE(size);
      packet.resize(*size);
      ASSERT_EQ(packet, plain);
    }
  }
}

TEST(Srtp, ReplayedAndTamperedAndForeignPacketsAreRefused) {
  for (const SrtpSuite suite : kSuites) {
    auto [send, receive] = pair_of(suite);
    auto stranger = pair_of(suite, 2);
    const Bytes good = protect(send, speech(1));
    for (std::size_t i = 0; i < good.size(); ++i) {
      Bytes bad = good;
      bad[i] ^= 0x40;
      EXPECT_FALSE(receive.unprotect_rtp(bad, bad.size())) << i;
    }
    Bytes foreign = good;
    EXPECT_EQ(stranger.receive.unprotect_rtp(foreign, foreign.size()).error(), SrtpError::kNotAuthentic);
    Bytes first = good;
    EXPECT_TRUE(receive.unprotect_rtp(first, first.size()));
    Bytes again = good;
    EXPECT_EQ(receive.unprotect_rtp(again, again.size()).error(), SrtpError::kReplayed);
  }
}

TEST(Srtp, LatePacketsInsideTheWindowAreTakenOnceBeyondItNever) {
  auto [send, receive] = pair_of(SrtpSuite::kAeadAes128Gcm);
  std::vector<Bytes> packets;
  for (std::uint32_t n = 1; n <= 400; ++n) packets.push_back(protect(send, speech(n)));
  const auto take = [&receive](Bytes packet) { return receive.unprotect_rtp(packet, packet.size()); };
  EXPECT_TRUE(take(packets[399]));
  EXPECT_TRUE(take(packets[399 - 200]));
  EXPECT_EQ(take(packets[399 - 200]).error(), SrtpError::kReplayed);
  EXPECT_EQ(take(packets[399 - 300]).error(), SrtpError::kReplayed);
}

TEST(Srtp, RtcpRoundTripsAndIsCheckedInEverySuite) {
  for (const SrtpSuite suite : kSuites) {
    auto [send, receive] = pair_of(suite);
    Bytes plain(200);
    plain.resize(write_report({1, SenderInfo{{1, 2}, 3, 4, 5}, {}, "c"}, plain));
    Bytes buffer = plain;
    buffer.resize(plain.size() + kSrtpTailRoom);
    const auto size = send.protect_rtcp(buffer, plain.size());
    ASSERT_TRUE(size);
    buffer.resize(*size);
    const Bytes wire = buffer;
    const auto back = receive.unprotect_rtcp(buffer, buffer.size());
    ASSERT_TRUE(back);
    buffer.resize(*back);
    EXPECT_EQ(buffer, plain);
    Bytes again = wire;
    EXPECT_EQ(receive.unprotect_rtcp(again, again.size()).error(), SrtpError::kReplayed);
    for (std::size_t cut = 0; cut < wire.size(); ++cut) {
      Bytes part(wire.begin(), wire.begin() + static_cast<std::ptrdiff_t>(cut));
      EXPECT_FALSE(receive.unprotect_rtcp(part, part.size())) << cut;
    }
  }
}

TEST(Srtp, ShortPacketsAndMissingRoomAndWrongKeysAreNamed) {
  auto [send, receive] = pair_of(SrtpSuite::kAesCm128HmacSha1_80);
  Bytes packet = speech(1);
  EXPECT_EQ(send.protect_rtp(packet, packet.size()).error(), SrtpError::kNoRoom);
  EXPECT_EQ(send.protect_rtp(packet, packet.size() + 1).error(), SrtpError::kNoRoom);
  for (std::size_t size = 0; size < 26; ++size) {
    Bytes part(packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(receive.unprotect_rtp(part, part.size())) << size;
  }
  Bytes lying(16, 0);
  lying[0] = 0x9f;  // fifteen CSRCs and an extension that are not there
  EXPECT_FALSE(receive.unprotect_rtp(lying, lying.size()));
  EXPECT_EQ(SrtpSession::make(Role::kSend, SrtpSuite::kAeadAes256Gcm, "short").error(),
            SrtpError::kKeyLength);
}

}  // namespace
}  // namespace bw::rtp
