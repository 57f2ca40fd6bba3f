#include "exchange/detail/presence.h"

#include <utility>

namespace bw::exchange {

PresenceTable::Person& PresenceTable::change(std::string_view extension) {
  auto it = people_.find(extension);
  if (it == people_.end()) it = people_.emplace(std::string{extension}, Person{}).first;
  if (!std::exchange(it->second.listed, true)) changed_.emplace_back(extension);
  return it->second;
}

void PresenceTable::registered(std::string_view extension, bool registered) {
  change(extension).registered = registered;
}

void PresenceTable::engaged(std::string_view extension, bool ringing, bool in_call, Instant now) {
  Person& person = change(extension);
  // To be rung is not to do something.
  if (person.in_call || in_call) person.last_activity = now;
  person.ringing = ringing;
  person.in_call = in_call;
}

void PresenceTable::wished(std::string_view extension, ports::OwnStatus status, std::string message,
                           Instant now) {
  Person& person = change(extension);
  person.wish = status;
  person.message = std::move(message);
  person.last_activity = now;
}

void PresenceTable::undisturbed(std::string_view extension, bool do_not_disturb) {
  change(extension).do_not_disturb = do_not_disturb;
}

void PresenceTable::removed(std::string_view extension) {
  Person& person = change(extension);
  person.wish = ports::OwnStatus::kAvailable;
  person.do_not_disturb = false;
  person.message.clear();
  person.last_activity.reset();
}

std::string_view PresenceTable::status_of(const Person& person) {
  if (person.in_call) return "in_call";
  if (person.ringing) return "ringing";
  if (person.do_not_disturb || person.wish == ports::OwnStatus::kDoNotDisturb) return "dnd";
  if (!person.registered) return "offline";
  return person.wish == ports::OwnStatus::kAway ? "away" : "available";
}

bool PresenceTable::is_nobody(const Person& person) {
  return status_of(person) == "offline" && person.wish == ports::OwnStatus::kAvailable &&
         person.message.empty() && !person.last_activity;
}

std::vector<events::PresenceChanged> PresenceTable::take_news() {
  std::vector<events::PresenceChanged> news;
  for (std::string& extension : std::exchange(changed_, {})) {
    const auto it = people_.find(extension);
    if (it == people_.end()) continue;
    Person& person = it->second;
    person.listed = false;
    const std::string_view status = status_of(person);
    if (person.told_status != status || person.told_message != person.message) {
      person.told_status = status;
      person.told_message = person.message;
      news.push_back({extension, std::string{status}, person.message});
    }
    if (is_nobody(person)) people_.erase(it);
  }
  return news;
}

void PresenceTable::forget_news() {
  static_cast<void>(take_news());
}

ports::PresenceView PresenceTable::view(std::string_view extension) const {
  const auto it = people_.find(extension);
  const Person person = it == people_.end() ? Person{} : it->second;
  return {.extension = std::string{extension},
          .name = {},
          .status = std::string{status_of(person)},
          .custom_message = person.message,
          .in_call = person.in_call,
          .last_activity = person.last_activity};
}

}  // namespace bw::exchange
