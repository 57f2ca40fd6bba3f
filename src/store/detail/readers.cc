#include "store/detail/readers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "store/detail/statement.h"
#include "store/detail/text.h"

namespace bw::store::detail {
namespace {

using soci::into;
using soci::use;

[[noreturn]] void unreadable(const std::string& what) {
  throw soci::soci_error("unreadable value in " + what);
}

template <typename T>
T unless_none(std::optional<T> value, const char* where) {
  if (!value) unreadable(where);
  return *std::move(value);
}

Instant instant(long long nanoseconds) {
  return Instant{Duration{nanoseconds}};
}

std::optional<Instant> instant(long long nanoseconds, soci::indicator indicator) {
  if (indicator == soci::i_null) return std::nullopt;
  return instant(nanoseconds);
}

template <typename T>
T narrow(long long value, const char* where) {
  if (!std::in_range<T>(value)) unreadable(where);
  return static_cast<T>(value);
}

sip::Transport transport_of(std::string_view token) {
  using enum sip::Transport;
  for (const sip::Transport t : {kUdp, kTcp, kTls, kWs, kWss}) {
    if (sip::uri_token(t) == token) return t;
  }
  unreadable("bindings.transport");
}

model::Disposition disposition_of(std::string_view name) {
  using enum model::Disposition;
  for (const model::Disposition d : {kAnswered, kNoAnswer, kBusy, kFailed, kCancelled}) {
    if (model::name_of(d) == name) return d;
  }
  unreadable("call_records.disposition");
}

model::Credentials unseal(const SealKey& key, const std::string& number, const std::string& sealed) {
  auto digests = key.open(sealed, "extension " + number);
  const auto colon = digests ? digests->find(':') : std::string::npos;
  if (colon == std::string::npos) unreadable("extensions.credentials of " + number);
  return {.ha1_md5 = Secret(digests->substr(0, colon)), .ha1_sha256 = Secret(digests->substr(colon + 1))};
}

// What a filter means in numbers; half open, and the place without end where there is none.
struct CallWindow {
  explicit CallWindow(const CallFilter& f) {
    if (f.from) from = f.from->since_epoch().count();
    if (f.before) before = f.before->since_epoch().count();
    if (!f.beyond) return;
    last = f.beyond->started.since_epoch().count();
    last_id = f.beyond->call_id;
    if (last < before) before = last + 1;  // so that the index leads there
  }
  long long from = 0;
  long long before = std::numeric_limits<long long>::max();
  long long last = std::numeric_limits<long long>::max();
  std::string last_id;
};

// Caller and callee have an index each, and no index serves an OR of both: two halves, each read in the order
// of its index.
std::string selection(const CallFilter& filter) {
  const std::string half =
      "SELECT call_id, from_extension, to_extension, from_number, to_number, direction, caller_name,"
      " started_at, answered_at, ended_at, disposition, hangup_by, cause_code, reason, user_agent, legs"
      " FROM call_records WHERE started_at >= :from{0} AND started_at < :before{0}"
      " AND (started_at < :last{0} OR (started_at = :same{0} AND call_id < :id{0}))";
  std::string text = fmt::format(fmt::runtime(half), 1);
  if (!filter.extension.empty()) {
    text = "SELECT * FROM (" + text + " AND from_extension = :caller UNION ALL " +
           fmt::format(fmt::runtime(half), 2) +
           " AND to_extension = :callee AND from_extension <> :other) AS own";
  }
  return text + " ORDER BY started_at DESC, call_id DESC LIMIT :most";
}

}  // namespace

std::vector<model::Extension> read_extensions(soci::session& sql, const SealKey& key) {
  std::string number, name, email, credentials, always, busy, no_answer, unreachable, member_of;
  int allow_external = 0, do_not_disturb = 0, record = 0;
  long long ring_seconds = 0;
  soci::statement rows =
      prepared(sql,
               "SELECT number, name, email, credentials, allow_external, do_not_disturb, record,"
               " ring_seconds, forward_always, forward_busy, forward_no_answer, forward_unreachable,"
               " member_of FROM extensions ORDER BY number",
               into(number), into(name), into(email), into(credentials), into(allow_external),
               into(do_not_disturb), into(record), into(ring_seconds), into(always), into(busy),
               into(no_answer), into(unreachable), into(member_of));
  rows.execute();
  std::vector<model::Extension> out;
  while (rows.fetch()) {
    model::Extension& e = out.emplace_back();
    e.number = model::ExtensionNumber(number);
    e.name = Personal(name);
    e.email = Personal(email);
    e.credentials = unseal(key, number, credentials);
    e.allow_external = allow_external != 0;
    e.do_not_disturb = do_not_disturb != 0;
    e.record = record != 0;
    e.ring_seconds = narrow<std::uint32_t>(ring_seconds, "extensions.ring_seconds");
    e.forward = {always, busy, no_answer, unreachable};
    e.groups = unless_none(parse_list(member_of), "extensions.member_of");
  }
  return out;
}

std::vector<model::Binding> read_bindings(soci::session& sql, Instant now) {
  const long long now_ns = now.since_epoch().count();
  std::string extension, contact, instance, call_id, path, transport, local, remote, user_agent;
  long long reg_id = 0, cseq = 0, q = 0, first = 0, last = 0, expires = 0;
  soci::statement rows =
      prepared(sql,
               "SELECT extension, contact, instance, reg_id, call_id, cseq, q_thousandths, path,"
               " transport, local_address, remote_address, user_agent, first_registered,"
               " last_registered, expires_at FROM bindings WHERE expires_at > :now"
               " ORDER BY extension, binding_key",
               into(extension), into(contact), into(instance), into(reg_id), into(call_id), into(cseq),
               into(q), into(path), into(transport), into(local), into(remote), into(user_agent), into(first),
               into(last), into(expires), use(now_ns));
  rows.execute();
  std::vector<model::Binding> out;
  while (rows.fetch()) {
    model::Binding& b = out.emplace_back();
    b.extension = model::ExtensionNumber(extension);
    b.contact = contact;
    b.instance = instance;
    b.reg_id = narrow<std::uint32_t>(reg_id, "bindings.reg_id");
    b.call_id = call_id;
    b.cseq = narrow<std::uint32_t>(cseq, "bindings.cseq");
    b.q_thousandths = narrow<std::uint16_t>(q, "bindings.q_thousandths");
    b.path = unless_none(parse_list(path), "bindings.path");
    // The connection it came over is gone with the process that held it.
    b.flow = {.transport = transport_of(transport),
              .connection = {},
              .local = unless_none(Endpoint::parse(local), "bindings.local_address"),
              .remote = unless_none(Endpoint::parse(remote), "bindings.remote_address")};
    b.user_agent = user_agent;
    b.first_registered = instant(first);
    b.last_registered = instant(last);
    b.expires_at = instant(expires);
  }
  return out;
}

std::vector<model::CallRecord> read_calls(soci::session& sql, const CallFilter& filter) {
  const auto limit = static_cast<long long>(std::min(filter.limit, CallFilter::kMaxLimit));
  const CallWindow w(filter);
  model::CallRecord r;
  std::string id, from_number, to_number, caller_name, disposition, legs;
  long long started = 0, answered = 0, ended = 0, cause = 0;
  soci::indicator answered_set = soci::i_null, ended_set = soci::i_null;
  soci::statement rows(sql);
  const auto exchange = [&rows](auto&&... values) { (rows.exchange(values), ...); };
  const auto bind_half = [&] {
    exchange(use(w.from), use(w.before), use(w.last), use(w.last), use(w.last_id));
  };
  rows.alloc();
  exchange(into(id), into(r.from_extension), into(r.to_extension), into(from_number), into(to_number),
           into(r.direction), into(caller_name), into(started), into(answered, answered_set),
           into(ended, ended_set), into(disposition), into(r.hangup_by), into(cause), into(r.reason),
           into(r.user_agent), into(legs));
  bind_half();
  if (!filter.extension.empty()) {
    exchange(use(filter.extension));
    bind_half();
    exchange(use(filter.extension), use(filter.extension));
  }
  exchange(use(limit));
  rows.prepare(selection(filter));
  rows.define_and_bind();
  rows.execute();
  std::vector<model::CallRecord> out;
  while (rows.fetch()) {
    r.id = model::CallId(id);
    r.from_number = Personal(from_number);
    r.to_number = Personal(to_number);
    r.caller_name = Personal(caller_name);
    r.started = instant(started);
    r.answered = instant(answered, answered_set);
    r.ended = instant(ended, ended_set);
    r.disposition = disposition_of(disposition);
    r.cause_code = narrow<int>(cause, "call_records.cause_code");
    r.legs = unless_none(parse_legs(legs), "call_records.legs");
    out.push_back(r);
  }
  return out;
}

}  // namespace bw::store::detail
