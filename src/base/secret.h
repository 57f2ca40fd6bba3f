// Values that cannot be logged or streamed by accident: reading one is a visible act.
#pragma once

#include <compare>
#include <utility>

namespace bw {

// A credential (password, HA1, key). There is no operator<< and no formatter: printing it does not compile.
template <typename T>
class Secret {
 public:
  Secret() = default;
  explicit Secret(T value) : value_(std::move(value)) {}
  const T& reveal() const { return value_; }
  friend bool operator==(const Secret&, const Secret&) = default;

 private:
  T value_{};
};

// Data about a person (a name, an outside number): logged only masked.
template <typename T>
class Personal {
 public:
  Personal() = default;
  explicit Personal(T value) : value_(std::move(value)) {}
  const T& reveal() const { return value_; }
  friend bool operator==(const Personal&, const Personal&) = default;

 private:
  T value_{};
};

}  // namespace bw
