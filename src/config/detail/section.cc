#include "config/detail/section.h"

#include <algorithm>
#include <utility>

#include "base/nearest.h"
#include "config/document.h"

namespace bw::config::detail {

void Reading::report(Place place, std::string_view key, std::string message, std::string allowed,
                     std::string_view nearest, Severity severity) {
  if (problems_.size() == limits_.problems) {
    problems_.push_back({.message = "and more problems than are shown here"});
  }
  if (problems_.size() > limits_.problems) return;
  problems_.push_back({.line = place.line,
                       .column = place.column,
                       .key = std::string(key),
                       .message = std::move(message),
                       .allowed = std::move(allowed),
                       .nearest = std::string(nearest),
                       .severity = severity});
}

bool Reading::spend(Place place) {
  ++spent_;
  if (spent_ == limits_.values + 1) report(place, "", "the aliases of this file stand for too many values");
  return spent_ <= limits_.values;
}

std::optional<Place> Reading::given(std::string_view path) const {
  const auto it = places_.find(path);
  return it == places_.end() ? std::nullopt : std::optional(it->second);
}

std::string Section::path_of(std::string_view key) const {
  std::string out = path_;
  if (!out.empty()) out += '.';
  return out += key;
}

const Entry* Section::ask(std::string_view key) {
  asked_.push_back(key);
  const auto it = std::ranges::find(map_.entries, key, &Entry::key);
  if (it == map_.entries.end() || !reading_.spend(it->place)) return nullptr;
  if (reading_.node(it->value).kind == Node::Kind::kNull) return nullptr;
  reading_.remember(path_of(key), it->place);
  return &*it;
}

bool Section::was_asked(std::string_view key) const {
  return std::ranges::find(asked_, key) != asked_.end();
}

std::optional<NodeIndex> Section::find(std::string_view key, Node::Kind kind) {
  const Entry* entry = ask(key);
  if (entry == nullptr) return std::nullopt;
  if (reading_.node(entry->value).kind == kind) return entry->value;
  reading_.report(entry->place, path_of(key),
                  kind == Node::Kind::kMap ? "must be a mapping (key: value)" : "must be a list");
  return std::nullopt;
}

std::optional<Scalar> Section::find_scalar(std::string_view key, std::size_t longest) {
  const Entry* entry = ask(key);
  if (entry == nullptr) return std::nullopt;
  auto scalar = scalar_of(entry->value, entry->place, path_of(key));
  if (scalar && scalar->text.size() > longest) {
    reading_.report(scalar->place, scalar->path, "too long", "at most " + std::to_string(longest) + " bytes");
    return std::nullopt;
  }
  return scalar;
}

// A single word where a list is expected is a list of one, as people write it.
std::optional<std::vector<Scalar>> Section::find_scalars(std::string_view key) {
  const Entry* entry = ask(key);
  if (entry == nullptr) return std::nullopt;
  const Node& node = reading_.node(entry->value);
  std::vector<Scalar> out;
  if (node.kind != Node::Kind::kList) {
    auto scalar = scalar_of(entry->value, entry->place, path_of(key));
    if (!scalar) return std::nullopt;
    if (!scalar->text.empty()) out.push_back(std::move(*scalar));
    return out;
  }
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const Place place = reading_.node(node.items[i]).place;
    if (!reading_.spend(place)) return std::nullopt;
    auto scalar = scalar_of(node.items[i], place, path_of(key) + '[' + std::to_string(i) + ']');
    if (scalar) out.push_back(std::move(*scalar));
  }
  return out;
}

std::optional<Scalar> Section::scalar_of(NodeIndex index, Place place, std::string path) {
  const Node& node = reading_.node(index);
  if (node.kind != Node::Kind::kScalar) {
    reading_.report(place, path, "must be a single value");
    return std::nullopt;
  }
  Expansion expansion = expand(node.text, reading_.env(), reading_.limits());
  switch (expansion.kind) {
    case Expansion::Kind::kDone:
      break;
    case Expansion::Kind::kMissing:
      if (wanted_) {
        reading_.report(node.place, path, "the environment variable " + expansion.name + " is not set",
                        "set it, or write ${" + expansion.name + ":-default}");
      }
      return std::nullopt;
    case Expansion::Kind::kMalformed:
      reading_.report(node.place, path, "not a variable", "${NAME} or ${NAME:-default}");
      return std::nullopt;
    case Expansion::Kind::kTooLong:
      reading_.report(node.place, path, "too long after the environment was put in");
      return std::nullopt;
  }
  return Scalar{std::move(expansion.text), node.text, node.place, std::move(path)};
}

void Section::complain(const Scalar& scalar, std::string message, std::string allowed) {
  reading_.report(scalar.place, scalar.path, std::move(message), std::move(allowed));
}

std::optional<std::size_t> Section::choose(const Scalar& scalar, const std::vector<std::string_view>& words) {
  std::string allowed;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (edit_distance(scalar.text, words[i]) == 0) return i;
    if (!allowed.contains(words[i])) allowed += (allowed.empty() ? "" : ", ") + std::string(words[i]);
  }
  reading_.report(scalar.place, scalar.path, '"' + scalar.shown + "\" is not one of the choices", allowed,
                  nearest(scalar.text, words));
  return std::nullopt;
}

void Section::others(std::map<std::string, Secret<std::string>>& out) {
  open_ended_ = true;
  if (shown_ != nullptr) {
    for (const auto& [name, value] : out) show(name, std::string(value.reveal().empty() ? "" : kMask));
  }
  for (const Entry& entry : map_.entries) {
    if (was_asked(entry.key) || !nearest(entry.key, asked_).empty()) continue;
    flatten(entry.value, entry.place, entry.key, out);
  }
}

void Section::flatten(NodeIndex index, Place place, const std::string& name,
                      std::map<std::string, Secret<std::string>>& out) {
  if (!reading_.spend(place)) return;
  const Node& node = reading_.node(index);
  switch (node.kind) {
    case Node::Kind::kNull:
      return;
    case Node::Kind::kScalar:
      if (auto scalar = scalar_of(index, place, path_of(name))) {
        out.insert_or_assign(name, Secret(std::move(scalar->text)));
      }
      return;
    case Node::Kind::kList:
      for (std::size_t i = 0; i < node.items.size(); ++i) {
        flatten(node.items[i], place, name + '[' + std::to_string(i) + ']', out);
      }
      return;
    case Node::Kind::kMap:
      for (const Entry& entry : node.entries) flatten(entry.value, entry.place, name + '.' + entry.key, out);
      return;
  }
}

void Section::done() {
  for (const Entry& entry : map_.entries) {
    if (was_asked(entry.key)) continue;
    if (reading_.full() || !reading_.spend(entry.place)) return;
    std::string known;
    for (const std::string_view key : asked_) {
      if (known.size() < 200) known += (known.empty() ? "" : ", ") + std::string(key);
    }
    const std::string_view near = nearest(entry.key, asked_);
    if (open_ended_ && near.empty()) continue;
    reading_.report(entry.place, path_of(entry.key), "unknown key", near.empty() ? known : std::string{},
                    near);
  }
}

}  // namespace bw::config::detail
