#include "store/detail/webhook_json.h"

#include <boost/json.hpp>
#include <exception>
#include <utility>

namespace bw::store::detail {
namespace {

namespace json = boost::json;
using webhooks::DeadLetter;
using webhooks::Deferred;
using webhooks::DeliveryRecord;
using webhooks::Place;
using webhooks::Progress;

json::value time(Instant t) {
  return t.since_epoch().count();
}

json::value time(const std::optional<Instant>& t) {
  return t ? time(*t) : json::value(nullptr);
}

Instant to_time(const json::value& v) {
  return Instant{Duration{v.to_number<std::int64_t>()}};
}

std::optional<Instant> to_optional_time(const json::value& v) {
  return v.is_null() ? std::nullopt : std::optional(to_time(v));
}

std::string to_text(const json::value& v) {
  return std::string(v.as_string());
}

json::object to_json(const Place& place) {
  json::array done(place.done.begin(), place.done.end());
  json::array deferred;
  for (const Deferred& d : place.deferred)
    deferred.push_back({d.seq, d.key, d.failures, time(d.first_failed), time(d.next)});
  return {{"cursor", place.cursor},
          {"until", place.until},
          {"done", std::move(done)},
          {"deferred", std::move(deferred)}};
}

Place to_place(const json::value& v) {
  Place out;
  out.cursor = v.at("cursor").to_number<std::uint64_t>();
  out.until = v.at("until").to_number<std::uint64_t>();
  for (const json::value& seq : v.at("done").as_array()) out.done.push_back(seq.to_number<std::uint64_t>());
  for (const json::value& d : v.at("deferred").as_array()) {
    out.deferred.push_back({d.at(0).to_number<std::uint64_t>(), to_text(d.at(1)),
                            d.at(2).to_number<std::uint32_t>(), to_time(d.at(3)), to_time(d.at(4))});
  }
  return out;
}

// json's own errors are exceptions; here a text is right or it is not.
template <typename T, typename F>
bool read(std::string_view text, T& out, F&& from) {
  try {
    out = from(json::parse(text));
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace

std::string progress_to_json(const Progress& p) {
  json::object out{{"place", to_json(p.place)},      {"replay", nullptr},
                   {"successes", p.successes},       {"failures", p.failures},
                   {"last_sent", time(p.last_sent)}, {"failing_since", time(p.failing_since)}};
  if (p.replay) out["replay"] = to_json(*p.replay);
  return json::serialize(out);
}

bool progress_from_json(std::string_view text, Progress& out) {
  return read(text, out, [&](const json::value& v) {
    Progress p;
    p.place = to_place(v.at("place"));
    if (!v.at("replay").is_null()) p.replay = to_place(v.at("replay"));
    p.successes = v.at("successes").to_number<std::uint64_t>();
    p.failures = v.at("failures").to_number<std::uint64_t>();
    p.last_sent = to_optional_time(v.at("last_sent"));
    p.failing_since = to_optional_time(v.at("failing_since"));
    p.dead = std::move(out.dead);
    return p;
  });
}

std::string dead_to_json(const std::vector<DeadLetter>& dead) {
  json::array out;
  for (const DeadLetter& d : dead) out.push_back({d.seq, d.event_id, d.type, d.key, time(d.at), d.error});
  return json::serialize(out);
}

bool dead_from_json(std::string_view text, std::vector<DeadLetter>& out) {
  return read(text, out, [](const json::value& v) {
    std::vector<DeadLetter> dead;
    for (const json::value& d : v.as_array()) {
      dead.push_back({d.at(0).to_number<std::uint64_t>(), to_text(d.at(1)), to_text(d.at(2)),
                      to_text(d.at(3)), to_time(d.at(4)), to_text(d.at(5))});
    }
    return dead;
  });
}

std::string log_to_json(const std::vector<DeliveryRecord>& log) {
  json::array out;
  for (const DeliveryRecord& d : log) {
    out.push_back(
        {d.event_id, d.type, d.seq, d.attempt, time(d.at), d.status, d.error, d.latency.count(), d.excerpt});
  }
  return json::serialize(out);
}

bool log_from_json(std::string_view text, std::vector<DeliveryRecord>& out) {
  return read(text, out, [](const json::value& v) {
    std::vector<DeliveryRecord> log;
    for (const json::value& d : v.as_array()) {
      log.push_back({to_text(d.at(0)), to_text(d.at(1)), d.at(2).to_number<std::uint64_t>(),
                     d.at(3).to_number<std::uint32_t>(), to_time(d.at(4)), d.at(5).to_number<int>(),
                     to_text(d.at(6)), Duration{d.at(7).to_number<std::int64_t>()}, to_text(d.at(8))});
    }
    return log;
  });
}

std::string secrets_to_json(const webhooks::Subscription& s) {
  json::array headers;
  for (const auto& [name, value] : s.headers) headers.push_back({name, value.reveal()});
  return json::serialize(json::object{
      {"secret", s.secret.reveal()}, {"former", s.former.reveal()}, {"headers", std::move(headers)}});
}

bool secrets_from_json(std::string_view text, webhooks::Subscription& out) {
  return read(text, out, [&](const json::value& v) {
    webhooks::Subscription s = out;
    s.secret = Secret(to_text(v.at("secret")));
    s.former = Secret(to_text(v.at("former")));
    s.headers.clear();
    for (const json::value& h : v.at("headers").as_array())
      s.headers.emplace_back(to_text(h.at(0)), Secret(to_text(h.at(1))));
    return s;
  });
}

}  // namespace bw::store::detail
