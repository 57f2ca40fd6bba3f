#include "api/json.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <cstdint>

#include "api/version.h"
#include "base/rfc3339.h"

namespace bw::api {
namespace {

namespace json = boost::json;

json::value time_or_null(const std::optional<Instant>& t) {
  return t ? json::value(rfc3339(*t)) : json::value(nullptr);
}

std::int64_t seconds_between(const std::optional<Instant>& from, const std::optional<Instant>& to) {
  if (!from || !to || *to < *from) return 0;
  return std::chrono::duration_cast<std::chrono::seconds>(*to - *from).count();
}

// Three digits, as events have them; a whole number without the exponent that JSON of Boost gives the others.
json::value figure(double value) {
  const double rounded = std::round(value * 1000) / 1000;
  const bool whole = std::trunc(rounded) == rounded && std::abs(rounded) < 1e15;
  return whole ? json::value(static_cast<std::int64_t>(rounded)) : json::value(rounded);
}

// Of a leg, or of what is known of one.
template <typename T>
void put_quality(json::object& o, const T& leg) {
  api::put_quality(o, leg.mos, leg.loss_percent, leg.jitter_ms);
}

json::object to_json(const model::LegRecord& leg) {
  json::object o;
  o["party"] = leg.party;
  o["device"] = leg.device;
  o["codec"] = leg.codec;
  o["secured"] = leg.secured;
  put_quality(o, leg);
  o["heard"] = nullptr;
  if (leg.heard) put_quality(o["heard"].emplace_object(), *leg.heard);
  return o;
}

// That of the leg that heard worst.
json::value quality_of(const std::vector<model::LegRecord>& legs) {
  const model::LegRecord* worst = nullptr;
  for (const model::LegRecord& leg : legs) {
    if (leg.mos > 0 && (worst == nullptr || leg.mos < worst->mos)) worst = &leg;
  }
  if (worst == nullptr) return nullptr;
  json::object o;
  put_quality(o, *worst);
  return o;
}

}  // namespace

void put_quality(json::object& o, double mos, double loss_percent, double jitter_ms) {
  o["mos"] = mos > 0 ? figure(mos) : json::value(nullptr);
  o["loss_percent"] = figure(loss_percent);
  o["jitter_ms"] = figure(jitter_ms);
}

json::object to_json(const ports::Status& s, Instant now) {
  json::object o;
  o["running"] = true;
  o["version"] = kVersion;
  o["registered_extensions"] = s.registered_extensions;
  o["registered_contacts"] = s.registered_contacts;
  o["active_calls"] = s.active_calls;
  o["total_calls"] = s.total_calls;
  o["transactions"] = s.transactions;
  o["started_at"] = rfc3339(s.since);
  o["uptime"] = seconds_between(s.since, now);
  return o;
}

// The id names the contact in no more than it already is: extension and instance, or contact.
json::object to_json(const model::Binding& b) {
  json::object o;
  o["id"] = fmt::format("{}/{}", b.extension.value, b.instance.empty() ? b.contact : b.instance);
  o["mac_address"] = nullptr;
  o["extension_number"] = b.extension.value;
  o["user_agent"] = b.user_agent;
  o["ip_address"] = b.flow.remote.ip.to_string();
  o["port"] = b.flow.remote.port;
  const std::string_view transport = sip::uri_token(b.flow.transport);
  o["transport"] = json::string_view(transport.data(), transport.size());
  o["first_registered"] = rfc3339(b.first_registered);
  o["last_registered"] = rfc3339(b.last_registered);
  o["expires_at"] = rfc3339(b.expires_at);
  o["contact_uri"] = b.contact;
  return o;
}

json::object to_json(const ports::CallView& c) {
  json::object o;
  o["call_id"] = c.id.value;
  o["state"] = c.state;
  o["from"] = c.from;
  o["to"] = c.to;
  json::array legs;
  for (const ports::LegView& leg : c.legs) {
    json::object l;
    l["party"] = leg.party;
    l["device"] = leg.device;
    l["state"] = leg.state;
    l["codec"] = leg.codec;
    l["secured"] = leg.secured;
    l["quality"] = nullptr;
    if (leg.quality) put_quality(l["quality"].emplace_object(), *leg.quality);
    l["heard"] = nullptr;
    if (leg.heard) put_quality(l["heard"].emplace_object(), *leg.heard);
    l["packets_refused"] = leg.packets_refused ? json::value(*leg.packets_refused) : json::value(nullptr);
    legs.push_back(std::move(l));
  }
  o["legs"] = std::move(legs);
  o["started_at"] = rfc3339(c.started);
  o["answered_at"] = time_or_null(c.answered);
  return o;
}

json::object to_json(const model::CallRecord& r) {
  json::object o;
  o["call_id"] = r.id.value;
  o["from_extension"] = r.from_extension;
  o["to_extension"] = r.to_extension;
  o["from_number"] = r.from_number.reveal();
  o["to_number"] = r.to_number.reveal();
  o["direction"] = r.direction;
  o["start_time"] = rfc3339(r.started);
  o["answer_time"] = time_or_null(r.answered);
  o["end_time"] = time_or_null(r.ended);
  const std::string_view disposition = model::name_of(r.disposition);
  o["disposition"] =
      r.ended ? json::value(json::string_view(disposition.data(), disposition.size())) : json::value(nullptr);
  o["duration"] = seconds_between(r.started, r.ended);
  o["billsec"] = seconds_between(r.answered, r.ended);
  o["recording_file"] = nullptr;  // nothing records calls
  o["hangup_by"] = r.hangup_by;
  o["hangup_cause"] = r.cause_code;
  o["reason"] = r.reason;
  o["user_agent"] = r.user_agent;
  json::array legs;
  for (const model::LegRecord& leg : r.legs) legs.push_back(to_json(leg));
  o["legs"] = std::move(legs);
  o["quality"] = quality_of(r.legs);
  return o;
}

json::object summary_of(const model::Extension& e, bool registered) {
  json::object o;
  o["number"] = e.number.value;
  o["name"] = e.name.reveal();
  o["email"] = e.email.reveal();
  o["registered"] = registered;
  o["allow_external"] = e.allow_external;
  o["ad_synced"] = false;
  return o;
}

json::object to_json(const model::Extension& e, bool registered) {
  json::object o = summary_of(e, registered);
  o["do_not_disturb"] = e.do_not_disturb;
  o["record"] = e.record;
  o["ring_seconds"] = e.ring_seconds;
  json::object forward;
  forward["always"] = e.forward.always;
  forward["busy"] = e.forward.busy;
  forward["no_answer"] = e.forward.no_answer;
  forward["unreachable"] = e.forward.unreachable;
  o["forward"] = std::move(forward);
  json::array groups;
  for (const std::string& group : e.groups) groups.emplace_back(group);
  o["groups"] = std::move(groups);
  return o;
}

}  // namespace bw::api
