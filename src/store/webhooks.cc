#include "store/webhooks.h"

#include <soci/soci.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

#include "store/detail/connection.h"
#include "store/detail/statement.h"
#include "store/detail/text.h"
#include "store/detail/webhook_json.h"
#include "store/journal.h"

namespace bw::store {
namespace {

using soci::into;
using soci::use;
using webhooks::Standing;
using webhooks::Subscription;
using webhooks::SubscriptionId;

std::string purpose_of(const SubscriptionId& id) {
  return "webhook " + id.value;
}

const char* name_of(Standing standing) {
  switch (standing) {
    case Standing::kActive:
      return "active";
    case Standing::kPaused:
      return "paused";
    case Standing::kDisabled:
      break;
  }
  return "disabled";
}

Standing standing_of(std::string_view name) {
  if (name == "active") return Standing::kActive;
  return name == "paused" ? Standing::kPaused : Standing::kDisabled;
}

void write(soci::session& sql, const SealKey& key, const Subscription& s) {
  std::string events, extensions, reason;
  detail::assign_list(events, s.events);
  detail::assign_list(extensions, s.extensions);
  detail::assign_clean(reason, s.reason);
  const std::string sealed = key.seal(detail::secrets_to_json(s), purpose_of(s.id)),
                    standing = name_of(s.standing);
  const long long former_until = s.former_until.since_epoch().count(),
                  created = s.created_at.since_epoch().count();
  detail::run_once(
      sql,
      "INSERT INTO webhooks (id, url, events, extensions, sealed, former_until, standing, reason, "
      "created_at)"
      " VALUES (:id, :url, :events, :extensions, :sealed, :former, :standing, :reason, :created)"
      " ON CONFLICT (id) DO UPDATE SET url = excluded.url, events = excluded.events,"
      " extensions = excluded.extensions, sealed = excluded.sealed, former_until = excluded.former_until,"
      " standing = excluded.standing, reason = excluded.reason",
      use(s.id.value), use(s.url), use(events), use(extensions), use(sealed), use(former_until),
      use(standing), use(reason), use(created));
}

// A new one begins at the end of the journal; one that is known keeps its place.
void begin(soci::session& sql, const SubscriptionId& id, std::uint64_t cursor) {
  webhooks::Progress progress;
  progress.place.cursor = cursor;
  const std::string text = detail::progress_to_json(progress), none = "[]";
  detail::run_once(
      sql, "INSERT INTO webhook_progress (id, progress) VALUES (:id, :progress) ON CONFLICT (id) DO NOTHING",
      use(id.value), use(text));
  detail::run_once(
      sql,
      "INSERT INTO webhook_history (id, dead, log) VALUES (:id, :dead, :log) ON CONFLICT (id) DO NOTHING",
      use(id.value), use(none), use(none));
}

void drop(soci::session& sql, const SubscriptionId& id) {
  for (const char* table : {"webhooks", "webhook_progress", "webhook_history"})
    detail::run_once(sql, std::string("DELETE FROM ") + table + " WHERE id = :id", use(id.value));
}

// A UUIDv7 tells its millisecond (RFC 9562 §5.7), and the journal is ordered by time: no index is needed.
std::optional<Instant> time_of(const std::string& event_id) {
  constexpr std::size_t kText = 36;
  if (event_id.size() != kText || event_id[8] != '-') return std::nullopt;
  const std::string digits = event_id.substr(0, 8) + event_id.substr(9, 4);
  std::int64_t ms = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), ms, 16);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return Instant{std::chrono::milliseconds(ms)};
}

Failure unreadable(const SubscriptionId& id) {
  return {FailureKind::kRefused, "database: what is stored of the webhook " + id.value + " cannot be read"};
}

}  // namespace

