#include "config/detail/tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

namespace bw::config::detail {
namespace {

Place place_of(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {mark.line + 1, mark.column + 1};
}

// Builds the tree from the events of one document. yaml-cpp calls it depth first, so the open containers are
// a stack. It stops the parser at a limit by the exception the parser itself uses.
class Builder final : public YAML::EventHandler {
 public:
  Builder(Tree& tree, const Limits& limits) : tree_(tree), limits_(limits) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    place_node(make(Node::Kind::kNull, mark, anchor), mark);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto it = anchors_.find(anchor);
    const bool open = it == anchors_.end() ||
                      std::ranges::any_of(open_, [&](const Open& o) { return o.node == it->second; });
    if (open) throw YAML::ParserException(mark, "an alias inside of what it stands for");
    count(mark);
    place_node(it->second, mark);
  }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                const std::string& value) override {
    if (value.size() > limits_.value_bytes) throw YAML::ParserException(mark, "a value that is too long");
    const NodeIndex node = make(Node::Kind::kScalar, mark, anchor);
    tree_.nodes[node].text = value;
    place_node(node, mark);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    enter(Node::Kind::kList, mark, anchor);
  }
  void OnSequenceEnd() override { open_.pop_back(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    enter(Node::Kind::kMap, mark, anchor);
  }
  void OnMapEnd() override {
    merge(open_.back());
    open_.pop_back();
  }

 private:
  struct Open {
    NodeIndex node = 0;
    std::optional<Entry> key{};          // read, its value is next
    std::string at{};                    // the key whose value is being read
    std::map<std::string, int> lines{};  // of the keys so far
    std::vector<std::pair<NodeIndex, Place>> merges{};
  };

  void count(const YAML::Mark& mark) {
    if (++count_ > limits_.values) throw YAML::ParserException(mark, "too many values in one file");
  }

  NodeIndex make(Node::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    count(mark);
    const NodeIndex index = tree_.nodes.size();
    tree_.nodes.push_back({.kind = kind, .place = place_of(mark)});
    if (anchor != 0) anchors_[anchor] = index;
    return index;
  }

  void enter(Node::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (open_.size() >= limits_.depth) throw YAML::ParserException(mark, "nested too deep");
    const NodeIndex node = make(kind, mark, anchor);
    place_node(node, mark);
    open_.push_back({.node = node});
  }

  // Puts a finished (or just opened) node where the document has it.
  void place_node(NodeIndex node, const YAML::Mark& mark) {
    if (open_.empty()) return;  // the root
    Open& parent = open_.back();
    Node& container = tree_.nodes[parent.node];
    if (container.kind == Node::Kind::kList) {
      container.items.push_back(node);
    } else if (!parent.key) {
      if (tree_.nodes[node].kind != Node::Kind::kScalar)
        throw YAML::ParserException(mark, "a key must be a word");
      parent.key = Entry{tree_.nodes[node].text, place_of(mark), 0};
    } else {
      parent.key->value = node;
      add_entry(parent, *std::exchange(parent.key, std::nullopt));
    }
  }

  void add_entry(Open& map, Entry entry) {
    map.at = entry.key;
    if (entry.key == "<<") {
      map.merges.emplace_back(entry.value, entry.place);
      return;
    }
    const auto [it, fresh] = map.lines.emplace(entry.key, entry.place.line);
    if (fresh) {
      tree_.nodes[map.node].entries.push_back(std::move(entry));
      return;
    }
    Problem p{.line = entry.place.line, .column = entry.place.column, .key = path_to(entry.key)};
    p.message = "given twice, first in line " + std::to_string(it->second);
    if (tree_.problems.size() < limits_.problems) tree_.problems.push_back(std::move(p));
  }

  // The path of a key of the innermost open map.
  std::string path_to(const std::string& key) const {
    std::string path;
    for (std::size_t i = 0; i + 1 < open_.size(); ++i) {
      const Node& node = tree_.nodes[open_[i].node];
      if (node.kind == Node::Kind::kList) {
        path += '[' + std::to_string(node.items.size() - 1) + ']';
      } else {
        path += (path.empty() ? "" : ".") + open_[i].at;
      }
    }
    return path + (path.empty() ? "" : ".") + key;
  }

  // YAML 1.1 merge keys, which files of the earlier system may use: own keys win, then the first merged.
  void merge(Open& map) {
    for (const auto& [from, place] : map.merges) {
      const Node& source = tree_.nodes[from];
      std::vector<NodeIndex> maps = source.kind == Node::Kind::kList ? source.items : std::vector{from};
      for (const NodeIndex index : maps) merge_one(map, index, place);
    }
  }

  void merge_one(Open& map, NodeIndex from, Place place) {
    const YAML::Mark mark = YAML::Mark::null_mark();
    if (tree_.nodes[from].kind != Node::Kind::kMap || from == map.node) {
      Problem p{.line = place.line, .column = place.column, .key = path_to("<<")};
      p.message = "only mappings can be merged in";
      if (tree_.problems.size() < limits_.problems) tree_.problems.push_back(std::move(p));
      return;
    }
    for (std::size_t i = 0; i < tree_.nodes[from].entries.size(); ++i) {
      count(mark);  // what merging multiplies counts against the same limit
      Entry entry = tree_.nodes[from].entries[i];
      if (map.lines.emplace(entry.key, entry.place.line).second) {
        tree_.nodes[map.node].entries.push_back(std::move(entry));
      }
    }
  }

  Tree& tree_;
  const Limits& limits_;
  std::size_t count_ = 0;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, NodeIndex> anchors_;
};

// Accepts a second document only to say that there is one.
class Refuse final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override {
    throw YAML::ParserException(mark, "a second document (---); one file holds one");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
  }
  void OnMapEnd() override {}
};

