// How many members a plain struct has, so that a member that nobody described does not compile.
#pragma once

#include <cstddef>
#include <utility>

namespace bw::events::detail {

struct Anything {
  template <typename T>
  operator T() const;  // NOLINT(google-explicit-constructor): never called, only asked whether it could be
};

template <typename T, std::size_t... I>
consteval bool takes(std::index_sequence<I...>) {
  return requires { T{(static_cast<void>(I), Anything{})...}; };
}

template <typename T, std::size_t N = 0>
consteval std::size_t member_count() {
  if constexpr (takes<T>(std::make_index_sequence<N + 1>{})) {
    return member_count<T, N + 1>();
  } else {
    return N;
  }
}

}  // namespace bw::events::detail
