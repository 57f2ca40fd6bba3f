// The part of config.yml that belongs to features: named, typed and with defaults as in the key table of the
// configuration guide. A structure per mapping, a member per key, in the order of the table.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/secret.h"
#include "model/extension.h"

namespace bw::config {

using std::chrono::seconds;
using Headers = std::map<std::string, Secret<std::string>>;  // a header may carry a token

struct Subscription {
  std::string url;
  std::vector<std::string> events;
  bool enabled = true;
  Secret<std::string> secret;
  Headers headers;
};

struct Webhooks {
  bool enabled = true;
  std::uint32_t max_retries = 3;
  seconds retry_delay{5};
  seconds timeout{10};
  std::uint32_t max_in_flight = 16;
  std::vector<Network> allow_networks;
  std::vector<Subscription> subscriptions;
};

struct TurnServer {
  std::string url;
  std::string username;
  Secret<std::string> credential;
};

enum class IcePolicy : std::uint8_t { kAll, kRelay };

struct WebRtc {
  bool enabled = true;
  seconds session_timeout{300};
  IcePolicy ice_transport_policy = IcePolicy::kAll;
  std::vector<std::string> stun_servers;
  std::vector<TurnServer> turn_servers;
  Secret<std::string> turn_secret;
};

enum class ProviderType : std::uint8_t { kPhoneBook, kActiveDirectory, kExternalCrm, kHttpTemplate, kSql };
enum class PopOn : std::uint8_t { kRing, kAnswer, kEnd };

struct CrmProvider {
  ProviderType type = ProviderType::kPhoneBook;
  bool enabled = true;
  std::string name;  // empty: the name of the type
  std::string url;
  Secret<std::string> api_key;
  seconds timeout{5};
  // Keys of one type only (templates, queries, accounts); any of them may be a credential.
  std::map<std::string, Secret<std::string>> options;
};

struct CrmIntegration {
  bool enabled = true;
  bool cache_enabled = true;
  seconds cache_timeout{3600};
  std::string region;  // empty: server.region
  PopOn pop_on = PopOn::kRing;
  std::vector<CrmProvider> providers = {CrmProvider{}};
};

struct TimeOfDay {
  std::uint8_t hour = 0;
  std::uint8_t minute = 0;
  friend bool operator==(const TimeOfDay&, const TimeOfDay&) = default;
};

struct HotDesking {
  bool enabled = true;
  bool require_pin = true;
  bool allow_concurrent_logins = false;
  seconds auto_logout_timeout{28800};
  std::optional<TimeOfDay> logout_at;
  bool any_device = true;
};

struct PagingZone {
  std::string extension;
  std::string name;
  std::vector<std::string> members;
  std::string multicast;
};

struct Paging {
  bool enabled = true;
  std::string prefix = "7";
  std::string all_call_extension = "700";
  std::vector<PagingZone> zones;
};

struct PhoneBook {
  bool enabled = true;
  bool auto_sync_from_ad = false;
};

struct Features {
  bool call_recording = true;
  bool call_transfer = true;
  bool call_hold = true;
  bool conference = true;
  bool voicemail = true;
  bool call_parking = true;
  bool call_queues = true;
  bool presence = true;
  bool music_on_hold = true;
  bool auto_attendant = true;
  seconds max_call_duration{7200};
  Webhooks webhooks;
  WebRtc webrtc;
  CrmIntegration crm_integration;
  HotDesking hot_desking;
  PhoneBook phone_book;
  Paging paging;
};

enum class AudioFormat : std::uint8_t { kWav, kMp3, kOpus };

struct Recording {
  bool auto_record = false;
  std::string storage_path = "recordings";
  AudioFormat format = AudioFormat::kWav;
  std::uint32_t retention_days = 90;
};

struct Smtp {
  std::string host;
  std::uint16_t port = 587;
  bool use_tls = true;
  std::string username;
  Secret<std::string> password;
};

struct VoicemailEmail {
  std::string from_address;
  std::string from_name = "Bellwire";
  std::string subject_template = "New voicemail from {caller_id}";
  bool include_attachment = true;
  bool send_immediately = true;
};

struct VoicemailReminders {
  bool enabled = false;
  std::optional<TimeOfDay> time = TimeOfDay{9, 0};
  bool unread_only = true;
};

struct Voicemail {
  std::string storage_path = "voicemail";
  seconds max_message_duration{180};
  seconds max_greeting_duration{30};
  bool allow_custom_greetings = true;
  seconds no_answer_timeout{30};
  bool email_notifications = false;
  Smtp smtp;
  VoicemailEmail email;
  VoicemailReminders reminders;
};

struct Conference {
  std::uint32_t max_participants = 50;
  bool record_conferences = false;
};

enum class QueueStrategy : std::uint8_t { kRingAll, kRoundRobin, kLeastRecent, kFewestCalls, kRandom };

struct Queue {
  std::string number;
  std::string name;
  QueueStrategy strategy = QueueStrategy::kRingAll;
  seconds max_wait_time{300};
  std::uint32_t max_size = 50;
  std::vector<std::string> agents;
  seconds wrap_up{0};
};

struct Parking {
  std::uint32_t range_start = 70;
  std::uint32_t range_end = 79;
  seconds timeout{120};
};

struct Presence {
  seconds auto_away_timeout{300};
  seconds auto_offline_timeout{1800};
};

struct Prompts {
  std::string directory = "/usr/share/asterisk/sounds/en_US_f_Allison";  // of asterisk-core-sounds-en-g722
};

struct MusicOnHold {
  std::string directory;  // empty: the packaged music
  std::string default_class = "default";
};

struct MenuOption {
  std::string digit;
  std::string destination;
  std::string description;
};

struct AutoAttendant {
  bool enabled = true;
  std::string extension = "0";
  seconds timeout{10};
  std::uint32_t max_retries = 3;
  std::string operator_extension;  // empty: the first extension
  std::string audio_path;
  std::vector<MenuOption> menu_options;
};

}  // namespace bw::config
