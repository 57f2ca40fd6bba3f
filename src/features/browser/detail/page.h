// What a page and we agreed on for its session: one audio stream, kept while calls come and go.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

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
  Text offer(const model::Settings& settings);   // in a session that agreed once already
  bool offered() const { return media_.state() == sdp::OfferAnswer::State::kLocalOffer; }
  std::expected<void, std::string> take_answer(std::string_view sdp);

  void use(webrtc::IceCredentials own) { own_ = std::move(own); }
  const webrtc::IceCredentials& credentials() const { return own_; }
  const webrtc::RemoteParameters& remote() const { return peer_.remote(); }
  const sdp::OfferAnswer& agreed() const { return media_; }

 private:
  std::expected<webrtc::PeerDescription::Taken, std::string> read(std::string_view sdp, webrtc::Kind kind);

  Rng& rng_;
  sdp::OfferAnswer media_;
  webrtc::PeerDescription peer_;
  webrtc::IceCredentials own_;
};

}  // namespace bw::browser
