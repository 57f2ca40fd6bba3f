#include "store/detail/writers.h"

#include <optional>
#include <variant>

#include "base/core.h"
#include "sip/flow.h"
#include "store/detail/statement.h"
#include "store/detail/text.h"

namespace bw::store::detail {
namespace {

using soci::use;

constexpr const char* kSaveBinding =
    "INSERT INTO bindings (extension, binding_key, contact, instance, reg_id, call_id, cseq, q_thousandths,"
    " path, transport, local_address, remote_address, user_agent, first_registered, last_registered,"
    " expires_at) VALUES (:extension, :binding_key, :contact, :instance, :reg_id, :call_id, :cseq, :q, :path,"
    " :transport, :local, :remote, :user_agent, :first, :last, :expires)"
    " ON CONFLICT (extension, binding_key) DO UPDATE SET contact = excluded.contact,"
    " instance = excluded.instance, reg_id = excluded.reg_id, call_id = excluded.call_id,"
    " cseq = excluded.cseq, q_thousandths = excluded.q_thousandths, path = excluded.path,"
    " transport = excluded.transport, local_address = excluded.local_address,"
    " remote_address = excluded.remote_address, user_agent = excluded.user_agent,"
    " first_registered = excluded.first_registered, last_registered = excluded.last_registered,"
    " expires_at = excluded.expires_at";

constexpr const char* kDropBinding =
    "DELETE FROM bindings WHERE extension = :extension AND binding_key = :binding_key";

constexpr const char* kInsertCall =
    "INSERT INTO call_records (call_id, from_extension, to_extension, from_number, to_number, direction,"
    " caller_name, started_at, answered_at, ended_at, disposition, hangup_by, cause_code, reason, user_agent,"
    " legs) VALUES (:call_id, :from_extension, :to_extension, :from_number, :to_number, :direction,"
    " :caller_name, :started, :answered, :ended, :disposition, :hangup_by, :cause, :reason, :user_agent, "
    ":legs)";

// A repeated opening, or one that comes after the end, says nothing new.
constexpr const char* kIfAbsent = " ON CONFLICT (call_id) DO NOTHING";

// The condition is what makes an end happen once: a repeated or late one finds ended_at set.
constexpr const char* kOrClose =
    " ON CONFLICT (call_id) DO UPDATE SET from_extension = excluded.from_extension,"
    " to_extension = excluded.to_extension, from_number = excluded.from_number,"
    " to_number = excluded.to_number, direction = excluded.direction, caller_name = excluded.caller_name,"
    " answered_at = excluded.answered_at, ended_at = excluded.ended_at, disposition = excluded.disposition,"
    " hangup_by = excluded.hangup_by, cause_code = excluded.cause_code, reason = excluded.reason,"
    " user_agent = excluded.user_agent, legs = excluded.legs WHERE call_records.ended_at IS NULL";

constexpr const char* kSaveExtension =
    "INSERT INTO extensions (number, name, email, credentials, allow_external, do_not_disturb, record,"
    " ring_seconds, forward_always, forward_busy, forward_no_answer, forward_unreachable, member_of)"
    " VALUES (:number, :name, :email, :credentials, :allow_external, :dnd, :record, :ring_seconds, :always,"
    " :busy, :no_answer, :unreachable, :member_of)"
    " ON CONFLICT (number) DO UPDATE SET name = excluded.name, email = excluded.email,"
    " credentials = excluded.credentials, allow_external = excluded.allow_external,"
    " do_not_disturb = excluded.do_not_disturb, record = excluded.record,"
    " ring_seconds = excluded.ring_seconds, forward_always = excluded.forward_always,"
    " forward_busy = excluded.forward_busy, forward_no_answer = excluded.forward_no_answer,"
    " forward_unreachable = excluded.forward_unreachable, member_of = excluded.member_of";

long long nanoseconds(Instant t) {
  return t.since_epoch().count();
}

void assign(long long& value, soci::indicator& indicator, const std::optional<Instant>& t) {
  value = t ? nanoseconds(*t) : 0;
  indicator = t ? soci::i_ok : soci::i_null;
}

}  // namespace

void assign_key(std::string& out, const model::Binding& binding) {
  if (binding.instance.empty()) {
    assign_clean(out, binding.contact);
    out.insert(0, "contact ");
    return;
  }
  assign_clean(out, binding.instance);
  out.insert(0, "instance " + std::to_string(binding.reg_id) + ' ');
}

struct Writers::BindingRow {
  std::string extension, key, contact, instance, call_id, path, transport, local, remote, user_agent;
  long long reg_id = 0, cseq = 0, q = 0, first = 0, last = 0, expires = 0;
  soci::statement statement;

  explicit BindingRow(soci::session& sql)
      : statement(prepared(sql, kSaveBinding, use(extension), use(key), use(contact), use(instance),
                           use(reg_id), use(call_id), use(cseq), use(q), use(path), use(transport),
                           use(local), use(remote), use(user_agent), use(first), use(last), use(expires))) {}

  void fill(const model::Binding& b) {
    assign_clean(extension, b.extension.value);
    assign_key(key, b);
    assign_clean(contact, b.contact);
    assign_clean(instance, b.instance);
    assign_clean(call_id, b.call_id);
    assign_list(path, b.path);
    transport = sip::uri_token(b.flow.transport);
    local = b.flow.local.to_string();
    remote = b.flow.remote.to_string();
    assign_clean(user_agent, b.user_agent);
    reg_id = b.reg_id;
    cseq = b.cseq;
    q = b.q_thousandths;
    first = nanoseconds(b.first_registered);
    last = nanoseconds(b.last_registered);
    expires = nanoseconds(b.expires_at);
  }
};

struct Writers::BindingKeyRow {
  std::string extension, key;
  soci::statement statement;

