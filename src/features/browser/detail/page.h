// What a page and we agreed on for its session: one audio stream, kept while calls come and go.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "model/settings.h"
#include "sdp/offer_answer.h"
#include "webrtc/peer_description.h"

namespace bw::browser {

class Page {
 public:
  using Change = webrtc::PeerDescription::Change;
  using Text = std::expected<std::string, std::string>;  // or a sentence

  explicit Page(Rng& rng);

  // Our end towards the exchange, and towards the page before its connection is put on: no address.
  static sdp::LocalSide inner_side();
  // One of a browser, or the empty one that ends the list.
  static bool is_candidate(std::string_view text);

  std::expected<Change, std::string> take_offer(std::string_view sdp);
  Text answer(const model::Settings& settings);  // to that offer
  // In a session that agreed once already; `first`: the codec the page is asked to speak.
  Text offer(const model::Settings& settings, const sdp::Codec* first = nullptr);
  std::uint64_t offers() const { return offers_; }  // of ours so far
  bool offered() const { return media_.state() == sdp::OfferAnswer::State::kLocalOffer; }
  std::expected<void, std::string> take_answer(std::string_view sdp);

  void use(webrtc::IceCredentials own) { own_ = std::move(own); }
  const webrtc::IceCredentials& credentials() const { return own_; }
  const webrtc::RemoteParameters& remote() const { return peer_.remote(); }
  // What the page has, in the order of its own offer: what its calls are made of, whatever it speaks now.
  const sdp::OfferAnswer& agreed() const { return own_order_; }

  // What it sends.
  std::optional<sdp::Codec> speaks() const;
  // The first of these that it has, if it is worth asking for: it speaks something else, and was not asked
  // the same before.
  std::optional<sdp::Codec> could_speak(const std::vector<sdp::Codec>& wanted) const;

 private:
  std::expected<webrtc::PeerDescription::Taken, std::string> read(std::string_view sdp, webrtc::Kind kind);

  Rng& rng_;
  sdp::OfferAnswer media_, own_order_;
  std::optional<sdp::Codec> asked_;  // to speak, since its own last offer
  std::uint64_t offers_ = 0;
  bool fresh_ = true;  // its offer is the first of this connection
  webrtc::PeerDescription peer_;
  webrtc::IceCredentials own_;
};

}  // namespace bw::browser
