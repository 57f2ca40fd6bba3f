#include "browser/detail/page.h"

#include <algorithm>

#include "calls/browser_side.h"
#include "webrtc/candidate.h"

namespace bw::browser {
namespace {

std::unexpected<std::string> sentence(std::string_view text) {
  return std::unexpected(std::string(text));
}

std::vector<sdp::Codec> codecs_of(const sdp::OfferAnswer& said) {
  const auto* audio = said.remote_audio();
  return audio == nullptr ? std::vector<sdp::Codec>{} : sdp::codecs(*audio);
}

bool has(const std::vector<sdp::Codec>& list, const sdp::Codec& codec) {
  return std::ranges::any_of(list, [&](const sdp::Codec& c) { return sdp::same_codec(c, codec); });
}

// Browsers list what is in use first when they offer again, so the order alone says nothing new.
bool same_set(const std::vector<sdp::Codec>& a, const std::vector<sdp::Codec>& b) {
  return a.size() == b.size() && std::ranges::all_of(a, [&](const sdp::Codec& c) { return has(b, c); });
}

}  // namespace

Page::Page(Rng& rng) : rng_(rng), media_(inner_side(), rng), own_order_(media_) {}

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

// One that cannot be used changes nothing: the same certificate in the next offer is still a new one.
std::expected<Page::Change, std::string> Page::take_offer(std::string_view sdp) {
  const webrtc::PeerDescription before = peer_;
  auto taken = read(sdp, webrtc::Kind::kOffer);
  if (!taken) return std::unexpected(std::move(taken.error()));
  const bool loaded_again = taken->change == Change::kNewPeer;
  // Both offered at once: the page's goes on, for it knows what it has. What the page was before it was
  // loaded again binds it to nothing.
  if (!loaded_again) media_.offer_failed();
  sdp::OfferAnswer media = loaded_again ? sdp::OfferAnswer{inner_side(), rng_} : media_;
  auto fits = media.remote_offer(std::move(taken->plain));
  if (fits) {
    const auto answer = sdp::OfferAnswer{media}.own_answer();
    if (!answer) fits = std::unexpected(answer.error());
  }
  if (!fits) {
    peer_ = before;
    return sentence(sdp::to_sentence(fits.error()));
  }
  media_ = std::move(media);
  fresh_ = fresh_ || loaded_again;
  return taken->change;
}

Page::Text Page::answer(const model::Settings& settings) {
  const auto plain = media_.own_answer();
  if (!plain) {
    media_.offer_failed();
    return sentence(sdp::to_sentence(plain.error()));
  }
  if (fresh_ || !same_set(codecs_of(own_order_), codecs_of(media_))) own_order_ = media_;
  fresh_ = false;
  asked_.reset();
  return peer_.dress(*sdp::parse(*plain), webrtc::Kind::kAnswer, calls::own_parameters(settings, own_));
}

Page::Text Page::offer(const model::Settings& settings, const sdp::Codec* first) {
  media_.offer_failed();  // an older offer that the page has not answered
  const auto plain = media_.repeat_offer(sdp::Direction::kSendRecv, first);
  if (!plain) return sentence(sdp::to_sentence(plain.error()));
  if (first != nullptr) asked_ = *first;
  ++offers_;
  return peer_.dress(*sdp::parse(*plain), webrtc::Kind::kOffer, calls::own_parameters(settings, own_));
}

std::expected<void, std::string> Page::take_answer(std::string_view sdp) {
  auto taken = read(sdp, webrtc::Kind::kAnswer);
  if (!taken) return std::unexpected(std::move(taken.error()));
  if (const auto fits = media_.remote_answer(std::move(taken->plain)); !fits)
    return sentence(sdp::to_sentence(fits.error()));
  return {};
}

std::optional<sdp::Codec> Page::speaks() const {
  const auto& agreed = media_.negotiated();
  return agreed ? std::optional{agreed->codec} : std::nullopt;
}

std::optional<sdp::Codec> Page::could_speak(const std::vector<sdp::Codec>& wanted) const {
  const auto known = codecs_of(own_order_);
  const auto first = std::ranges::find_if(wanted, [&](const sdp::Codec& c) { return has(known, c); });
  const auto now = speaks();
  if (first == wanted.end() || !now || sdp::same_codec(*first, *now)) return std::nullopt;
  if (asked_ && sdp::same_codec(*first, *asked_)) return std::nullopt;
  return *first;
}

}  // namespace bw::browser
