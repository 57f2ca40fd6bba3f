// A phone's own idea of a session description (RFC 8866, RFC 3264): written apart from src/sdp, so that a
// misreading there is not shared by the phone that checks it. One audio stream, no video.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"

namespace bw::testkit {

struct PhoneCodec {
  int payload = 0;
  std::string name = "PCMU/8000";
  friend bool operator==(const PhoneCodec&, const PhoneCodec&) = default;
};

enum class Direction : std::uint8_t { kSendRecv, kSendOnly, kRecvOnly, kInactive };

struct PhoneSdp {
  Endpoint rtp;
  bool black_hole = false;  // c=0.0.0.0: the hold of RFC 2543
  Direction direction = Direction::kSendRecv;
  std::vector<PhoneCodec> codecs;
  int telephone_event = -1;
  std::uint64_t session = 1;
  std::uint64_t version = 1;

  std::string to_text() const;
  // Nullopt if there is no usable audio line.
  static std::optional<PhoneSdp> parse(std::string_view text);

  bool sends() const {  // as its author means it
    return !black_hole && (direction == Direction::kSendRecv || direction == Direction::kSendOnly);
  }
  bool receives() const {
    return !black_hole && rtp.port != 0 &&
           (direction == Direction::kSendRecv || direction == Direction::kRecvOnly);
  }
  bool holds() const {  // its author put the other on hold
    return black_hole || direction == Direction::kSendOnly || direction == Direction::kInactive;
  }
};

// What the answerer may say at most (RFC 3264 §6.1).
Direction reverse(Direction d);

}  // namespace bw::testkit
