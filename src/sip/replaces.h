// Headers that name a dialog: Replaces (RFC 3891 §6.1), Join (RFC 3911 §7.1), Target-Dialog (RFC 4538 §4).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bw::sip {

// A view; valid as long as the text it was read from. The tags are named from the point of view of the
// receiver: to-tag is its own (RFC 3891 §3).
struct Replaces {
  std::string_view call_id;
  std::string_view to_tag;
  std::string_view from_tag;
  bool early_only = false;

  // Each tag exactly once. Target-Dialog calls them local-tag (the sender's) and remote-tag.
  static std::optional<Replaces> parse(std::string_view value);
  static std::optional<Replaces> parse_target_dialog(std::string_view value);
  std::string to_string() const;
  friend bool operator==(const Replaces&, const Replaces&) = default;
};

}  // namespace bw::sip
