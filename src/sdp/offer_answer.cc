#include "sdp/offer_answer.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace bw::sdp {
namespace {

std::unexpected<OfferError> fail(OfferError error) {
  return std::unexpected(error);
}

struct KeyPair {
  CryptoLine offered;
  CryptoLine answered;
};

// The answer repeats the tag and suite of the line it takes (RFC 4568 §5.1.2).
std::optional<KeyPair> agreed_keys(const Media& offer, const Media& answer) {
  const std::vector<CryptoLine> offered = crypto_lines(offer);
  for (CryptoLine& taken : crypto_lines(answer)) {
    for (const CryptoLine& line : offered) {
      if (line.tag == taken.tag && line.suite == taken.suite) return KeyPair{line, std::move(taken)};
    }
  }
  return std::nullopt;
}

// The counterpart of `codec` in a list; the same number is preferred where a codec is listed twice.
const Codec* counterpart(const std::vector<Codec>& list, const Codec& codec) {
  const Codec* found = nullptr;
  for (const Codec& c : list) {
    if (!same_codec(c, codec)) continue;
    if (c.payload == codec.payload) return &c;
    if (!found) found = &c;
  }
  return found;
}

struct FormatPair {
  const Codec* local = nullptr;
  const Codec* remote = nullptr;
  explicit operator bool() const { return local != nullptr; }
};

struct Formats {
  std::vector<Codec> local;
  std::vector<Codec> remote;
  bool we_offered = false;

  // The first format of the answer that the offer has too and that is wanted.
  template <typename Wanted>
  FormatPair first(Wanted wanted) const {
    const std::vector<Codec>& answer = we_offered ? remote : local;
    const std::vector<Codec>& offer = we_offered ? local : remote;
    for (const Codec& a : answer) {
      if (!wanted(a)) continue;
      const Codec* o = counterpart(offer, a);
      if (o) return we_offered ? FormatPair{o, &a} : FormatPair{&a, o};
    }
    return {};
  }

  template <typename Use>
  void each(Use use) const {
    for (const Codec& a : we_offered ? remote : local) {
      if (const Codec* o = counterpart(we_offered ? local : remote, a)) {
        use(we_offered ? FormatPair{o, &a} : FormatPair{&a, o});
      }
    }
  }
};

void fill_formats(Negotiated& out, const Formats& formats, const FormatPair& voice) {
  formats.each([&out](const FormatPair& pair) {
    out.receive_formats.push_back(*pair.local);
    out.send_formats.push_back(*pair.remote);
  });
  out.codec = *voice.remote;
  out.send_payload = voice.remote->payload;
  out.receive_payload = voice.local->payload;
  const std::uint32_t clock = out.codec.clock_rate;
  // Events should tick like the voice they are mixed with (RFC 4733 §2.6.1.2… and RFC 7587 for 48 kHz).
  FormatPair event =
      formats.first([clock](const Codec& c) { return c.is_telephone_event() && c.clock_rate == clock; });
  if (!event) event = formats.first([](const Codec& c) { return c.is_telephone_event(); });
  if (!event) return;
  out.telephone_event_send = event.remote->payload;
  out.telephone_event_receive = event.local->payload;
  out.telephone_event_clock = event.remote->clock_rate;
}

bool has_common_voice(const Media& local, const Media& remote) {
  const Formats formats{codecs(local), codecs(remote), true};
  return static_cast<bool>(formats.first([](const Codec& c) { return c.is_voice(); }));
}

std::expected<void, OfferError> check_answer(const Media& offer, const Media& answer, SrtpPolicy policy) {
  if (!answer.is_audio()) return fail(OfferError::kMediaChanged);
  if (answer.port == 0 || offer.port == 0) return {};
  const Profile offered = profile(offer.protocol);
  const Profile answered = profile(answer.protocol);
  if (!answered.rtp || answered.dtls) return fail(OfferError::kProtocol);
  if (offered.secure && !answered.secure) return fail(OfferError::kSrtpRequired);
  if (!offered.secure && answered.secure) return fail(OfferError::kSrtpOff);
  if ((offered.secure || policy == SrtpPolicy::kRequired) && !agreed_keys(offer, answer)) {
    return fail(offered.secure ? OfferError::kSrtpKeys : OfferError::kSrtpRequired);
  }
  if (!has_common_voice(offer, answer)) return fail(OfferError::kNoCodec);
  return {};
}

}  // namespace

