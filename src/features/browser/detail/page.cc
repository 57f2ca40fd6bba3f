#include "browser/detail/page.h"

#include "calls/browser_side.h"
#include "webrtc/candidate.h"

namespace bw::browser {
namespace {

std::unexpected<std::string> sentence(std::string_view text) {
  return std::unexpected(std::string(text));
}

}  // namespace

Page::Page(Rng& rng) : rng_(rng), media_(inner_side(), rng) {}

sdp::LocalSide Page::inner_side() {
  return {.address = IpAddress::v4(0x7f000001), .port = 9, .srtp = sdp::SrtpPolicy::kOff};
}

bool Page::is_candidate(std::string_view text) {
  return text.empty() || webrtc::Candidate::parse(text);
}

std::expected<webrtc::PeerDescription::Taken, std::string> Page::read(std::string_view sdp,
                                                                      webrtc::Kind kind) {
  auto text = sdp::parse(sdp);
  if (!text) return sentence(sdp::to_sentence(text.error()));
  auto taken = peer_.take(std::move(*text), kind);
  if (!taken) return sentence(webrtc::to_sentence(taken.error()));
  return std::move(*taken);
}

std::expected<Page::Change, std::string> Page::take_offer(std::string_view sdp) {
  auto taken = read(sdp, webrtc::Kind::kOffer);
  if (!taken) return std::unexpected(std::move(taken.error()));
  // Both offered at once: the page's goes on, for it knows what it has. What the page was before it was
  // loaded again binds it to nothing.
  if (taken->change == Change::kNewPeer) {
    media_ = sdp::OfferAnswer{inner_side(), rng_};
  } else {
    media_.offer_failed();
  }
  if (const auto fits = media_.remote_offer(std::move(taken->plain)); !fits)
    return sentence(sdp::to_sentence(fits.error()));
  return taken->change;
}

Page::Text Page::answer(const model::Settings& settings) {
  const auto plain = media_.own_answer();
  if (!plain) {
    media_.offer_failed();
    return sentence(sdp::to_sentence(plain.error()));
  }
  return peer_.dress(*sdp::parse(*plain), webrtc::Kind::kAnswer, calls::own_parameters(settings, own_));
}

Page::Text Page::offer(const model::Settings& settings) {
  media_.offer_failed();  // an older offer that the page has not answered
  const auto plain = media_.repeat_offer(sdp::Direction::kSendRecv);
  if (!plain) return sentence(sdp::to_sentence(plain.error()));
  return peer_.dress(*sdp::parse(*plain), webrtc::Kind::kOffer, calls::own_parameters(settings, own_));
}

std::expected<void, std::string> Page::take_answer(std::string_view sdp) {
  auto taken = read(sdp, webrtc::Kind::kAnswer);
  if (!taken) return std::unexpected(std::move(taken.error()));
  if (const auto fits = media_.remote_answer(std::move(taken->plain)); !fits)
    return sentence(sdp::to_sentence(fits.error()));
  return {};
}

}  // namespace bw::browser
