// `bellwire serve`.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "server/office.h"

namespace bw::server {

struct ServeOptions {
  std::string config;  // empty: ./config.yml if it is there, else the defaults
  std::string data;    // empty: default_data_directory()
};

// Until a signal ends it. Answers an ExitCode.
int serve(const ServeOptions& options);

// The same with a configuration at hand; `when_ready` is called once everything listens.
int run_office(OfficeSetup setup, const std::filesystem::path& data, const std::function<void()>& when_ready);

}  // namespace bw::server
