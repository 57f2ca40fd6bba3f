// Who and what there is: an immutable snapshot, replaced as a whole when something changes.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/strong.h"
#include "model/extension.h"

namespace bw::model {

struct Directory {
  std::unordered_map<std::string, Extension, TextHash, std::equal_to<>> extensions;  // by number

  const Extension* find(std::string_view number) const {
    const auto it = extensions.find(number);
    return it == extensions.end() ? nullptr : &it->second;
  }
};

using DirectorySnapshot = std::shared_ptr<const Directory>;

}  // namespace bw::model
