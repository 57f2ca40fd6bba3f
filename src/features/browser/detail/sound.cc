// What a session sounds of besides its calls themselves: which codec its browser speaks, keys of the other
// side, and the tone of a call that was refused.
#include <memory>
#include <optional>
#include <utility>

#include "browser/detail/switchboard.h"
#include "calls/payload_formats.h"

namespace bw::browser {
namespace {

constexpr Duration kLastWord = 500ms;          // what has been said is still on its way
constexpr std::uint64_t kTones = 1ULL << 63U;  // apart from the media legs of calls

std::optional<media::Tone> tone_of(int status) {
  switch (status) {
    case 486:
    case 600:
    case 603:
      return media::Tone::kBusy;
    case 487:  // by the caller itself
      return std::nullopt;
    default:
      return media::Tone::kCongestion;
  }
}

// What a caller does not see coming is said in words; that somebody is busy everybody knows by its tone.
std::shared_ptr<const model::Prompt> prompt_of(int status, const model::Prompts& prompts) {
  switch (status) {
    case 404:
    case 484:
    case 604:
      return prompts.no_such_number;
    case 408:
    case 410:
    case 480:
      return prompts.nobody_there;
    default:
      return status >= 500 && status < 600 ? prompts.no_way : nullptr;
  }
}

}  // namespace

const Line* Switchboard::sounding(const Session& session) const {
  for (const calls::LegId id : session.lines) {
    const Line* line = find(id);
    if (line != nullptr && line->leg.up() && !line->holds) return line;
  }
  return nullptr;
}

// ---- codecs ----

void Switchboard::on(const PeerSpeaks& in, Instant now) {
  Session* session = find(in.session);
  Line* line = session == nullptr ? nullptr : line_with(*session, in.sip_call_id);
  if (line == nullptr) return;
  line->peer_speaks = in.codecs;
  tune(*session, now);
}

void Switchboard::agreed(Session& session, Instant now) {
  if (const auto codec = session.page.speaks()) out.push_back(Speaks{session.key, *codec});
  tune(session, now);
}

// Asks the page to speak what the other side speaks. A page that does not answer is transcoded as before.
void Switchboard::tune(Session& session, Instant now) {
  const Line* line = session.state == Session::State::kConnected ? sounding(session) : nullptr;
  if (line == nullptr) return;
  const auto wanted = session.page.could_speak(line->peer_speaks);
  if (!wanted) return;
  if (auto sdp = session.page.offer(*settings_, &*wanted)) offer(session, std::move(*sdp), now);
}

void Switchboard::offer(Session& session, std::string sdp, Instant now) {
  push(session, ports::BrowserPush::Offered{std::move(sdp), session.page.offers()}, now);
}

// ---- keys ----

void Switchboard::on(const PeerPressed& in, Instant now) {
  Session* session = find(in.session);
  const Line* line = session == nullptr ? nullptr : line_with(*session, in.sip_call_id);
  if (line != nullptr) push(*session, ports::BrowserPush::Pressed{line->call, in.digit}, now);
}

// ---- tones and prompts ----

// A phone makes this sound by itself. It ends with the next call, or after a while: a page has no receiver
// that would be hung up. Words are said in the codec the page likes best, tones in that it likes least.
void Switchboard::sound_refusal(Session& session, int status, Instant now) {
  const auto tone = tone_of(status);
  const auto* audio = session.page.agreed().remote_audio();
  if (!tone || audio == nullptr || !session.media || sounding(session) != nullptr) return;
  stop_tone(session);
  session.tone = media::MediaLegId{kTones | next_tone_++};
  media::SetPeer peer{.leg = session.tone};
  const auto prompt = prompt_of(status, settings_->browsers.prompts);
  const auto codecs = sdp::codecs(*audio);
  peer.payloads.send = prompt ? calls::payload_formats(codecs) : calls::tone_formats(codecs);
  peer.payloads.receive = peer.payloads.send;
  tell(media::AttachLeg{session.tone, session.media});
  tell(std::move(peer));
  tell(media::Play{session.tone, prompt ? media::Tone::kNone : *tone, settings_->region, prompt});
  alarms_.arm(session.tone_timer, now + (prompt ? prompt->duration() + kLastWord : limits_.refusal_sounds),
              {Alarm::Kind::kTone, session.key, calls::LegId{}});
}

void Switchboard::stop_tone(Session& session) {
  alarms_.cancel(session.tone_timer);
  if (session.tone) tell(media::CloseLeg{std::exchange(session.tone, {})});
}

}  // namespace bw::browser
