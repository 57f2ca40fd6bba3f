#include "io/certificate.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "io/descriptor.h"

namespace bw::io {
namespace {

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* p) const {
    Free(p);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Names = std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>>;

constexpr Duration kDay = std::chrono::hours{24};
constexpr Duration kAuthorityLife = 3650 * kDay;
constexpr Duration kCertificateLife = 397 * kDay;  // browsers take no longer ones
constexpr Duration kRenewBefore = 30 * kDay;

std::string openssl_error(std::string_view what) {
  char text[256];
  ERR_error_string_n(ERR_get_error(), text, sizeof text);
  return fmt::format("{}: {}", what, text);
}

Key make_key() {
  return Key{EVP_EC_gen("P-256")};
}

std::expected<std::string, std::string> read_file(const std::filesystem::path& path) {
  const Bio in{BIO_new_file(path.c_str(), "rb")};
  if (!in) return std::unexpected(fmt::format("cannot read {}: {}", path.string(), std::strerror(errno)));
  std::string text(1U << 20U, '\0');
  const int n = BIO_read(in.get(), text.data(), static_cast<int>(text.size()));
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return text;
}

// Whole or not at all: a crash leaves the old file, never half a new one.
std::expected<void, std::string> write_private(const std::filesystem::path& path, std::string_view text) {
  const std::filesystem::path fresh = path.string() + ".new";
  const auto failed = [&] {
    return std::unexpected(fmt::format("cannot write {}: {}", path.string(), std::strerror(errno)));
  };
  ::unlink(fresh.c_str());
  const Descriptor fd{::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (!fd) return failed();
  if (::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) return failed();
  if (::fsync(fd.get()) != 0 || ::rename(fresh.c_str(), path.c_str()) != 0) return failed();
  return {};
}

std::string contents(BIO* bio) {
  const char* data = nullptr;
  const long n = BIO_get_mem_data(bio, &data);
  return n > 0 ? std::string(data, static_cast<std::size_t>(n)) : std::string{};
}

std::string to_pem(EVP_PKEY* key) {
  const Bio out{BIO_new(BIO_s_mem())};
  PEM_write_bio_PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return contents(out.get());
}

std::string to_pem(X509* certificate) {
  const Bio out{BIO_new(BIO_s_mem())};
  PEM_write_bio_X509(out.get(), certificate);
  return contents(out.get());
}

Key key_from_pem(std::string_view pem) {
  const Bio in{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
  return Key{PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr)};
}

Certificate certificate_from_pem(std::string_view pem) {
  const Bio in{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
  return Certificate{PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)};
}

std::string alternative_names(const CertificateNames& names) {
  std::string text;
  for (const std::string& host : names.hosts) text += fmt::format("{}DNS:{}", text.empty() ? "" : ",", host);
  for (const IpAddress& ip : names.addresses) {
    text += fmt::format("{}IP:{}", text.empty() ? "" : ",", ip.to_string());
  }
  return text;
}

bool add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  using Extension = std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>>;
  const Extension extension{X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str())};
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

struct Wanted {
  std::string common_name;
  Duration life;
  std::vector<std::pair<int, std::string>> extensions;
};

// `issuer` null: signed by itself.
Certificate make_certificate(const Wanted& wanted, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key,
                             Instant now) {
  Certificate made{X509_new()};
  X509* c = made.get();
  if (c == nullptr || X509_set_version(c, X509_VERSION_3) != 1) return nullptr;
  std::array<unsigned char, 16> serial{};
  if (RAND_bytes(serial.data(), serial.size()) != 1) return nullptr;
  serial[0] &= 0x7F;  // positive
  using Number = std::unique_ptr<BIGNUM, Freed<BN_free>>;
  const Number number{BN_bin2bn(serial.data(), serial.size(), nullptr)};
  BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(c));
  // An hour back: clocks of phones are rarely right.
  ASN1_TIME_set(X509_getm_notBefore(c), static_cast<time_t>((now - std::chrono::hours{1}).unix_s()));
  ASN1_TIME_set(X509_getm_notAfter(c), static_cast<time_t>((now + wanted.life).unix_s()));
  X509_NAME* name = X509_get_subject_name(c);
  const auto text = reinterpret_cast<const unsigned char*>(wanted.common_name.c_str());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, text, -1, -1, 0);
  X509_set_issuer_name(c, issuer != nullptr ? X509_get_subject_name(issuer) : name);
  X509_set_pubkey(c, key);
  for (const auto& [nid, value] : wanted.extensions) {
    if (!add_extension(c, issuer != nullptr ? issuer : c, nid, value)) return nullptr;
  }
  if (X509_sign(c, issuer_key, EVP_sha256()) == 0) return nullptr;
  return made;
}

