#include "testkit/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/core.h"

namespace bw::testkit {
namespace {

constexpr std::string_view kServerRestart = "server_restart";  // as the real store has it in the journal

// The words stories use for what happened.
std::string word_for(const events::Event& event) {
  using namespace events;
  return std::visit(
      Overloaded{
          [](const CallStarted&) -> std::string { return "started"; },
          [](const CallRinging& e) -> std::string { return "ringing:" + e.extension; },
          [](const CallAnswered& e) -> std::string { return "answered:" + e.extension; },
          [](const CallEnded& e) -> std::string { return "ended:" + std::string(name_of(e.disposition)); },
          [](const CallHold& e) -> std::string { return "hold:" + e.extension; },
          [](const CallResume& e) -> std::string { return "resume:" + e.extension; },
          [](const CallTransfer& e) -> std::string {
            return "transfer:" + e.from_extension + '>' + e.to_extension + ':' + e.kind + ':' + e.result;
          },
          [](const CallDtmf& e) -> std::string { return "digit:" + e.extension + ':' + e.digit; },
          [](const ExtensionRegistered& e) -> std::string { return "registered:" + e.extension; },
          [](const ExtensionUnregistered& e) -> std::string {
            return "unregistered:" + e.extension + ':' + e.reason;
          },
          [](const PresenceChanged& e) -> std::string { return "presence:" + e.extension + ':' + e.status; },
          [](const SecurityLockout& e) -> std::string { return "lockout:" + e.subject; },
      },
      event);
}

model::CallId call_of(const events::Event& event) {
  return std::visit(
      []<typename E>(const E& e) {
        if constexpr (requires { e.call_id; }) return e.call_id;
        return model::CallId{};
      },
      event);
}

}  // namespace

FakeStore::BindingKey FakeStore::key_of(const model::Binding& b) {
  if (b.instance.empty()) return {b.extension.value, {}, b.contact, 0};
  return {b.extension.value, b.instance, {}, b.reg_id};
}

void FakeStore::apply(const ports::Change& change) {
  std::visit(Overloaded{
                 [&](const ports::SaveBinding& c) { bindings_[key_of(c.binding)] = c.binding; },
                 [&](const ports::DropBinding& c) { bindings_.erase(key_of(c.binding)); },
                 [&](const ports::OpenCallRecord& c) { open(c.record); },
                 [&](const ports::CloseCallRecord& c) { close(c.record); },
                 [](const ports::SaveExtension&) {},
                 [](const ports::DropExtension&) {},
                 [&](const ports::Tell& c) { tell(c.entry); },
             },
             change);
}

void FakeStore::open(const model::CallRecord& record) {
  CallRow& row = calls_[record.id];
  if (++row.opened > 1) violations_.push_back("record opened twice: " + record.id.value);
  if (row.closed > 0) violations_.push_back("record opened after it was closed: " + record.id.value);
  if (record.ended) violations_.push_back("record opened with an end: " + record.id.value);
  row.record = record;
}

void FakeStore::close(const model::CallRecord& record) {
  CallRow& row = calls_[record.id];
  if (++row.closed > 1) violations_.push_back("record closed twice: " + record.id.value);
  if (!record.ended) violations_.push_back("record closed without an end: " + record.id.value);
  if (record.reason.empty()) violations_.push_back("record closed without a sentence: " + record.id.value);
  if (record.answered && record.ended && *record.ended < *record.answered) {
    violations_.push_back("record ends before its answer: " + record.id.value);
  }
  if (record.answered.has_value() != (record.disposition == model::Disposition::kAnswered)) {
    violations_.push_back(fmt::format("record {} is \"{}\" but {} an answer time", record.id.value,
                                      name_of(record.disposition), record.answered ? "has" : "has not"));
  }
  row.record = record;
}

// events.md §1: one start, one end, nothing outside them, and numbers without a gap.
void FakeStore::tell(const events::Entry& entry) {
  const auto wrong = [&](std::string_view what) {
    violations_.push_back(fmt::format("event \"{}\" {} {}: {}", word_for(entry.event), entry.call_seq,
                                      call_of(entry.event).value, what));
  };
  journal_.push_back(entry);
  if (!ids_.insert(entry.id).second) wrong("its id was used before");
  const model::CallId id = call_of(entry.event);
  if (id.empty()) {
    if (entry.call_seq != 0) wrong("it is of no call and has a number in one");
    return;
  }
  Told& told = told_[id];
  if (entry.call_seq != ++told.seq) wrong(fmt::format("the next number was {}", told.seq));
  if (told.ended) wrong("after the end");
  const bool starts = std::holds_alternative<events::CallStarted>(entry.event);
  if (starts != (told.seq == 1)) wrong("the start is the first and nothing else is");
  const auto row = calls_.find(id);
  if (row == calls_.end() || row->second.opened == 0) wrong("its record is not open");
  if (std::holds_alternative<events::CallAnswered>(entry.event) && std::exchange(told.answered, true))
    wrong("answered twice");
  if (const auto* end = std::get_if<events::CallEnded>(&entry.event)) {
    told.ended = true;
    if (row == calls_.end() || row->second.closed == 0) return wrong("its record is not closed");
    if (told.answered != (end->disposition == model::Disposition::kAnswered))
      wrong("it ends as answered if and only if it was");
    if (end->reason != row->second.record.reason && end->reason != kServerRestart)
      wrong("its record says another reason");
  }
}

std::string FakeStore::told_of(const model::CallId& call) const {
  std::string words;
  for (const auto& entry : journal_) {
    if (call_of(entry.event) != call) continue;
    if (!words.empty()) words += ' ';
    words += word_for(entry.event);
  }
  return words;
}

void FakeStore::close_open_records(Instant now) {
  for (auto& [id, row] : calls_) {
    if (row.closed > 0) continue;
    row.closed = 1;
    row.record.ended = now;
    row.record.hangup_by = "system";
    row.record.reason = "The server stopped during the call";
    const Told& told = told_[id];
    // The open record knows nothing of an answer; the journal does.
    row.record.disposition = told.answered ? model::Disposition::kAnswered : model::Disposition::kFailed;
    tell({events::EventId{"restart-" + id.value}, now, told.seq + 1,
          events::CallEnded{.call_id = id,
                            .from_extension = row.record.from_extension,
                            .to_extension = row.record.to_extension,
                            .disposition = row.record.disposition,
                            .hangup_by = "system",
                            .reason = std::string(kServerRestart),
                            .recording = {},
                            .quality = {}}});
  }
}

std::vector<model::Binding> FakeStore::bindings() const {
  std::vector<model::Binding> all;
  for (const auto& [key, binding] : bindings_) all.push_back(binding);
  return all;
}

std::size_t FakeStore::open_calls() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(calls_, [](const auto& c) { return c.second.closed == 0; }));
}

const model::CallRecord* FakeStore::last_call(std::string_view from, std::string_view to) const {
  const model::CallRecord* newest = nullptr;
  for (const auto& [id, row] : calls_) {
    const bool wanted = (from.empty() || row.record.from_extension == from) &&
                        (to.empty() || row.record.to_extension == to || row.record.to_number.reveal() == to);
    if (wanted && (newest == nullptr || row.record.started >= newest->started)) newest = &row.record;
  }
  return newest;
}

const model::CallRecord* FakeStore::last_call() const {
  return last_call({}, {});
}

}  // namespace bw::testkit
