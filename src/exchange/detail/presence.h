// What each extension is up to, derived from its registrations, its calls and its own wish; and what of it is
// news. A plain table, owned by the System.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/strong.h"
#include "base/time.h"
#include "events/event.h"
#include "ports/control.h"

namespace bw::exchange {

class PresenceTable {
 public:
  // ---- what is known ----
  void registered(std::string_view extension, bool registered);
  void engaged(std::string_view extension, bool ringing, bool in_call, Instant now);
  void wished(std::string_view extension, ports::OwnStatus status, std::string message, Instant now);
  void undisturbed(std::string_view extension, bool do_not_disturb);  // of the directory
  void removed(std::string_view extension);                           // its wishes go with it

  // What changed since the last time, in the order in which it began; each extension once.
  std::vector<events::PresenceChanged> take_news();
  // From now on only changes are news: at start nothing happened to anybody.
  void forget_news();

  ports::PresenceView view(std::string_view extension) const;

 private:
  struct Person {
    bool registered = false;
    bool ringing = false;
    bool in_call = false;
    bool do_not_disturb = false;
    ports::OwnStatus wish = ports::OwnStatus::kAvailable;
    std::string message;
    std::optional<Instant> last_activity;
    bool listed = false;  // in changed_
    std::string_view told_status = "offline";
    std::string told_message;
  };
  static std::string_view status_of(const Person& person);
  // A person as nobody knows one: no entry is kept for it.
  static bool is_nobody(const Person& person);
  Person& change(std::string_view extension);

  std::unordered_map<std::string, Person, TextHash, std::equal_to<>> people_;
  std::vector<std::string> changed_;
};

}  // namespace bw::exchange
