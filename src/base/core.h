// The contract of every sans-IO core: values in, values out, and the moment it wants to be woken.
#pragma once

#include <concepts>
#include <optional>
#include <string_view>

#include "base/time.h"

namespace bw {

// When a core wants handle(Tick) again, and why (shown by traces and the test kit).
struct Deadline {
  Instant at = Instant::far_future();
  std::string_view why = "nothing to wait for";

  static constexpr Deadline never() { return {}; }
  constexpr Deadline earliest(Deadline other) const { return other.at < at ? other : *this; }
};

// Time has passed; every core accepts it as one alternative of its Input.
struct Tick {};

// After each handle() the driver drains poll() until it answers nothing, then sleeps until deadline().
template <typename T>
concept Core = requires(T& core, const T& readonly, const typename T::Input& input, Instant now) {
  { core.handle(input, now) } -> std::same_as<void>;
  { core.poll() } -> std::same_as<std::optional<typename T::Output>>;
  { readonly.deadline() } -> std::same_as<Deadline>;
};

// Lambdas as one visitor. Never add a generic `auto` branch: a new alternative must fail to compile.
template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};

}  // namespace bw
