// Numbers and names that cannot be mistaken for each other.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace bw {

// An id handed out by counting; 0 means "none".
template <typename Tag>
struct StrongId {
  std::uint64_t value = 0;

  constexpr explicit operator bool() const { return value != 0; }
  friend constexpr auto operator<=>(StrongId, StrongId) = default;
};

// A text with a meaning of its own (an extension number, a Call-ID).
template <typename Tag>
struct StrongString {
  std::string value;

  StrongString() = default;
  explicit StrongString(std::string v) : value(std::move(v)) {}
  explicit StrongString(std::string_view v) : value(v) {}
  explicit StrongString(const char* v) : value(v) {}
  bool empty() const { return value.empty(); }
  std::string_view view() const { return value; }
  friend auto operator<=>(const StrongString&, const StrongString&) = default;
};

// Lets unordered containers of std::string or StrongString be searched with a string_view.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
  template <typename Tag>
  std::size_t operator()(const StrongString<Tag>& s) const {
    return std::hash<std::string_view>{}(s.value);
  }
};

}  // namespace bw

template <typename Tag>
struct std::hash<bw::StrongId<Tag>> {
  std::size_t operator()(bw::StrongId<Tag> id) const { return std::hash<std::uint64_t>{}(id.value); }
};

template <typename Tag>
struct std::hash<bw::StrongString<Tag>> {
  std::size_t operator()(const bw::StrongString<Tag>& s) const { return std::hash<std::string>{}(s.value); }
};
