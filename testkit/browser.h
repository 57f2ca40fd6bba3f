// A browser at /phone: it speaks the values behind the REST paths and hears the pushes. Its description is
// written by hand, apart from src/sdp and src/webrtc.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ports/browser.h"
#include "ports/control.h"
#include "testkit/pbx.h"
#include "testkit/phone.h"

namespace bw::testkit {

class Stage;

class Browser {
 public:
  // Of an extension that exists. Nothing is opened yet.
  Browser(Stage& stage, Pbx& pbx, std::string number);

  // ---- what its person and its page do ----
  void opens();      // a session, its media offered; waits until it is connected
  void reloads();    // the page is gone and there again: another connection, the same session
  void goes_away();  // its packets stop, as when a laptop is closed
  void closes();     // the page says goodbye
  bool dials(std::string_view number);
  bool dials(const Phone& phone) { return dials(phone.number()); }
  bool dials(const Browser& other) { return dials(other.number()); }
  bool accepts() { return does(ports::BrowserAccepts{}); }
  void answers();  // waits until it rings, accepts, waits until the call is up
  bool rejects() { return does(ports::BrowserRejects{}); }
  bool hangs_up() { return does(ports::BrowserHangsUp{}); }
  bool holds(std::string_view call = {});
  bool resumes(std::string_view call = {});
  bool transfers_to(std::string_view number);
  bool joins(std::string_view call, std::string_view with);
  bool presses(std::string_view digits);
  // The last that was pushed, or an earlier one: 1 is the first of the session.
  bool answers_offer(std::optional<std::size_t> number = {});
  bool offers_again();  // of its own accord, with the same connection

  // True: it was done. Otherwise refused() says why not.
  bool does(ports::BrowserWish wish);
  std::optional<ports::Reply> asks(ports::BrowserWish wish);
  const ports::Refused& refused() const { return refused_; }

  // ---- what one can see ----
  const std::string& number() const { return number_; }
  const ports::BrowserSessionId& session() const { return session_; }
  const std::string& answer() const { return answer_; }  // the server's last description
  std::optional<ports::BrowserSession> shown();          // as the server has it; none: it has ended
  bool is_ringing() const { return !ringing().empty(); }
  bool hears_ringback() const;
  bool in_call() const { return !talking().empty(); }
  bool is_idle() const { return calls().empty(); }
  std::vector<std::string> ringing() const;  // call ids
  std::vector<std::string> talking() const;
  std::vector<std::string> calls() const;  // that have not ended
  std::string ended_because() const;       // the last that ended
  template <typename What>
  std::vector<What> told() const {
    std::vector<What> found;
    for (const auto& push : pbx_.pushes()) {
      const What* what = push.session == session_ ? std::get_if<What>(&push.what) : nullptr;
      if (what != nullptr) found.push_back(*what);
    }
    return found;
  }

 private:
  std::string ufrag() const;
  std::string description(std::string_view setup, std::string_view formats) const;
  void offers();

  Stage& stage_;
  Pbx& pbx_;
  std::string number_;
  std::string name_;  // nobody else has it
  std::uint32_t certificate_ = 1;
  ports::BrowserSessionId session_;
  std::string answer_;
  ports::Refused refused_;
};

}  // namespace bw::testkit
