// What the file may ask for and this version does not do. A line goes when its feature comes.
#include <algorithm>
#include <array>
#include <string>

#include "config/detail/read.h"

namespace bw::config::detail {
namespace {

struct Missing {
  std::string_view key;
  bool (*asks)(const Config&);  // the value given asks for work
};

bool always(const Config&) {
  return true;
}

// Keys whose default is on count only where the file says so itself.
constexpr std::array kMissing{
    Missing{"features.call_recording", [](const Config& c) { return c.features.call_recording; }},
    Missing{"features.conference", [](const Config& c) { return c.features.conference; }},
    Missing{"features.voicemail", [](const Config& c) { return c.features.voicemail; }},
    Missing{"features.call_parking", [](const Config& c) { return c.features.call_parking; }},
    Missing{"features.call_queues", [](const Config& c) { return c.features.call_queues; }},
    Missing{"features.music_on_hold", [](const Config& c) { return c.features.music_on_hold; }},
    Missing{"features.auto_attendant", [](const Config& c) { return c.features.auto_attendant; }},
    Missing{"features.crm_integration.enabled",
            [](const Config& c) { return c.features.crm_integration.enabled; }},
    Missing{"features.crm_integration.providers",
            [](const Config& c) {
              return c.features.crm_integration.enabled && !c.features.crm_integration.providers.empty();
            }},
    Missing{"features.hot_desking.enabled", [](const Config& c) { return c.features.hot_desking.enabled; }},
    Missing{"features.phone_book.enabled", [](const Config& c) { return c.features.phone_book.enabled; }},
    Missing{"features.phone_book.auto_sync_from_ad",
            [](const Config& c) { return c.features.phone_book.auto_sync_from_ad; }},
    Missing{"features.paging.enabled", [](const Config& c) { return c.features.paging.enabled; }},
    Missing{"features.paging.zones",
            [](const Config& c) { return c.features.paging.enabled && !c.features.paging.zones.empty(); }},
    Missing{"recording.auto_record", [](const Config& c) { return c.recording.auto_record; }},
    Missing{"voicemail.email_notifications", [](const Config& c) { return c.voicemail.email_notifications; }},
    Missing{"voicemail.reminders.enabled", [](const Config& c) { return c.voicemail.reminders.enabled; }},
    Missing{"conference.record_conferences", [](const Config& c) { return c.conference.record_conferences; }},
    Missing{"queues", [](const Config& c) { return !c.queues.empty(); }},
    Missing{"parking", always},
    Missing{"presence", always},
    Missing{"music_on_hold.directory", [](const Config& c) { return !c.music_on_hold.directory.empty(); }},
    Missing{"auto_attendant.enabled", [](const Config& c) { return c.auto_attendant.enabled; }},
    Missing{
        "auto_attendant.menu_options",
        [](const Config& c) { return c.auto_attendant.enabled && !c.auto_attendant.menu_options.empty(); }},
    Missing{"emergency.trunk", [](const Config& c) { return !c.emergency.trunk.empty(); }},
    Missing{"emergency.notify", [](const Config& c) { return !c.emergency.notify.empty(); }},
    Missing{"trunks", [](const Config& c) { return !c.trunks.empty(); }},
    Missing{"integrations.active_directory.enabled",
            [](const Config& c) { return c.active_directory.enabled; }},
    Missing{"provisioning.enabled", [](const Config& c) { return c.provisioning.enabled; }},
    Missing{"provisioning.devices",
            [](const Config& c) { return c.provisioning.enabled && !c.provisioning.devices.empty(); }},
};

// Of the extensions: the first that has it speaks for all.
struct MissingInExtension {
  std::string_view key;
  bool (*asks)(const ExtensionEntry&);
};

constexpr std::array kMissingInExtensions{
    MissingInExtension{"voicemail_pin",
                       [](const ExtensionEntry& e) { return !e.voicemail_pin.reveal().empty(); }},
    MissingInExtension{"record", [](const ExtensionEntry& e) { return e.record; }},
    MissingInExtension{"allow_external", [](const ExtensionEntry& e) { return e.allow_external; }},
};

void warn(Reading& reading, std::string_view key, Place place) {
  reading.report(place, key, "this version does not do that yet; the key has no effect", {}, {},
                 Severity::kWarning);
}

}  // namespace

void warn_unsupported(Reading& reading, const Config& config) {
  for (const Missing& missing : kMissing) {
    const auto place = reading.given(missing.key);
    if (place && missing.asks(config)) warn(reading, missing.key, *place);
  }
  for (const MissingInExtension& missing : kMissingInExtensions) {
    const auto it = std::ranges::find_if(config.extensions, missing.asks);
    if (it == config.extensions.end()) continue;
    const auto index = std::to_string(it - config.extensions.begin());
    const std::string key = "extensions[" + index + "]." + std::string(missing.key);
    if (const auto place = reading.given(key)) warn(reading, key, *place);
  }
}

}  // namespace bw::config::detail
