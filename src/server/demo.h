// `bellwire demo`: an office on this machine alone, to try things out.
#pragma once

#include <cstdint>
#include <string>

namespace bw::server {

struct DemoOptions {
  std::string data;  // empty: a directory that is removed at the end
  std::uint16_t sip_port = 5060;
  std::uint16_t sip_tls_port = 5061;
  std::uint16_t http_port = 8080;
  std::uint16_t https_port = 8443;
};

// Until a signal ends it. Answers an ExitCode.
int demo(const DemoOptions& options);

}  // namespace bw::server
