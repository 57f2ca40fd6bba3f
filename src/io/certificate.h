// The server's own authority and certificate, for as long as nobody gives it a better one.
#pragma once

#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "io/front.h"
#include "webrtc/dtls.h"

namespace bw::io {

struct CertificateNames {
  std::vector<std::string> hosts;  // the first one becomes the common name
  std::vector<IpAddress> addresses;
};

// Files in `directory`: authority.pem and authority.key, tls.pem (certificate and authority) and tls.key,
// mode 0600. Made when absent; the certificate is made anew, by the same authority, when it does not name all
// of `names` or ends within 30 days. Answers what to use, or why it could not be made.
std::expected<TlsFiles, std::string> own_certificate(const std::filesystem::path& directory,
                                                     const CertificateNames& names, Instant now);

// dtls.pem and dtls.key in `directory`, which browsers see behind every media connection; made when absent,
// damaged or at its end. Its fingerprint changes then, so not while connections live.
std::expected<webrtc::DtlsCertificate, std::string> dtls_certificate(const std::filesystem::path& directory,
                                                                     Instant now);

struct CertificateFacts {
  Instant not_before;
  Instant not_after;
  std::string subject;
  std::vector<std::string> names;  // of subjectAltName, addresses as text
};
std::expected<CertificateFacts, std::string> read_certificate(const std::string& file);
// Would a listener take them: a certificate, a key, and the one belongs to the other?
std::expected<void, std::string> try_tls_files(const TlsFiles& files);

}  // namespace bw::io
