// The one door to spandsp: its headers want C types and stay out of every other header.
#pragma once

#include <cstdint>
#include <memory>

#define SPANDSP_EXPOSE_INTERNAL_STRUCTURES
#include <spandsp.h>
#undef SPANDSP_EXPOSE_INTERNAL_STRUCTURES

namespace bw::audio::detail {

template <auto kFree>
struct FreedBy {
  template <typename State>
  void operator()(State* state) const {
    static_cast<void>(kFree(state));
  }
};
template <typename State, auto kFree>
using Owned = std::unique_ptr<State, FreedBy<kFree>>;

}  // namespace bw::audio::detail
