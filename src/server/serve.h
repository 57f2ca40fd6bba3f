// `bellwire serve`.
#pragma once

#include <string>

namespace bw::server {

struct ServeOptions {
  std::string config;  // empty: ./config.yml if it is there, else the defaults
  std::string data;    // empty: default_data_directory()
};

// Until a signal ends it. Answers an ExitCode.
int serve(const ServeOptions& options);

}  // namespace bw::server
