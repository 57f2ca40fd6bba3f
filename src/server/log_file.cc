#include "server/log_file.h"

#include <fcntl.h>

#include <filesystem>
#include <system_error>

#include "io/descriptor.h"

namespace bw::server {

void make_log_file(const std::string& file, mode_t mode) {
  const auto directory = std::filesystem::path{file}.parent_path();
  std::error_code ignored;
  if (!directory.empty()) std::filesystem::create_directories(directory, ignored);
  const io::Descriptor made{::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, mode)};
}

}  // namespace bw::server
