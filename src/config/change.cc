#include "config/change.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <optional>
#include <set>

#include "config/detail/tree.h"
#include "config/document.h"

namespace bw::config {
namespace {

namespace json = boost::json;

std::string_view view(json::string_view text) {
  return {text.data(), text.size()};
}

std::string join(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : path + '.' + std::string(key);
}

bool is_mask(const json::value& v) {
  return v.is_string() && v.get_string() == kMask;
}

const json::value* member(const json::value& of, std::string_view key) {
  const json::object* o = of.if_object();
  return o == nullptr ? nullptr : o->if_contains(key);
}

YAML::Node member(const YAML::Node& of, std::string_view key) {
  if (!of.IsDefined() || !of.IsMap()) return YAML::Node(YAML::NodeType::Undefined);
  return of[std::string(key)];
}

// The item of `items` that the patch means: the same number, name or address, else the same place.
std::optional<std::size_t> partner(const json::value& item, std::size_t place, const json::value* items) {
  const json::array* all = items == nullptr ? nullptr : items->if_array();
  if (all == nullptr || !item.is_object()) return std::nullopt;
  for (const char* key : {"number", "mac", "extension", "digit", "name", "url", "pattern"}) {
    const json::value* wanted = member(item, key);
    if (wanted == nullptr || !wanted->is_string() || wanted->get_string().empty()) continue;
    for (std::size_t i = 0; i < all->size(); ++i) {
      const json::value* held = member((*all)[i], key);
      if (held != nullptr && *held == *wanted) return i;
    }
    return std::nullopt;  // a new one
  }
  return place < all->size() ? std::optional(place) : std::nullopt;
}

class Editing {
 public:
  Editing(YAML::Node root, Change& out) : root_(std::move(root)), out_(out) {}

  // Where `wanted` differs from what is in force, `node` (a mapping of the file) is changed.
  void merge(YAML::Node node, const json::object& in_force, const json::object& wanted,
             const std::string& path) {
    for (const auto& entry : wanted) {
      const std::string key(view(entry.key()));
      const std::string at = join(path, key);
      const json::value* held = in_force.if_contains(entry.key());
      if (held != nullptr && *held == entry.value()) continue;
      if (entry.value().is_null()) {
        remove(node, key, at);
      } else if (entry.value().is_object() && held != nullptr && held->is_object()) {
        merge_into(node, key, held->get_object(), entry.value().get_object(), at);
      } else {
        const YAML::Node value = written(entry.value(), held, member(node, key), at);
        node[key] = value;
        note(at);
      }
    }
  }
  const std::set<std::string>& sections() const { return sections_; }

 private:
  void merge_into(YAML::Node node, const std::string& key, const json::object& held,
                  const json::object& wanted, const std::string& at) {
    const YAML::Node before = member(node, key);
    YAML::Node inner = before.IsDefined() && before.IsMap() ? before : YAML::Node(YAML::NodeType::Map);
    const std::size_t changes = out_.keys.size();
    merge(inner, held, wanted, at);
    if (out_.keys.size() == changes) return;
    if (inner.size() == 0) {
      node.remove(key);
    } else if (!before.IsDefined() || !before.IsMap()) {
      node[key] = inner;
    }
  }

  void remove(YAML::Node node, const std::string& key, const std::string& at) {
    if (member(node, key).IsDefined() && node.remove(key)) note(at);
  }

  void note(const std::string& at) {
    out_.keys.push_back(at);
    sections_.insert(at.substr(0, at.find_first_of(".[")));
  }

  void complain(const std::string& at, std::string message, std::string allowed) {
    out_.problems.push_back({.key = at, .message = std::move(message), .allowed = std::move(allowed)});
  }

  // A value as YAML. What it shares with what is in force keeps the file's own words, so that secrets and
  // variables stay what they are.
  YAML::Node written(const json::value& wanted, const json::value* held, const YAML::Node& in_file,
                     const std::string& at) {
    if (wanted.is_object()) return written_map(wanted.get_object(), held, in_file, at);
    if (wanted.is_array()) return written_list(wanted.get_array(), held, in_file, at);
    const bool same = held != nullptr && *held == wanted;
    if (same && in_file.IsDefined()) return YAML::Clone(in_file);
    if (is_mask(wanted)) {
      complain(at, "there is no secret that this mask could stand for", "the secret itself");
      return {};
    }
    return scalar(wanted, at);
  }