  explicit BindingKeyRow(soci::session& sql)
      : statement(prepared(sql, kDropBinding, use(extension), use(key))) {}
};

struct Writers::CallRow {
  std::string id, from_extension, to_extension, from_number, to_number, direction, caller_name, disposition,
      hangup_by, reason, user_agent, legs;
  long long started = 0, answered = 0, ended = 0, cause = 0;
  soci::indicator answered_set = soci::i_null, ended_set = soci::i_null;
  soci::statement statement;

  CallRow(soci::session& sql, const char* on_conflict)
      : statement(prepared(sql, std::string(kInsertCall) + on_conflict, use(id), use(from_extension),
                           use(to_extension), use(from_number), use(to_number), use(direction),
                           use(caller_name), use(started), use(answered, answered_set), use(ended, ended_set),
                           use(disposition), use(hangup_by), use(cause), use(reason), use(user_agent),
                           use(legs))) {}

  void fill(const model::CallRecord& r) {
    assign_clean(id, r.id.value);
    assign_clean(from_extension, r.from_extension);
    assign_clean(to_extension, r.to_extension);
    assign_clean(from_number, r.from_number.reveal());
    assign_clean(to_number, r.to_number.reveal());
    assign_clean(direction, r.direction);
    assign_clean(caller_name, r.caller_name.reveal());
    started = nanoseconds(r.started);
    assign(answered, answered_set, r.answered);
    disposition = model::name_of(r.disposition);
    assign_clean(hangup_by, r.hangup_by);
    cause = r.cause_code;
    assign_clean(reason, r.reason);
    assign_clean(user_agent, r.user_agent);
    assign_legs(legs, r.legs);
  }
};

struct Writers::ExtensionRow {
  std::string number, name, email, credentials, always, busy, no_answer, unreachable, member_of;
  int allow_external = 0, do_not_disturb = 0, record = 0;
  long long ring_seconds = 0;
  soci::statement statement;

  explicit ExtensionRow(soci::session& sql)
      : statement(prepared(sql, kSaveExtension, use(number), use(name), use(email), use(credentials),
                           use(allow_external), use(do_not_disturb), use(record), use(ring_seconds),
                           use(always), use(busy), use(no_answer), use(unreachable), use(member_of))) {}
};

Writers::Writers(soci::session& sql, const SealKey& key, JournalEnd& journal_end)
    : key_(key),
      binding_(std::make_unique<BindingRow>(sql)),
      dropped_binding_(std::make_unique<BindingKeyRow>(sql)),
      opened_(std::make_unique<CallRow>(sql, kIfAbsent)),
      closed_(std::make_unique<CallRow>(sql, kOrClose)),
      extension_(std::make_unique<ExtensionRow>(sql)),
      drop_extension_(
          prepared(sql, "DELETE FROM extensions WHERE number = :number", use(dropped_extension_))),
      journal_(sql, journal_end) {}

Writers::~Writers() = default;

void Writers::save(const model::Binding& binding) {
  binding_->fill(binding);
  binding_->statement.execute(true);
}

void Writers::drop(const model::Binding& binding) {
  assign_clean(dropped_binding_->extension, binding.extension.value);
  assign_key(dropped_binding_->key, binding);
  dropped_binding_->statement.execute(true);
}

void Writers::save(const model::Extension& e) {
  ExtensionRow& row = *extension_;
  assign_clean(row.number, e.number.value);
  assign_clean(row.name, e.name.reveal());
  assign_clean(row.email, e.email.reveal());
  const std::string digests = e.credentials.ha1_md5.reveal() + ':' + e.credentials.ha1_sha256.reveal();
  row.credentials = key_.seal(digests, "extension " + row.number);
  row.allow_external = e.allow_external ? 1 : 0;
  row.do_not_disturb = e.do_not_disturb ? 1 : 0;
  row.record = e.record ? 1 : 0;
  row.ring_seconds = e.ring_seconds;
  assign_clean(row.always, e.forward.always);
  assign_clean(row.busy, e.forward.busy);
  assign_clean(row.no_answer, e.forward.no_answer);
  assign_clean(row.unreachable, e.forward.unreachable);
  assign_list(row.member_of, e.groups);
  row.statement.execute(true);
}

void Writers::drop(const model::ExtensionNumber& number) {
  assign_clean(dropped_extension_, number.value);
  drop_extension_.execute(true);
}

void Writers::write(const ports::Change& change) {
  std::visit(Overloaded{
                 [&](const ports::SaveBinding& c) { save(c.binding); },
                 [&](const ports::DropBinding& c) { drop(c.binding); },
                 [&](const ports::OpenCallRecord& c) {
                   opened_->fill(c.record);
                   assign(opened_->ended, opened_->ended_set, std::nullopt);
                   opened_->statement.execute(true);
                 },
                 [&](const ports::CloseCallRecord& c) {
                   closed_->fill(c.record);
                   // An end without a time would leave the call open for ever.
                   assign(closed_->ended, closed_->ended_set, c.record.ended.value_or(c.record.started));
                   closed_->statement.execute(true);
                 },
                 [&](const ports::SaveExtension& c) { save(c.extension); },
                 [&](const ports::DropExtension& c) { drop(c.number); },
                 [&](const ports::Tell& c) { journal_.add(c.entry); },
             },
             change);
}

}  // namespace bw::store::detail
