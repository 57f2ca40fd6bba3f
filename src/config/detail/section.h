// One mapping of the file while it is read. Which keys exist is told by asking for them: what nobody asked
// for is unknown, and the nearest of those asked for was probably meant.
#pragma once

#include <array>
#include <boost/json/object.hpp>
#include <concepts>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/detail/environment.h"
#include "config/detail/tree.h"
#include "config/load.h"

namespace bw::config::detail {

// What all sections of one load share.
class Reading {
 public:
  Reading(const Tree& tree, const Environment& env, const Limits& limits, std::vector<Problem>& problems)
      : tree_(tree), env_(env), limits_(limits), problems_(problems) {}

  const Node& node(NodeIndex index) const { return tree_.nodes[index]; }
  const Environment& env() const { return env_; }
  const Limits& limits() const { return limits_; }
  void report(Place place, std::string_view key, std::string message, std::string allowed = {},
              std::string_view nearest = {}, Severity severity = Severity::kError);
  // Aliases let a short file hold very much; false when too much of it was read already.
  bool spend(Place place);
  bool full() const { return problems_.size() > limits_.problems; }
  // Where the key was given; none: it was not.
  std::optional<Place> given(std::string_view path) const;
  void remember(std::string path, Place place) { places_.insert_or_assign(std::move(path), place); }
  const std::map<std::string, Place, std::less<>>& places() const { return places_; }

 private:
  const Tree& tree_;
  const Environment& env_;
  const Limits& limits_;
  std::vector<Problem>& problems_;
  std::size_t spent_ = 0;
  std::map<std::string, Place, std::less<>> places_;
};

// A scalar after the environment was put in.
struct Scalar {
  std::string text;
  std::string shown;  // as written in the file, so that a message never shows what a variable holds
  Place place;
  std::string path;
};

template <typename E>
struct Word {
  std::string_view word;
  E value;
};

class Section {
 public:
  Section(Reading& reading, const Node& map, std::string path, bool wanted)
      : reading_(reading), map_(map), path_(std::move(path)), wanted_(wanted) {}
  // Nothing is read; what the structures hold goes into `shown`, key by key (config/document.h). `nothing`: a
  // mapping without entries.
  Section(Reading& reading, const Node& nothing, boost::json::object& shown)
      : reading_(reading), map_(nothing), wanted_(false), shown_(&shown) {}

  Reading& reading() { return reading_; }
  const std::string& path() const { return path_; }
  std::string path_of(std::string_view key) const;
  Place place() const { return map_.place; }
  // A variable that is missing in a part that is off is no error: the default stays.
  void want_only_if(bool on) { wanted_ = wanted_ && on; }
  template <typename F>
  void only_while(bool on, F&& read) {
    const bool before = std::exchange(wanted_, wanted_ && on);
    read();
    wanted_ = before;
  }

  // Each leaves `out` as it is when the key is absent, empty (null) or wrong; the latter is reported.
  void text(std::string_view key, std::string& out, std::size_t longest = 255);
  void secret(std::string_view key, Secret<std::string>& out);
  void person(std::string_view key, Personal<std::string>& out, std::size_t longest = 255);
  void flag(std::string_view key, bool& out);
  void number(std::string_view key, std::uint32_t& out, std::uint32_t least, std::uint32_t most);
  void number(std::string_view key, std::optional<std::uint32_t>& out, std::uint32_t least,
              std::uint32_t most);
  void number_or_zero(std::string_view key, std::optional<std::uint32_t>& out, std::uint32_t least,
                      std::uint32_t most);
  void number(std::string_view key, std::uint16_t& out, std::uint16_t least, std::uint16_t most = 65535);
  void duration(std::string_view key, std::chrono::seconds& out, std::uint32_t least, std::uint32_t most);
  void time_of_day(std::string_view key, std::optional<TimeOfDay>& out);
  void addresses(std::string_view key, std::vector<IpAddress>& out);  // one or a list; "localhost"
  void networks(std::string_view key, std::vector<Network>& out);
  void pattern(std::string_view key, std::string& out);  // RE2
  void extension(std::string_view key, std::string& out, std::size_t shortest = 1);
  void dialable(std::string_view key, std::string& out);  // digits, '*', '#', a leading '+'
  void url(std::string_view key, std::string& out, std::span<const std::string_view> schemes);
  void texts(std::string_view key, std::vector<std::string>& out, std::size_t longest = 255);
  void extensions(std::string_view key, std::vector<std::string>& out);
  void headers(std::string_view key, Headers& out);
  void grants(std::string_view key, std::map<std::string, std::vector<std::string>>& out);
  void ignored(std::string_view key);  // known from old files, without meaning now
  // For those who read by find_scalar() themselves: true means that the value was shown and nothing is read.
  bool show(std::string_view key, boost::json::value&& value) {
    if (shown_ != nullptr) shown_->insert_or_assign({key.data(), key.size()}, std::move(value));
    return shown_ != nullptr;
  }
  bool show(std::string_view key, const std::string& text) {
    return show(key, boost::json::value(boost::json::string_view(text)));
  }
  // Every key that was not asked for, dotted if deeper; those that look like slips stay for done().
  void others(std::map<std::string, Secret<std::string>>& out);

