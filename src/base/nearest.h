// "Did you mean": the known word that is the fewest slips of the finger away.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace bw {

// Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment), case folded.
std::size_t edit_distance(std::string_view a, std::string_view b);

// Empty if nothing is near enough to be meant: more than a third of the word differs.
std::string_view nearest(std::string_view word, std::span<const std::string_view> known);

}  // namespace bw
