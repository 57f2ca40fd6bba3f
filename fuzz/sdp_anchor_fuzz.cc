// Two legs driven by a line of letters, with descriptions of strangers behind it, separated by lines of "%".
// Whatever the order, what we send must be a description, keep its m= lines and count its versions.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "sdp/offer_answer.h"

namespace {

using bw::sdp::Direction;
using bw::sdp::OfferAnswer;
using Certainty = OfferAnswer::Certainty;

void check(bool truth) {
  if (!truth) std::abort();
}

struct Side {
  OfferAnswer leg;
  std::size_t lines = 0;  // m= lines of our last agreed description
  std::uint64_t version = 0;
};

void check_text(Side& side, const std::expected<std::string, bw::sdp::OfferError>& text, bool answer) {
  if (!text) {
    check(!bw::sdp::to_sentence(text.error()).empty());
    return;
  }
  bw::sdp::Limits wide;
  wide.bytes = 1'000'000;
  wide.line_bytes = 100'000;
  const auto d = bw::sdp::parse(*text, wide);
  check(d.has_value() && !d->media.empty());
  const std::uint64_t version = std::stoull(d->origin.version);
  check(version == side.version || version == side.version + 1);
  side.version = version;
  for (const bw::sdp::Media& m : d->media) {
    check(!m.formats.empty() && m.connections.empty());
    check(!m.attributes.has("candidate") && !m.attributes.has("fingerprint"));
  }
  if (answer) check(d->media.size() == side.leg.remote()->media.size());
  check(d->media.size() >= side.lines);
  if (side.leg.state() == OfferAnswer::State::kStable) side.lines = d->media.size();
}

void check_agreement(const Side& side) {
  side.leg.remote_holds();
  const auto n = side.leg.negotiated();
  if (!n) return;
  check(n->codec.is_voice() && n->send.has_value() == n->receive.has_value());
  check(n->telephone_event_send.has_value() == n->telephone_event_receive.has_value());
}

class Machine {
 public:
  // One letter says policy and kind of offer of both legs, in base three: "U" is optional and plain for both.
  explicit Machine(std::uint8_t policy)
      : rng_(1),
        sides_{Side{OfferAnswer{side(10'000, policy % 3, policy / 9 % 3), rng_}},
               Side{OfferAnswer{side(20'000, policy / 3 % 3, policy / 27 % 3), rng_}}} {}

  void step(char letter, std::string_view description) {
    const bool second = (letter & 0x20) != 0;  // lower case: the second leg
    Side& one = sides_[second ? 1 : 0];
    Side& other = sides_[second ? 0 : 1];
    switch (letter & ~0x20) {
      case 'O':
        remote(description, [&](auto d) { return one.leg.remote_offer(std::move(d)); });
        break;
      case 'A':
        remote(description, [&](auto d) { return one.leg.remote_answer(std::move(d)); });
        break;
      case 'E':
        remote(description, [&](auto d) { return one.leg.remote_answer(std::move(d), Certainty::kEarly); });
        break;
      case 'R':
        check_text(one, one.leg.relay_offer(other.leg), false);
        break;
      case 'B':
        check_text(one, one.leg.relay_answer(other.leg), true);
        break;
      case 'C':
        check_text(one, one.leg.relay_answer(other.leg, Certainty::kEarly), true);
        break;
      case 'P':
        check_text(one, one.leg.own_offer(), false);
        break;
      case 'W':
        check_text(one, one.leg.own_answer(), true);
        break;
      case 'H':
        check_text(one, one.leg.repeat_offer(Direction::kSendOnly), false);
        break;
      case 'T':
        check_text(one, one.leg.repeat_answer(), true);
        break;
      case 'X':
        check_text(one, one.leg.refusal(), true);
        break;
      case 'F':
        one.leg.offer_failed();
        break;
      default:
        break;
    }
    check_agreement(one);
    const auto a = sides_[0].leg.negotiated();
    const auto b = sides_[1].leg.negotiated();
    if (a && b) check(bw::sdp::compatible(*a, *b) == bw::sdp::compatible(*b, *a));
  }

 private:
  template <typename F>
  void remote(std::string_view description, F take) {
    auto d = bw::sdp::parse(description);
    if (d) (void)take(std::move(*d));
  }
  static bw::sdp::LocalSide side(std::uint16_t port, int policy, int offer) {
    return {*bw::IpAddress::parse("198.51.100.1"), port, static_cast<bw::sdp::SrtpPolicy>(policy),
            static_cast<bw::sdp::SrtpOffer>(offer)};
  }

  bw::SeededRng rng_;
  std::array<Side, 2> sides_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input{reinterpret_cast<const char*>(data), size};
  const auto end = input.find('\n');
  if (end == input.npos || end < 2) return 0;
  const auto letters = input.substr(0, std::min<std::size_t>(end, 40));
  std::vector<std::string_view> descriptions;
  for (auto rest = input.substr(end + 1); !rest.empty() && descriptions.size() < 16;) {
    const auto cut = rest.find("%\n");
    descriptions.push_back(rest.substr(0, cut));
    rest = cut == rest.npos ? std::string_view{} : rest.substr(cut + 2);
  }
  if (descriptions.empty()) return 0;
  Machine machine{static_cast<std::uint8_t>(letters[0])};
  std::size_t next = 0;
  for (const char letter : letters.substr(1)) {
    const bool takes = std::string_view{"OAEoae"}.find(letter) != std::string_view::npos;
    machine.step(letter, descriptions[next % descriptions.size()]);
    if (takes) ++next;
  }
  return 0;
}
