#include "sip/stun_keep_alive.h"

#include <array>
#include <cstdint>

#include "stun/message.h"

namespace bw::sip {
namespace {

// Credentials: understood, and not asked for (RFC 5626 §8).
constexpr std::array kKnown{stun::Type::kUsername, stun::Type::kMessageIntegrity, stun::Type::kRealm,
                            stun::Type::kNonce};

std::optional<stun::Message> read_request(std::string_view datagram) {
  auto message =
      stun::Message::parse({reinterpret_cast<const std::uint8_t*>(datagram.data()), datagram.size()});
  if (message && !message->is_binding_request()) message.reset();
  return message;
}

}  // namespace

bool is_stun_request(std::string_view datagram) {
  using namespace std::string_view_literals;
  return datagram.starts_with("\x00\x01"sv) && datagram.size() >= 20 &&
         datagram.substr(4).starts_with("\x21\x12\xA4\x42"sv);
}

std::optional<std::string> answer_stun(std::string_view datagram, const Endpoint& from) {
  const auto request = read_request(datagram);
  if (!request) return std::nullopt;
  const auto unknown = request->not_in(kKnown);
  stun::Writer answer{unknown.empty() ? stun::Class::kSuccess : stun::Class::kError, request->transaction()};
  if (unknown.empty()) {
    answer.mapped_address(from);
  } else {
    answer.error(420, {}).unknown_attributes(unknown);
  }
  if (request->has_fingerprint()) answer.fingerprint();
  const auto bytes = answer.take();
  return std::string{bytes.begin(), bytes.end()};
}

}  // namespace bw::sip
