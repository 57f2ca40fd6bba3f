// Extensions as first values: written back as YAML, and compared with what the database holds now.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "model/extension.h"

namespace bw::config {

// The `extensions:` list of config.yml. Credentials are not in it: the database has digests only, and a
// digest is as good as a password to whoever reads the file; a comment in the text says so.
std::string write_yaml(std::span<const model::Extension> extensions);

// Where the file and the database say different things. The database is right.
struct Difference {
  std::string number;
  std::string key;   // "name", "forward.busy"; empty: the extension as a whole
  std::string file;  // its value there; never a credential
  std::string database;
};
// Credentials are compared only if the file's extension has them.
std::vector<Difference> differences(std::span<const model::Extension> file,
                                    std::span<const model::Extension> database);
std::string to_text(const Difference& difference);

}  // namespace bw::config
