// A session and its calls as plain data. What happens to them is in the Switchboard.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "base/timer_heap.h"
#include "browser/detail/page.h"
#include "calls/leg.h"
#include "model/binding.h"
#include "ports/browser.h"
#include "ports/control.h"
#include "ports/media.h"
#include "sdp/offer_answer.h"

namespace bw::browser {

// One call of a session, seen from the browser: a user agent's leg towards the exchange.
struct Line {
  calls::Leg leg;
  sip::ConnectionId session;
  sdp::OfferAnswer wire;  // with the exchange; what the page agreed to is carried over it
  model::CallId call{};   // as its page knows it; none until the exchange has told
  model::CallId place{};  // the call it is in now: another one after an attended transfer
  bool told_ringing = false;
  bool holds = false;                     // by the wish of its page
  bool over = false;                      // its page was told; only the leg lives on
  std::vector<sdp::Codec> peer_speaks{};  // the preferred one first; none until it is agreed
  std::string sentence{};                 // why the exchange ended it
  ports::RequestId dialled{};             // waits for the call to be placed
  TimerHandle first_word_timer{};
};

struct Session {
  enum class State : std::uint8_t { kNew, kConnecting, kConnected, kDisconnected };

  sip::ConnectionId key;
  ports::BrowserSessionId id;
  model::Binding binding;  // how the exchange reaches it
  State state = State::kNew;
  bool present = false;  // its extension was told to have a phone
  Instant created;
  Instant touched;
  Page page;
  media::SessionId media{};  // none before the first offer
  std::string peer_connection;
  std::size_t candidates = 0;
  std::vector<calls::LegId> lines;                // not over, oldest first
  std::map<std::string, model::CallId> expected;  // by SIP Call-ID: calls whose INVITE is on its way here
  std::deque<ports::BrowserPush> told;            // kept for a page that went away for a moment
  std::uint64_t pushes = 0;
  media::MediaLegId tone{};  // what is heard of a call that was refused; none: nothing
  TimerHandle idle_timer, reattach_timer, tone_timer;

  const std::string& extension() const { return binding.extension.value; }
  // Its media has been agreed on and its page is there: calls can come and go.
  bool ready() const { return state == State::kConnecting || state == State::kConnected; }
};

std::string_view name_of(Session::State state);

}  // namespace bw::browser