  template <typename E>
  void choice(std::string_view key, E& out, std::span<const Word<E>> words) {
    if (shown_ != nullptr) return static_cast<void>(show(key, word_for(out, words)));
    if (const auto scalar = find_scalar(key)) {
      if (const auto index = choose(*scalar, words_of(words))) out = words[*index].value;
    }
  }
  template <typename E>
  void choices(std::string_view key, std::vector<E>& out, std::span<const Word<E>> words) {
    if (shown_ != nullptr) {
      boost::json::array all;
      for (const E value : out) all.push_back(word_for(value, words));
      return static_cast<void>(show(key, std::move(all)));
    }
    const auto scalars = find_scalars(key);
    if (!scalars) return;
    std::vector<E> values;
    for (const Scalar& scalar : *scalars) {
      if (const auto index = choose(scalar, words_of(words))) values.push_back(words[*index].value);
    }
    if (values.size() == scalars->size()) out = std::move(values);
  }
  template <typename T>
  void section(std::string_view key, T& out, void (*read)(Section&, T&)) {
    if (shown_ != nullptr) return static_cast<void>(show(key, show_one(out, read)));
    if (const auto node = find(key, Node::Kind::kMap)) read_one(*node, path_of(key), out, read);
  }
  template <typename T>
  void list(std::string_view key, std::vector<T>& out, void (*read)(Section&, T&)) {
    if (shown_ != nullptr) {
      boost::json::array all;
      for (T& item : out) all.push_back(show_one(item, read));
      return static_cast<void>(show(key, std::move(all)));
    }
    const auto node = find(key, Node::Kind::kList);
    if (!node) return;
    out.clear();
    for (std::size_t i = 0; i < reading_.node(*node).items.size(); ++i) {
      const NodeIndex item = reading_.node(*node).items[i];
      const std::string path = path_of(key) + '[' + std::to_string(i) + ']';
      const Place place = reading_.node(item).place;
      if (!reading_.spend(place)) return;
      reading_.remember(path, place);
      if (reading_.node(item).kind != Node::Kind::kMap) {
        reading_.report(place, path, "must be a mapping (key: value)");
        continue;
      }
      read_one(item, path, out.emplace_back(), read);
    }
  }
  // After the last question: reports the keys nobody asked for.
  void done();

  std::optional<Scalar> find_scalar(std::string_view key, std::size_t longest = 8192);
  std::optional<std::vector<Scalar>> find_scalars(std::string_view key);
  void complain(const Scalar& scalar, std::string message, std::string allowed = {});

 private:
  template <typename T>
  void read_one(NodeIndex node, std::string path, T& out, void (*read)(Section&, T&)) {
    Section inner(reading_, reading_.node(node), std::move(path), wanted_);
    read(inner, out);
    inner.done();
  }
  template <typename T>
  boost::json::object show_one(T& value, void (*read)(Section&, T&)) {
    boost::json::object inner;
    Section section(reading_, map_, inner);
    read(section, value);
    return inner;
  }
  // The first word that stands for it: the others are of old files.
  template <typename E>
  static boost::json::value word_for(E value, std::span<const Word<E>> words) {
    for (const Word<E>& w : words) {
      if (w.value == value) return boost::json::string_view(w.word.data(), w.word.size());
    }
    return nullptr;
  }
  template <typename E>
  static std::vector<std::string_view> words_of(std::span<const Word<E>> words) {
    std::vector<std::string_view> out;
    for (const Word<E>& w : words) out.push_back(w.word);
    return out;
  }
  const Entry* ask(std::string_view key);
  bool was_asked(std::string_view key) const;
  std::optional<NodeIndex> find(std::string_view key, Node::Kind kind);
  std::optional<Scalar> scalar_of(NodeIndex node, Place place, std::string path);
  std::optional<std::size_t> choose(const Scalar& scalar, const std::vector<std::string_view>& words);
  std::optional<std::uint32_t> whole_number(std::string_view key, std::uint32_t least, std::uint32_t most,
                                            bool or_zero = false);
  std::optional<std::string> digits(const Scalar& scalar, std::size_t shortest);
  std::vector<std::string> granted(const Entry& entry, const std::string& path);
  void flatten(NodeIndex node, Place place, const std::string& name,
               std::map<std::string, Secret<std::string>>& out);

  Reading& reading_;
  const Node& map_;
  std::string path_;
  bool wanted_;
  boost::json::object* shown_ = nullptr;
  bool open_ended_ = false;              // others() took what is not a slip
  std::vector<std::string_view> asked_;  // literals of the callers
};

}  // namespace bw::config::detail
