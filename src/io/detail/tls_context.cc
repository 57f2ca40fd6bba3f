#include "io/detail/tls_context.h"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include "io/certificate.h"

namespace bw::io::detail {

std::expected<std::unique_ptr<asio::ssl::context>, std::string> make_tls_context(const TlsFiles& files) {
  auto context = std::make_unique<asio::ssl::context>(asio::ssl::context::tls);
  SSL_CTX* native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native,
                      SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  // Ephemeral key exchange and AEAD only; TLS 1.3 has nothing else.
  SSL_CTX_set_cipher_list(native, "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL");
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);  // 34 KiB less for every idle connection
  error_code error;
  context->use_certificate_chain_file(files.certificate, error);
  if (error) {
    return std::unexpected(
        fmt::format("cannot use the certificate {}: {}", files.certificate, error.message()));
  }
  context->use_private_key_file(files.key, asio::ssl::context::pem, error);
  if (error) return std::unexpected(fmt::format("cannot use the key {}: {}", files.key, error.message()));
  if (SSL_CTX_check_private_key(native) != 1) {
    return std::unexpected(
        fmt::format("the key {} does not belong to the certificate {}", files.key, files.certificate));
  }
  return context;
}

}  // namespace bw::io::detail

namespace bw::io {

std::expected<void, std::string> try_tls_files(const TlsFiles& files) {
  const auto context = detail::make_tls_context(files);
  if (!context) return std::unexpected(context.error());
  return {};
}

}  // namespace bw::io
