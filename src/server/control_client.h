// The commands' way to a running server: one HTTP request over its control socket.
#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <string_view>

namespace bw::server {

struct ControlAnswer {
  int status = 0;
  std::string body;
};

// Blocks, at most two minutes. The error says that no server answers there.
std::expected<ControlAnswer, std::string> ask_server(const std::filesystem::path& data_directory,
                                                     std::string_view method, std::string_view target,
                                                     std::string_view body = {});

}  // namespace bw::server
