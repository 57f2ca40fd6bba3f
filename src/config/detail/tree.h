// The YAML text as a tree with places: what yaml-cpp's node API does not keep (duplicate keys, the line of a
// key) is taken from its events.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "config/load.h"

namespace bw::config::detail {

struct Place {  // from 1; 0: none
  int line = 0;
  int column = 0;
};

using NodeIndex = std::size_t;

struct Entry {
  std::string key;
  Place place;
  NodeIndex value = 0;
};

struct Node {
  enum class Kind : std::uint8_t { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  Place place;
  std::string text{};              // kScalar
  std::vector<NodeIndex> items{};  // kList; an alias is the index of the node it names
  std::vector<Entry> entries{};    // kMap; no key twice, merge keys (<<) resolved
};

struct Tree {
  std::vector<Node> nodes;        // the first is the root; empty: the text holds nothing
  std::vector<Problem> problems;  // syntax, duplicates, limits; `file` is not filled in
  bool complete = false;          // false: stopped at a syntax error or a limit, `nodes` is not to be read
};

Tree parse_tree(std::string_view yaml_text, const Limits& limits);

}  // namespace bw::config::detail