struct Authority {
  Certificate certificate;
  Key key;
};

std::expected<Authority, std::string> make_authority(const std::filesystem::path& directory, Instant now) {
  Authority a{nullptr, make_key()};
  if (!a.key) return std::unexpected(openssl_error("cannot make a key"));
  const Wanted wanted{"Bellwire authority of this server",
                      kAuthorityLife,
                      {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                       {NID_key_usage, "critical,keyCertSign,cRLSign"},
                       {NID_subject_key_identifier, "hash"}}};
  a.certificate = make_certificate(wanted, a.key.get(), nullptr, a.key.get(), now);
  if (!a.certificate) return std::unexpected(openssl_error("cannot make the authority"));
  if (auto r = write_private(directory / "authority.key", to_pem(a.key.get())); !r)
    return std::unexpected(r.error());
  if (auto r = write_private(directory / "authority.pem", to_pem(a.certificate.get())); !r) {
    return std::unexpected(r.error());
  }
  return a;
}

std::expected<Authority, std::string> authority(const std::filesystem::path& directory, Instant now) {
  const auto key_path = directory / "authority.key";
  const auto certificate_path = directory / "authority.pem";
  if (!std::filesystem::exists(key_path) || !std::filesystem::exists(certificate_path)) {
    return make_authority(directory, now);
  }
  const auto key = read_file(key_path);
  if (!key) return std::unexpected(key.error());
  const auto certificate = read_file(certificate_path);
  if (!certificate) return std::unexpected(certificate.error());
  Authority a{certificate_from_pem(*certificate), key_from_pem(*key)};
  if (!a.certificate || !a.key || X509_check_private_key(a.certificate.get(), a.key.get()) != 1) {
    return std::unexpected(
        fmt::format("{} and {} are damaged or do not belong together; remove both to get new ones",
                    key_path.string(), certificate_path.string()));
  }
  return a;
}

Instant to_instant(const ASN1_TIME* time) {
  std::tm tm{};
  if (ASN1_TIME_to_tm(time, &tm) != 1) return {};
  return Instant{std::chrono::seconds{::timegm(&tm)}};
}

std::string to_text(const GENERAL_NAME* name) {
  if (name->type == GEN_DNS) {
    const ASN1_IA5STRING* text = name->d.dNSName;
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
            static_cast<std::size_t>(ASN1_STRING_length(text))};
  }
  if (name->type != GEN_IPADD) return {};
  const unsigned char* bytes = ASN1_STRING_get0_data(name->d.iPAddress);
  const int length = ASN1_STRING_length(name->d.iPAddress);
  if (length == 4) {
    const auto part = [&](int i) { return static_cast<std::uint32_t>(bytes[i]) << (24 - 8 * i); };
    return IpAddress::v4(part(0) | part(1) | part(2) | part(3)).to_string();
  }
  if (length != 16) return {};
  std::array<std::uint8_t, 16> v6{};
  std::copy_n(bytes, 16, v6.begin());
  return IpAddress::v6(v6).to_string();
}

bool good_enough(const CertificateFacts& facts, const CertificateNames& names, Instant now) {
  const auto has = [&](const std::string& name) {
    return std::ranges::find(facts.names, name) != facts.names.end();
  };
  return facts.not_after > now + kRenewBefore && facts.not_before <= now &&
         std::ranges::all_of(names.hosts, has) &&
         std::ranges::all_of(names.addresses, [&](const IpAddress& ip) { return has(ip.to_string()); });
}