OfferAnswer::OfferAnswer(const LocalSide& side, Rng& rng) : side_(side) {
  if (side.srtp != SrtpPolicy::kOff) keys_ = fresh_crypto(rng);
  // Some phones read the session id into 32 signed bits.
  session_id_ = std::to_string(1 + rng.below(0x7fff'fffe));
}

// ---- from the peer ----

std::expected<void, OfferError> OfferAnswer::remote_offer(SessionDescription offer) {
  if (state_ != State::kStable) return fail(OfferError::kOfferPending);
  std::optional<std::size_t> section;
  if (stable_) {
    const auto& before = stable_->remote.media;
    if (offer.media.size() < before.size()) return fail(OfferError::kMediaRemoved);
    for (std::size_t i = 0; i < before.size(); ++i) {
      const bool in_use = offer.media[i].port != 0 && before[i].port != 0;
      if (in_use && offer.media[i].type != before[i].type) return fail(OfferError::kMediaChanged);
    }
    // The stream in use stays the one in use, also while it is switched off.
    const std::size_t i = stable_->section;
    if (i < offer.media.size() && usable_section(offer.media[i], side_.srtp)) section = i;
  }
  if (!section || offer.media[*section].port == 0) {
    const auto picked = pick_section(offer, side_.srtp);
    if (!picked) return fail(picked.error());
    section = *picked;
  }
  offer_section_ = *section;
  offer_ = std::move(offer);
  state_ = State::kRemoteOffer;
  return {};
}

std::expected<void, OfferError> OfferAnswer::remote_answer(SessionDescription answer, Certainty certainty) {
  if (state_ != State::kLocalOffer) return fail(OfferError::kNoOffer);
  // Old adapters leave out sections we refused anyway: only the one that carries audio must be there.
  if (answer.media.size() <= offer_section_) return fail(OfferError::kMediaRemoved);
  const Media& section = answer.media[offer_section_];
  if (const auto fits = check_answer(offer_->media[offer_section_], section, side_.srtp); !fits) return fits;
  agree({*offer_, std::move(answer), offer_section_, true}, certainty);
  return {};
}

void OfferAnswer::agree(Agreement agreement, Certainty certainty) {
  agreement.result = result_of(agreement);
  if (certainty == Certainty::kEarly) {
    early_ = std::move(agreement);
    return;
  }
  stable_ = std::move(agreement);
  early_.reset();
  offer_.reset();
  state_ = State::kStable;
}

void OfferAnswer::offer_failed() {
  early_.reset();
  offer_.reset();
  state_ = State::kStable;
}

void OfferAnswer::move_to(const IpAddress& address, std::uint16_t port) {
  side_.address = address;
  side_.port = port;
}

// ---- to the peer ----

OfferAnswer::Text OfferAnswer::relay_offer(const OfferAnswer& other, std::optional<Direction> direction) {
  if (state_ != State::kStable) return fail(OfferError::kOfferPending);
  const SessionDescription* theirs = other.remote();
  const Media* audio = other.remote_audio();
  if (!audio) return fail(OfferError::kNothingAgreed);
  SessionDescription content = carried(*theirs, other.remote_section());
  widen(content);
  return send_offer(std::move(content), direction.value_or(effective_direction(*theirs, *audio)));
}

void OfferAnswer::widen(SessionDescription& content) const {
  if (!side_.transcodes) return;
  add_transcodable(content.media.at(0), stable_ ? &stable_->local.media.at(stable_->section) : nullptr);
}

OfferAnswer::Text OfferAnswer::own_offer(Direction direction) {
  if (state_ != State::kStable) return fail(OfferError::kOfferPending);
  SessionDescription content = own_offer_content();
  widen(content);
  return send_offer(std::move(content), direction);
}

OfferAnswer::Text OfferAnswer::repeat_offer(std::optional<Direction> wanted, const Codec* first) {
  if (state_ != State::kStable) return fail(OfferError::kOfferPending);
  if (!stable_) return fail(OfferError::kNothingAgreed);
  const SessionDescription& before = stable_->local;
  SessionDescription content = carried(before, stable_->section);
  if (first != nullptr) put_first(content.media.at(0), *first);
  return send_offer(std::move(content), wanted.value_or(direction(before, before.media[stable_->section])));
}

OfferAnswer::Text OfferAnswer::relay_answer(const OfferAnswer& other, Certainty certainty,
                                            std::optional<Direction> direction) {
  if (state_ != State::kRemoteOffer) return fail(OfferError::kNoOffer);
  const SessionDescription* theirs = other.remote();
  const Media* audio = other.remote_audio();
  if (!audio) return fail(OfferError::kNothingAgreed);
  SessionDescription content = carried(*theirs, other.remote_section());
  const Media& offered = offer_->media[offer_section_];
  if (side_.transcodes && audio->port != 0 && offered.port != 0 &&
      !has_common_voice(offered, content.media.at(0)) &&
      std::ranges::any_of(codecs(content.media[0]), is_transcodable)) {
    auto ours = transcoding_answer_content(offered);
    if (!ours) return fail(ours.error());
    content = std::move(*ours);
  }
  return send_answer(std::move(content), certainty, direction.value_or(effective_direction(*theirs, *audio)));
}

OfferAnswer::Text OfferAnswer::own_answer(Certainty certainty, Direction direction) {
  if (state_ != State::kRemoteOffer) return fail(OfferError::kNoOffer);
  const Media& offered = offer_->media[offer_section_];
  if (offered.port == 0) return send_answer(carried(*offer_, offer_section_), certainty, direction);
  auto content = own_answer_content(offered);
  if (!content) return fail(content.error());
  return send_answer(std::move(*content), certainty, direction);
}

OfferAnswer::Text OfferAnswer::repeat_answer(Certainty certainty, std::optional<Direction> wanted) {
  if (state_ != State::kRemoteOffer) return fail(OfferError::kNoOffer);
  if (!stable_) return fail(OfferError::kNothingAgreed);
  return send_answer(carried(stable_->local, stable_->section), certainty,
                     wanted.value_or(Direction::kSendRecv));
}

OfferAnswer::Text OfferAnswer::refusal() {
  if (state_ != State::kRemoteOffer) return fail(OfferError::kNoOffer);
  SessionDescription answer = all_refused(*offer_);
  std::string text = sign(answer);
  agree({std::move(answer), *offer_, offer_section_, false}, Certainty::kFinal);
  return text;
}

OfferAnswer::Text OfferAnswer::send_offer(SessionDescription content, Direction direction) {
  OwnStream own{.address = side_.address,
                .port = content.media.at(0).port == 0 ? std::uint16_t{0} : side_.port,
                .direction = direction};
  secure_offer(own);
  std::size_t section = 0;
  if (stable_) {
    section = stable_->section;
    own.rtcp_mux = has_rtcp_mux(stable_->local.media[section]);
    content = placed(std::move(content), stable_->local, section);
  }
  dress(content, section, own);
  std::string text = sign(content);
  offer_section_ = section;
  offer_ = std::move(content);
  state_ = State::kLocalOffer;
  return text;
}

// What was agreed with this peer is offered again; the first time policy and configuration decide.
void OfferAnswer::secure_offer(OwnStream& own) const {
  const bool agreed_before = stable_ && stable_->local.media[stable_->section].port != 0;
  bool secure = side_.srtp == SrtpPolicy::kRequired || side_.srtp_offer == SrtpOffer::kSecure;
  bool keys = secure || side_.srtp_offer == SrtpOffer::kBestEffort;
  if (agreed_before) {
    const Media& before = stable_->local.media[stable_->section];
    secure = profile(before.protocol).secure;
    keys = negotiated() && negotiated()->send;
    own.protocol = before.protocol;
  } else if (secure && side_.srtp != SrtpPolicy::kOff) {
    own.protocol = "RTP/SAVP";
  }
  if (keys && side_.srtp != SrtpPolicy::kOff) own.crypto = keys_;
}

OfferAnswer::Text OfferAnswer::send_answer(SessionDescription content, Certainty certainty,
                                           Direction direction) {
  const Media& offered = offer_->media[offer_section_];
  const bool off = offered.port == 0 || content.media.at(0).port == 0;
  if (!off && !keep_common(content.media[0], offered)) return fail(OfferError::kNoCodec);
  OwnStream own{.address = side_.address,
                .port = off ? std::uint16_t{0} : side_.port,
                .direction = narrowed(direction, reversed(effective_direction(*offer_, offered))),
                .protocol = offered.protocol,
                .rtcp_mux = has_rtcp_mux(offered)};
  if (!off) {
    if (const auto secured = secure_answer(own); !secured) return fail(secured.error());
  }
  content = placed(std::move(content), *offer_, offer_section_);
  dress(content, offer_section_, own);
  std::string text = sign(content);
  agree({std::move(content), *offer_, offer_section_, false}, certainty);
  return text;
}

std::expected<void, OfferError> OfferAnswer::secure_answer(OwnStream& own) const {
  const Media& offered = offer_->media[offer_section_];
  if (side_.srtp == SrtpPolicy::kOff) return {};
  const std::vector<CryptoLine> lines = crypto_lines(offered);
  if (lines.empty()) {
    if (profile(offered.protocol).secure) return fail(OfferError::kSrtpKeys);
    if (side_.srtp == SrtpPolicy::kRequired) return fail(OfferError::kSrtpRequired);
    return {};
  }
  const auto ours = std::ranges::find(keys_, lines.front().suite, &CryptoLine::suite);
  assert(ours != keys_.end());
  own.crypto.push_back({lines.front().tag, ours->suite, ours->master});
  return {};
}

// Gives the description our origin. The version grows by one exactly when the content differs from what was
// sent last, also if that was an offer that failed (RFC 3264 §8).
std::string OfferAnswer::sign(SessionDescription& description) {
  description.origin.session_id = session_id_;
  description.origin.address_type = side_.address.is_v4() ? "IP4" : "IP6";
  description.origin.address = side_.address.to_string();
  if (!description.connection) description.connection = Connection::of(side_.address);
  description.origin.version = std::to_string(version_);
  if (!sent_ || *sent_ != description) {
    description.origin.version = std::to_string(++version_);
    sent_ = description;
  }
  return to_string(description);
}

// ---- what holds now ----

const OfferAnswer::Agreement* OfferAnswer::agreed() const {
  if (early_) return &*early_;
  return stable_ ? &*stable_ : nullptr;
}

const SessionDescription* OfferAnswer::remote() const {
  if (!early_ && state_ == State::kRemoteOffer) return &*offer_;
  const Agreement* a = agreed();
  return a ? &a->remote : nullptr;
}

std::size_t OfferAnswer::remote_section() const {
  if (!early_ && state_ == State::kRemoteOffer) return offer_section_;
  const Agreement* a = agreed();
  return a ? a->section : 0;
}

const Media* OfferAnswer::remote_audio() const {
  const SessionDescription* d = remote();
  return d && remote_section() < d->media.size() ? &d->media[remote_section()] : nullptr;
}

const SessionDescription* OfferAnswer::local() const {
  const Agreement* a = agreed();
  return a ? &a->local : nullptr;
}

bool OfferAnswer::remote_holds() const {
  const Media* audio = remote_audio();
  return audio && is_hold(*remote(), *audio);
}

const std::optional<Negotiated>& OfferAnswer::negotiated() const {
  static const std::optional<Negotiated> kNothing;
  const Agreement* a = agreed();
  return a ? a->result : kNothing;
}

std::optional<Negotiated> OfferAnswer::result_of(const Agreement& agreement) {
  const Media& local = agreement.local.media.at(agreement.section);
  const Media& remote = agreement.remote.media.at(agreement.section);
  if (local.port == 0 || remote.port == 0) return std::nullopt;
  const Formats formats{codecs(local), codecs(remote), agreement.we_offered};
  const FormatPair voice = formats.first([](const Codec& c) { return c.is_voice(); });
  if (!voice) return std::nullopt;
  Negotiated out;
  fill_formats(out, formats, voice);
  out.rtcp_mux = has_rtcp_mux(local) && has_rtcp_mux(remote);
  out.remote_rtp = rtp_endpoint(agreement.remote, remote);
  out.remote_rtcp = out.rtcp_mux ? out.remote_rtp : rtcp_endpoint(agreement.remote, remote);
  out.direction =
      narrowed(direction(agreement.local, local), reversed(effective_direction(agreement.remote, remote)));
  out.ptime_ms = ptime(remote);
  if (auto keys = agreement.we_offered ? agreed_keys(local, remote) : agreed_keys(remote, local)) {
    out.send = agreement.we_offered ? std::move(keys->offered) : std::move(keys->answered);
    out.receive = agreement.we_offered ? std::move(keys->answered) : std::move(keys->offered);
  }
  return out;
}

bool compatible(const Negotiated& a, const Negotiated& b) {
  const auto has = [](const Negotiated& n, const Codec& codec) {
    return std::ranges::any_of(n.send_formats, [&](const Codec& c) { return same_codec(c, codec); });
  };
  const auto voice = [](const Codec& c) { return c.is_voice(); };
  const bool common =
      std::ranges::any_of(a.send_formats, [&](const Codec& c) { return voice(c) && has(b, c); });
  return common || (std::ranges::any_of(a.send_formats, is_transcodable) &&
                    std::ranges::any_of(b.send_formats, is_transcodable));
}

}  // namespace bw::sdp