  YAML::Node written_map(const json::object& wanted, const json::value* held, const YAML::Node& in_file,
                         const std::string& at) {
    YAML::Node out(YAML::NodeType::Map);
    for (const auto& entry : wanted) {
      const std::string key(view(entry.key()));
      const json::value* was = held == nullptr ? nullptr : member(*held, view(entry.key()));
      const YAML::Node before = member(in_file, key);
      // What is in force without standing in the file is a default, or comes from it.
      const bool only_default = was != nullptr && *was == entry.value() && in_file.IsDefined() &&
                                in_file.IsMap() && !before.IsDefined();
      if (!only_default) out[key] = written(entry.value(), was, before, join(at, key));
    }
    return out;
  }

  YAML::Node written_list(const json::array& wanted, const json::value* held, const YAML::Node& in_file,
                          const std::string& at) {
    YAML::Node out(YAML::NodeType::Sequence);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const auto from = partner(wanted[i], i, held);
      const json::value* was = from ? &held->get_array()[*from] : nullptr;
      YAML::Node before(YAML::NodeType::Undefined);
      if (from && in_file.IsDefined() && in_file.IsSequence() && *from < in_file.size())
        before = in_file[*from];
      out.push_back(written(wanted[i], was, before, at + '[' + std::to_string(i) + ']'));
    }
    return out;
  }

  YAML::Node scalar(const json::value& wanted, const std::string& at) {
    if (const auto* text = wanted.if_string()) {
      // Whoever may change the configuration need not be one who may read the environment of the server.
      if (text->find("${") != text->npos)
        complain(at, "variables can only be written in the file itself", "");
      YAML::Node out(std::string(text->data(), text->size()));
      out.SetTag("!");  // quoted, as a text must be
      return out;
    }
    if (wanted.is_null()) return YAML::Node(YAML::NodeType::Null);
    return YAML::Node(json::serialize(wanted));
  }

  YAML::Node root_;
  Change& out_;
  std::set<std::string> sections_;
};

std::string emitted(const YAML::Node& node) {
  YAML::Emitter out;
  out << node;
  return std::string(out.c_str()) + '\n';
}

// A line that belongs to what follows it, not to what stands before.
bool is_gap(std::string_view line) {
  const auto first = line.find_first_not_of(" \t\r");
  return first == line.npos || line[0] == '#';
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  return lines;
}

// The sections that changed are written anew in their places, new ones at the end; everything else stays.
std::string spliced(std::string_view text, const YAML::Node& root, const std::set<std::string>& sections) {
  const detail::Tree tree = detail::parse_tree(text, {});
  std::vector<detail::Entry> entries;
  if (!tree.nodes.empty()) entries = tree.nodes.front().entries;
  std::ranges::sort(entries, {}, [](const detail::Entry& e) { return e.place.line; });
  const auto lines = lines_of(text);
  std::string out;
  std::size_t at = 0;
  const auto copy_to = [&](std::size_t end) {
    for (; at < end && at < lines.size(); ++at) out += std::string(lines[at]) + '\n';
  };
  const auto write = [&](const std::string& key) {
    YAML::Node one(YAML::NodeType::Map);
    if (!member(root, key).IsDefined()) return;
    one[key] = root[key];
    out += emitted(one);
  };
  std::set<std::string> missing = sections;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (missing.erase(entries[i].key) == 0) continue;
    copy_to(static_cast<std::size_t>(entries[i].place.line - 1));
    write(entries[i].key);
    std::size_t end =
        i + 1 < entries.size() ? static_cast<std::size_t>(entries[i + 1].place.line - 1) : lines.size();
    while (end > at + 1 && is_gap(lines[end - 1])) --end;
    at = end;
  }
  copy_to(lines.size());
  for (const std::string& key : missing) write(key);
  return out;
}

}  // namespace

Change change(std::string_view yaml_text, const json::object& in_force, const json::object& wanted) {
  Change out;
  out.text = yaml_text;
  try {
    YAML::Node root = YAML::Load(std::string(yaml_text));
    if (!root.IsMap()) root = YAML::Node(YAML::NodeType::Map);
    Editing editing(root, out);
    editing.merge(root, in_force, wanted, "");
    if (out.keys.empty() || !out.problems.empty()) return out;
    // Anchors that others refer to, a file in one line: where cutting would not give the same, all of it is
    // written anew.
    const std::string whole = emitted(root);
    out.text = spliced(yaml_text, root, editing.sections());
    try {
      if (emitted(YAML::Load(out.text)) != whole) out.text = whole;
    } catch (const YAML::Exception&) {
      out.text = whole;
    }
  } catch (const YAML::Exception& e) {
    out.problems.push_back({.message = "the file cannot be changed: " + e.msg});
  }
  return out;
}

}  // namespace bw::config