Result<std::vector<webhooks::Saved>> WebhookTables::load() {
  detail::Connection& connection = store_.connection();
  std::optional<Failure> failure;
  auto loaded = connection.run([&](soci::session& sql) {
    std::vector<webhooks::Saved> out;
    std::string id, url, events, extensions, sealed, standing, reason, progress, dead, log;
    long long former = 0, created = 0;
    soci::statement rows =
        detail::prepared(sql,
                         "SELECT w.id, url, events, extensions, sealed, former_until, standing, reason,"
                         " created_at, progress, dead, log FROM webhooks w"
                         " JOIN webhook_progress p ON p.id = w.id"
                         " JOIN webhook_history h ON h.id = w.id ORDER BY created_at, w.id",
                         into(id), into(url), into(events), into(extensions), into(sealed), into(former),
                         into(standing), into(reason), into(created), into(progress), into(dead), into(log));
    rows.execute();
    while (rows.fetch()) {
      webhooks::Saved& s = out.emplace_back();
      s.subscription.id = SubscriptionId(id);
      const auto secrets = connection.key().open(sealed, purpose_of(s.subscription.id));
      const auto types = detail::parse_list(events), whom = detail::parse_list(extensions);
      if (!secrets || !types || !whom || !detail::secrets_from_json(*secrets, s.subscription) ||
          !detail::progress_from_json(progress, s.progress) ||
          !detail::dead_from_json(dead, s.progress.dead) || !detail::log_from_json(log, s.log)) {
        failure = unreadable(s.subscription.id);
        break;
      }
      s.subscription.url = url;
      s.subscription.events = *types;
      s.subscription.extensions = *whom;
      s.subscription.former_until = Instant{Duration{former}};
      s.subscription.standing = standing_of(standing);
      s.subscription.reason = reason;
      s.subscription.created_at = Instant{Duration{created}};
    }
    return out;
  });
  if (failure) return std::unexpected(*failure);
  return loaded;
}

Result<void> WebhookTables::keep(const webhooks::Keep& change) {
  return store_.connection().in_transaction([&](soci::session& sql) {
    for (const Subscription& s : change.save) {
      write(sql, store_.connection().key(), s);
      begin(sql, s.id, change.cursor);
    }
    for (const SubscriptionId& id : change.drop) drop(sql, id);
  });
}

Result<void> WebhookTables::save(std::span<const webhooks::Snapshot> snapshots) {
  return store_.connection().in_transaction([&](soci::session& sql) {
    for (const webhooks::Snapshot& s : snapshots) {
      const std::string& id = s.subscription.value;
      const std::string progress = detail::progress_to_json(s.progress);
      detail::run_once(sql, "UPDATE webhook_progress SET progress = :progress WHERE id = :id", use(progress),
                       use(id));
      if (s.with_dead) {
        const std::string dead = detail::dead_to_json(s.progress.dead);
        detail::run_once(sql, "UPDATE webhook_history SET dead = :dead WHERE id = :id", use(dead), use(id));
      }
      if (s.log) {
        const std::string log = detail::log_to_json(*s.log);
        detail::run_once(sql, "UPDATE webhook_history SET log = :log WHERE id = :id", use(log), use(id));
      }
    }
  });
}

Result<std::vector<events::StoredEvent>> WebhookTables::events(std::span<const std::uint64_t> seqs) {
  Journal journal(store_);
  std::vector<events::StoredEvent> out;
  for (const std::uint64_t seq : seqs) {
    auto page = journal.read({.after = seq - 1, .until = seq, .limit = 1});
    if (!page) return std::unexpected(page.error());
    std::ranges::move(page->events, std::back_inserter(out));
  }
  return out;
}

// Around the time its id tells: the id is made a moment before the event is written.
Result<WebhookTables::Stretch> WebhookTables::find(const std::string& event_id) {
  const auto at = time_of(event_id);
  if (!at) return Stretch{};
  Journal journal(store_);
  const auto first = journal.first_since(*at - 60s);
  const auto end = journal.first_since(*at + 60s);
  if (!first) return std::unexpected(first.error());
  if (!end) return std::unexpected(end.error());
  return store_.connection().run([&](soci::session& sql) {
    const auto low = static_cast<long long>(*first), high = static_cast<long long>(*end);
    long long seq = 0;
    const bool any =
        detail::run_once(sql, "SELECT seq FROM events WHERE seq >= :low AND seq < :high AND event_id = :id",
                         use(low), use(high), use(event_id), into(seq));
    const auto found = any ? static_cast<std::uint64_t>(seq) : 0;
    return Stretch{found, found};
  });
}

Result<WebhookTables::Stretch> WebhookTables::find(const std::string& event_id, std::optional<Instant> since,
                                                   std::optional<Instant> until) {
  if (!event_id.empty()) return find(event_id);
  Journal journal(store_);
  const auto first = since ? journal.first_since(*since) : journal.oldest_seq();
  // One more than the last.
  auto end = until ? journal.first_since(*until + Duration{1}) : journal.newest_seq();
  if (end && !until) ++*end;
  if (!first) return std::unexpected(first.error());
  if (!end) return std::unexpected(end.error());
  if (*first == 0 || *first >= *end) return Stretch{};
  return Stretch{*first, *end - 1};
}

}  // namespace bw::store
