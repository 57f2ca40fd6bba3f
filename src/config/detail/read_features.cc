// Sections of the features and of what belongs to each.
#include <array>

#include "config/detail/read.h"
#include "model/ring_time.h"

namespace bw::config::detail {
namespace {

constexpr std::array<std::string_view, 2> kHttp{"http://", "https://"};

void read_subscription(Section& s, Subscription& out) {
  s.flag("enabled", out.enabled);
  s.want_only_if(out.enabled);
  s.url("url", out.url, kHttp);
  s.texts("events", out.events, 64);
  s.secret("secret", out.secret);
  s.headers("headers", out.headers);
}

void read_webhooks(Section& s, Webhooks& out) {
  s.flag("enabled", out.enabled);
  s.want_only_if(out.enabled);
  s.number("max_retries", out.max_retries, 0, 100);
  s.duration("retry_delay", out.retry_delay, 0, 3600);
  s.duration("timeout", out.timeout, 1, 300);
  s.ignored("worker_threads");  // of the earlier system; deliveries need no threads here
  s.number("max_in_flight", out.max_in_flight, 1, 1024);
  s.networks("allow_networks", out.allow_networks);
  s.list("subscriptions", out.subscriptions, read_subscription);
}

void read_turn_server(Section& s, TurnServer& out) {
  static constexpr std::array<std::string_view, 2> kSchemes{"turn:", "turns:"};
  s.url("url", out.url, kSchemes);
  s.text("username", out.username);
  s.secret("credential", out.credential);
}

void read_webrtc(Section& s, WebRtc& out) {
  static constexpr std::array<Word<IcePolicy>, 2> kPolicies{
      {{"all", IcePolicy::kAll}, {"relay", IcePolicy::kRelay}}};
  s.flag("enabled", out.enabled);
  s.want_only_if(out.enabled);
  s.duration("session_timeout", out.session_timeout, 10, 86400);
  s.choice<IcePolicy>("ice_transport_policy", out.ice_transport_policy, kPolicies);
  s.texts("stun_servers", out.stun_servers);
  s.list("turn_servers", out.turn_servers, read_turn_server);
  s.secret("turn_secret", out.turn_secret);
}

void read_provider(Section& s, CrmProvider& out) {
  static constexpr std::array<Word<ProviderType>, 5> kTypes{
      {{"phone_book", ProviderType::kPhoneBook},
       {"active_directory", ProviderType::kActiveDirectory},
       {"external_crm", ProviderType::kExternalCrm},
       {"http_template", ProviderType::kHttpTemplate},
       {"sql", ProviderType::kSql}}};
  s.choice<ProviderType>("type", out.type, kTypes);
  s.flag("enabled", out.enabled);
  s.want_only_if(out.enabled);
  s.text("name", out.name, 64);
  s.text("url", out.url, 2048);
  s.secret("api_key", out.api_key);
  s.duration("timeout", out.timeout, 1, 60);
  s.others(out.options);
}

void read_crm(Section& s, CrmIntegration& out) {
  static constexpr std::array<Word<PopOn>, 3> kPopOn{
      {{"ring", PopOn::kRing}, {"answer", PopOn::kAnswer}, {"end", PopOn::kEnd}}};
  s.flag("enabled", out.enabled);
  s.want_only_if(out.enabled);
  s.flag("cache_enabled", out.cache_enabled);
  s.duration("cache_timeout", out.cache_timeout, 1, 604800);
  s.text("region", out.region, 2);
  s.choice<PopOn>("pop_on", out.pop_on, kPopOn);
  s.list("providers", out.providers, read_provider);
}

void read_hot_desking(Section& s, HotDesking& out) {
  s.flag("enabled", out.enabled);
  s.want_only_if(out.enabled);
  s.flag("require_pin", out.require_pin);
  s.flag("allow_concurrent_logins", out.allow_concurrent_logins);
  s.duration("auto_logout_timeout", out.auto_logout_timeout, 0, 604800);
  s.time_of_day("logout_at", out.logout_at);
  s.flag("any_device", out.any_device);
}

void read_phone_book(Section& s, PhoneBook& out) {
  s.flag("enabled", out.enabled);
  s.flag("auto_sync_from_ad", out.auto_sync_from_ad);
}

void read_zone(Section& s, PagingZone& out) {
  s.extension("extension", out.extension);
  s.text("name", out.name, 64);
  s.extensions("members", out.members);
  s.text("multicast", out.multicast, 64);
}

void read_paging(Section& s, Paging& out) {
  s.flag("enabled", out.enabled);
  s.want_only_if(out.enabled);
  s.extension("prefix", out.prefix);
  s.extension("all_call_extension", out.all_call_extension);
  s.list("zones", out.zones, read_zone);
}

void read_smtp(Section& s, Smtp& out) {
  s.text("host", out.host);
  s.number("port", out.port, 1);
  s.flag("use_tls", out.use_tls);
  s.text("username", out.username);
  s.secret("password", out.password);
}

void read_email(Section& s, VoicemailEmail& out) {
  s.text("from_address", out.from_address);
  s.text("from_name", out.from_name);
  s.text("subject_template", out.subject_template, 1024);
  s.flag("include_attachment", out.include_attachment);
  s.flag("send_immediately", out.send_immediately);
}

void read_reminders(Section& s, VoicemailReminders& out) {
  s.flag("enabled", out.enabled);
  s.time_of_day("time", out.time);
  s.flag("unread_only", out.unread_only);
}

void read_menu_option(Section& s, MenuOption& out) {
  s.dialable("digit", out.digit);
  s.text("destination", out.destination, 64);
  s.text("description", out.description);
}

}  // namespace

void read_features(Section& s, Features& out) {
  s.flag("call_recording", out.call_recording);
  s.flag("call_transfer", out.call_transfer);
  s.flag("call_hold", out.call_hold);
  s.flag("conference", out.conference);
  s.flag("voicemail", out.voicemail);
  s.flag("call_parking", out.call_parking);
  s.flag("call_queues", out.call_queues);
  s.flag("presence", out.presence);
  s.flag("music_on_hold", out.music_on_hold);
  s.flag("auto_attendant", out.auto_attendant);
  s.duration("max_call_duration", out.max_call_duration, 1, 604800);
  s.section("webhooks", out.webhooks, read_webhooks);
  s.section("webrtc", out.webrtc, read_webrtc);
  s.section("crm_integration", out.crm_integration, read_crm);
  s.section("hot_desking", out.hot_desking, read_hot_desking);
  s.section("phone_book", out.phone_book, read_phone_book);
  s.section("paging", out.paging, read_paging);
}

void read_recording(Section& s, Recording& out) {
  static constexpr std::array<Word<AudioFormat>, 3> kFormats{
      {{"wav", AudioFormat::kWav}, {"mp3", AudioFormat::kMp3}, {"opus", AudioFormat::kOpus}}};
  s.flag("auto_record", out.auto_record);
  s.text("storage_path", out.storage_path, 4096);
  s.choice<AudioFormat>("format", out.format, kFormats);
  s.number("retention_days", out.retention_days, 0, 36500);
}

void read_voicemail(Section& s, Voicemail& out) {
  s.text("storage_path", out.storage_path, 4096);
  s.duration("max_message_duration", out.max_message_duration, 1, 3600);
  s.duration("max_greeting_duration", out.max_greeting_duration, 1, 600);
  s.flag("allow_custom_greetings", out.allow_custom_greetings);
  s.duration("no_answer_timeout", out.no_answer_timeout, model::kShortestRingSeconds,
             model::kLongestRingSeconds);
  s.flag("email_notifications", out.email_notifications);
  s.section("reminders", out.reminders, read_reminders);
  s.want_only_if(out.email_notifications || out.reminders.enabled);
  s.section("smtp", out.smtp, read_smtp);
  s.section("email", out.email, read_email);
}

void read_conference(Section& s, Conference& out) {
  s.number("max_participants", out.max_participants, 2, 1000);
  s.flag("record_conferences", out.record_conferences);
}

void read_queue(Section& s, Queue& out) {
  using enum QueueStrategy;
  static constexpr std::array<Word<QueueStrategy>, 5> kStrategies{{{"ring_all", kRingAll},
                                                                   {"round_robin", kRoundRobin},
                                                                   {"least_recent", kLeastRecent},
                                                                   {"fewest_calls", kFewestCalls},
                                                                   {"random", kRandom}}};
  s.extension("number", out.number);
  s.text("name", out.name, 64);
  s.choice<QueueStrategy>("strategy", out.strategy, kStrategies);
  s.duration("max_wait_time", out.max_wait_time, 0, 86400);
  s.number("max_size", out.max_size, 1, 100'000);
  s.extensions("agents", out.agents);
  s.duration("wrap_up", out.wrap_up, 0, 3600);
}

void read_parking(Section& s, Parking& out) {
  s.number("range_start", out.range_start, 1, 999'999);
  s.number("range_end", out.range_end, 1, 999'999);
  s.duration("timeout", out.timeout, 5, 86400);
}

void read_presence(Section& s, Presence& out) {
  s.duration("auto_away_timeout", out.auto_away_timeout, 0, 86400);
  s.duration("auto_offline_timeout", out.auto_offline_timeout, 0, 604800);
}

void read_prompts(Section& s, Prompts& out) {
  s.text("directory", out.directory, 4096);
}

void read_music_on_hold(Section& s, MusicOnHold& out) {
  s.text("directory", out.directory, 4096);
  s.text("default_class", out.default_class, 64);
}

void read_auto_attendant(Section& s, AutoAttendant& out) {
  s.flag("enabled", out.enabled);
  s.want_only_if(out.enabled);
  s.extension("extension", out.extension);
  s.duration("timeout", out.timeout, 1, 300);
  s.number("max_retries", out.max_retries, 0, 20);
  s.extension("operator_extension", out.operator_extension);
  s.text("audio_path", out.audio_path, 4096);
  s.list("menu_options", out.menu_options, read_menu_option);
}

}  // namespace bw::config::detail
