// How well a browser hears, by its own measure (getStats).
#include <algorithm>
#include <chrono>

#include "browser/detail/switchboard.h"
#include "rtp/e_model.h"

namespace bw::browser {
namespace {

Duration milliseconds(double ms) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double, std::milli>{ms});
}

// What a page says is as good as its page: no figure of it is believed beyond what can be.
ports::LegQuality judged(const ports::BrowserFigures& figures) {
  const double expected = static_cast<double>(figures.packets_received) + figures.packets_lost;
  const double measured = expected > 0 ? 100.0 * figures.packets_lost / expected : 0;
  ports::LegQuality quality;
  quality.loss_percent = std::clamp(figures.loss_percent.value_or(measured), 0.0, 100.0);
  quality.jitter_ms = std::clamp(figures.jitter_ms.value_or(0), 0.0, 10'000.0);
  if (figures.packets_received == 0) return quality;  // nothing was heard: no opinion
  const double round_trip = std::clamp(figures.round_trip_ms.value_or(0), 0.0, 60'000.0);
  const double concealed = std::clamp(figures.concealed_percent.value_or(quality.loss_percent), 0.0, 100.0);
  quality.mos = rtp::mean_opinion_score(
      rtp::voice_codec(figures.codec),
      {.loss = concealed / 100, .one_way_delay = milliseconds(round_trip / 2 + 2 * quality.jitter_ms + 20)});
  return quality;
}

}  // namespace

Switchboard::Answer Switchboard::on_wish(Session& session, const ports::BrowserFigures& wish,
                                         ports::RequestId, Instant now) {
  const auto line = line_of(session, wish.call);
  if (!line) return std::unexpected(line.error());
  const ports::LegQuality quality = judged(wish);
  push(session, ports::BrowserPush::Heard{(*line)->call, quality}, now);
  out.push_back(Heard{session.key, (*line)->place, quality});
  return ports::Reply{ports::Done{}};
}

}  // namespace bw::browser