// The parser's own words do not lead to the two slips that are made most.
std::string_view likely_slip(std::string_view yaml_text, int line) {
  for (; line > 1; --line) yaml_text.remove_prefix(std::min(yaml_text.find('\n'), yaml_text.size() - 1) + 1);
  yaml_text = yaml_text.substr(0, yaml_text.find('\n'));
  const std::string_view indent = yaml_text.substr(0, yaml_text.find_first_not_of(" \t"));
  if (indent.contains('\t')) return " (the line begins with a tab; YAML is indented with spaces)";
  const auto variable = yaml_text.find("${");
  if (variable != yaml_text.npos && yaml_text.substr(0, variable).find_first_of("{[") != yaml_text.npos)
    return " (within { } and [ ] a ${NAME} must stand in quotes)";
  return {};
}

Problem syntax_problem(const YAML::Exception& e, std::string_view yaml_text) {
  const Place place = place_of(e.mark);
  Problem p{.line = place.line, .column = place.column};
  p.message = "not readable as YAML: " + e.msg;
  p.message += likely_slip(yaml_text, place.line);
  return p;
}

}  // namespace

Tree parse_tree(std::string_view yaml_text, const Limits& limits) {
  Tree tree;
  if (yaml_text.size() > limits.file_bytes) {
    tree.problems.push_back({.message = "larger than " + std::to_string(limits.file_bytes) + " bytes"});
    return tree;
  }
  if (const auto nul = yaml_text.find('\0'); nul != yaml_text.npos) {
    const auto line = 1 + std::ranges::count(yaml_text.substr(0, nul), '\n');
    tree.problems.push_back({.line = static_cast<int>(line), .message = "a zero byte: not a text file"});
    return tree;
  }
  try {
    std::istringstream stream{std::string(yaml_text)};
    YAML::Parser parser(stream);
    Builder builder(tree, limits);
    Refuse refuse;
    if (parser.HandleNextDocument(builder)) parser.HandleNextDocument(refuse);
    tree.complete = true;
  } catch (const YAML::Exception& e) {
    tree.problems.push_back(syntax_problem(e, yaml_text));
  } catch (const std::exception&) {  // the parser's own containers: out of memory or range
    tree.problems.push_back({.message = "not readable as YAML"});
  }
  return tree;
}

}  // namespace bw::config::detail
