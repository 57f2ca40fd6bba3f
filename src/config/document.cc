#include "config/document.h"

#include "config/detail/read.h"

namespace bw::config {

// The readers know every key, so they are also those that show them: there is no second table.
boost::json::object document(const Config& config) {
  detail::Tree tree;
  tree.nodes.push_back({.kind = detail::Node::Kind::kMap, .place = {}});
  std::vector<Problem> problems;
  const Environment env;
  const Limits limits;
  detail::Reading reading(tree, env, limits, problems);
  boost::json::object shown;
  detail::Section section(reading, tree.nodes.front(), shown);
  Config copy = config;
  detail::read_config(section, copy);
  return shown;
}

}  // namespace bw::config
