// Log files name persons and their calls: not everybody of the machine may read them.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

namespace bw::server {

constexpr mode_t kLogFileMode = 0640;  // its group reads it: who looks after the machine
constexpr mode_t kAuditFileMode = 0600;

// Where a log file of the configuration lies: a relative name is one below the data directory. Empty: none.
std::string log_file_in(const std::filesystem::path& data_directory, const std::string& file);

// Makes the file, and the directory it lies in, unless it is there: whose it was before keeps its rights.
// Says nothing of failures: whoever opens the file to write meets them again.
void make_log_file(const std::string& file, mode_t mode);

}  // namespace bw::server
