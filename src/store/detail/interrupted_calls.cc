#include "store/detail/interrupted_calls.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/uuid.h"
#include "store/detail/statement.h"
#include "store/detail/text.h"

namespace bw::store::detail {
namespace {

using soci::into;
using soci::use;

constexpr std::string_view kReasonCode = "server_restart";

struct OpenCall {
  std::string from_extension, to_extension;
  Instant started;
  std::optional<Instant> answered;
  std::uint32_t last_seq = 0;  // in the journal; 0: older than the journal
  bool ended = false;          // in the journal
};
using OpenCalls = std::map<std::string, OpenCall>;

Instant instant(long long nanoseconds) {
  return Instant{Duration{nanoseconds}};
}

OpenCalls open_calls(soci::session& sql) {
  OpenCalls out;
  std::string id, from, to;
  long long started = 0, answered = 0;
  soci::indicator answered_set = soci::i_null;
  soci::statement rows =
      prepared(sql,
               "SELECT call_id, from_extension, to_extension, started_at, answered_at"
               " FROM call_records WHERE ended_at IS NULL",
               into(id), into(from), into(to), into(started), into(answered, answered_set));
  rows.execute();
  while (rows.fetch()) {
    OpenCall& call = out[id];
    call.from_extension = from;
    call.to_extension = to;
    call.started = instant(started);
    if (answered_set == soci::i_ok) call.answered = instant(answered);
  }
  return out;
}

// How far each call came. The record is opened at the start and closed at the end; what happened between is
// in the journal alone.
void read_journal(soci::session& sql, OpenCalls& calls) {
  std::string id;
  long long last = 0, answered = 0;
  int ended = 0;
  soci::indicator answered_set = soci::i_null;
  soci::statement rows =
      prepared(sql,
               "SELECT call_id, MAX(call_seq), MIN(CASE WHEN type = 'call.answered' THEN at END),"
               " MAX(CASE WHEN type = 'call.ended' THEN 1 ELSE 0 END) FROM events WHERE seq >="
               " (SELECT MIN(seq) FROM events WHERE call_seq = 1 AND call_id IN"
               " (SELECT call_id FROM call_records WHERE ended_at IS NULL))"
               " AND call_id IN (SELECT call_id FROM call_records WHERE ended_at IS NULL)"
               " GROUP BY call_id",
               into(id), into(last), into(answered, answered_set), into(ended));
  rows.execute();
  while (rows.fetch()) {
    OpenCall& call = calls[id];
    call.last_seq = static_cast<std::uint32_t>(last);
    call.ended = ended != 0;
    if (answered_set == soci::i_ok && !call.answered) call.answered = instant(answered);
  }
}

std::uint32_t seconds_between(Instant from, Instant to) {
  return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(to - from).count());
}

events::CallEnded end_of(const std::string& id, const OpenCall& call, Instant at) {
  events::CallEnded end;
  end.call_id = model::CallId(id);
  end.from_extension = call.from_extension;
  end.to_extension = call.to_extension;
  end.duration = seconds_between(call.started, at);
  end.billsec = call.answered ? seconds_between(*call.answered, at) : 0;
  end.disposition = call.answered ? model::Disposition::kAnswered : model::Disposition::kFailed;
  end.hangup_by = "system";
  end.reason = kReasonCode;
  return end;
}

}  // namespace

std::size_t end_open_calls(soci::session& sql, JournalWriter& journal, const Restart& restart) {
  OpenCalls calls = open_calls(sql);
  if (calls.empty()) return 0;
  read_journal(sql, calls);

  std::string id, disposition, sentence;
  assign_clean(sentence, restart.sentence);
  long long ended = 0, answered = 0;
  soci::indicator answered_set = soci::i_null;
  soci::statement close =
      prepared(sql,
               "UPDATE call_records SET ended_at = :ended, answered_at = :answered,"
               " disposition = :disposition, hangup_by = 'system',"
               " reason = :reason WHERE call_id = :id",
               use(ended), use(answered, answered_set), use(disposition), use(sentence), use(id));
  for (const auto& [call_id, call] : calls) {
    // Not before what happened in it, should the clock have been set back meanwhile.
    const Instant at = std::max({restart.now, call.started, call.answered.value_or(call.started)});
    id = call_id;
    ended = at.since_epoch().count();
    answered = call.answered.value_or(Instant{}).since_epoch().count();
    answered_set = call.answered ? soci::i_ok : soci::i_null;
    disposition = model::name_of(call.answered ? model::Disposition::kAnswered : model::Disposition::kFailed);
    close.execute(true);
    if (call.last_seq == 0 || call.ended) continue;
    journal.add({events::EventId(uuid_v7(restart.now, restart.rng)), at, call.last_seq + 1,
                 end_of(call_id, call, at)});
  }
  return calls.size();
}

}  // namespace bw::store::detail
