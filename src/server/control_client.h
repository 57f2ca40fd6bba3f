// The commands' way to a running server: one HTTP request over its control socket.
#pragma once

#include <expected>
#include <filesystem>
#include <functional>
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

// An answer without end, as http-api streams give it: each line goes to `on_line` (nothing of the head) until
// it answers false or the server ends. A refusal comes back whole, with its status and body.
using OnLine = std::function<bool(std::string_view)>;
std::expected<ControlAnswer, std::string> follow_server(const std::filesystem::path& data_directory,
                                                        std::string_view target, const OnLine& on_line);

}  // namespace bw::server
