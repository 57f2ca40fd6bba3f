// The server's side of TLS.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "io/detail/asio.h"
#include "io/front.h"

namespace bw::io::detail {

// TLS 1.2 and 1.3 with the certificate; why not, in words for the operator, if it cannot be used.
std::expected<std::unique_ptr<asio::ssl::context>, std::string> make_tls_context(const TlsFiles& files);

}  // namespace bw::io::detail