std::expected<void, std::string> make_server_certificate(const std::filesystem::path& directory,
                                                         const TlsFiles& files, const CertificateNames& names,
                                                         Instant now) {
  const auto issuer = authority(directory, now);
  if (!issuer) return std::unexpected(issuer.error());
  const Key key = make_key();
  if (!key) return std::unexpected(openssl_error("cannot make a key"));
  const Wanted wanted{names.hosts.empty() ? "bellwire" : names.hosts.front().substr(0, 64),
                      kCertificateLife,
                      {{NID_basic_constraints, "critical,CA:FALSE"},
                       {NID_key_usage, "critical,digitalSignature"},
                       {NID_ext_key_usage, "serverAuth,clientAuth"},
                       {NID_subject_key_identifier, "hash"},
                       {NID_authority_key_identifier, "keyid"},
                       {NID_subject_alt_name, alternative_names(names)}}};
  const Certificate made =
      make_certificate(wanted, key.get(), issuer->certificate.get(), issuer->key.get(), now);
  if (!made) return std::unexpected(openssl_error("cannot make the certificate"));
  if (auto r = write_private(files.key, to_pem(key.get())); !r) return r;
  return write_private(files.certificate, to_pem(made.get()) + to_pem(issuer->certificate.get()));
}

}  // namespace

std::expected<CertificateFacts, std::string> read_certificate(const std::string& file) {
  const auto text = read_file(file);
  if (!text) return std::unexpected(text.error());
  const Certificate c = certificate_from_pem(*text);
  if (!c) return std::unexpected(fmt::format("{} holds no certificate", file));
  CertificateFacts facts;
  facts.not_before = to_instant(X509_get0_notBefore(c.get()));
  facts.not_after = to_instant(X509_get0_notAfter(c.get()));
  char subject[256];
  X509_NAME_oneline(X509_get_subject_name(c.get()), subject, sizeof subject);
  facts.subject = subject;
  const Names names{
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(c.get(), NID_subject_alt_name, nullptr, nullptr))};
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    facts.names.push_back(to_text(sk_GENERAL_NAME_value(names.get(), i)));
  }
  return facts;
}

std::expected<TlsFiles, std::string> own_certificate(const std::filesystem::path& directory,
                                                     const CertificateNames& names, Instant now) {
  const TlsFiles files{directory / "tls.pem", directory / "tls.key"};
  if (std::filesystem::exists(files.key)) {
    const auto facts = read_certificate(files.certificate);
    if (facts && good_enough(*facts, names, now)) return files;
  }
  if (auto r = make_server_certificate(directory, files, names, now); !r) return std::unexpected(r.error());
  return files;
}

std::expected<webrtc::DtlsCertificate, std::string> dtls_certificate(const std::filesystem::path& directory,
                                                                     Instant now) {
  const auto certificate_path = directory / "dtls.pem";
  const auto key_path = directory / "dtls.key";
  if (std::filesystem::exists(key_path)) {
    const auto certificate = read_file(certificate_path);
    const auto key = read_file(key_path);
    const auto facts = read_certificate(certificate_path);
    if (certificate && key && facts && facts->not_after > now + kRenewBefore) {
      webrtc::DtlsCertificate found{*certificate, Secret{*key}};
      if (webrtc::DtlsContext::make(found)) return found;
    }
  }
  const Key key = make_key();
  if (!key) return std::unexpected(openssl_error("cannot make a key"));
  const Certificate made =
      make_certificate({"bellwire", kAuthorityLife, {}}, key.get(), nullptr, key.get(), now);
  if (!made) return std::unexpected(openssl_error("cannot make the DTLS certificate"));
  webrtc::DtlsCertificate fresh{to_pem(made.get()), Secret{to_pem(key.get())}};
  if (auto r = write_private(key_path, fresh.key.reveal()); !r) return std::unexpected(r.error());
  if (auto r = write_private(certificate_path, fresh.certificate); !r) return std::unexpected(r.error());
  return fresh;
}

}  // namespace bw::io
