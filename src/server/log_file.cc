#include "server/log_file.h"

#include <fcntl.h>

#include <system_error>

#include "io/descriptor.h"

namespace bw::server {

std::string log_file_in(const std::filesystem::path& data_directory, const std::string& file) {
  return file.empty() ? file : (data_directory / file).string();  // an absolute path stays itself
}

void make_log_file(const std::string& file, mode_t mode) {
  const auto directory = std::filesystem::path{file}.parent_path();
  std::error_code ignored;
  if (!directory.empty()) std::filesystem::create_directories(directory, ignored);
  const io::Descriptor made{::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, mode)};
}

}  // namespace bw::server
