// The recordings that callers hear, from their files.
#pragma once

#include <optional>
#include <string>

#include "model/prompt.h"

namespace bw::server {

// What there is of them in `directory`; longer ones than a minute, and an empty name, are none. Blocks on the
// disk.
model::Prompts read_prompts(const std::string& directory);
// Which are not there, and what to do, in a sentence; none if all are, or if `directory` is empty: nobody
// wants them.
std::optional<std::string> lack_of_prompts(const model::Prompts& prompts, const std::string& directory);

}  // namespace bw::server
