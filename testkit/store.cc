#include "testkit/store.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/core.h"

namespace bw::testkit {

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
                 [&](const ports::Tell& c) { journal_.push_back(c.entry); },
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

void FakeStore::close_open_records(Instant now) {
  for (auto& [id, row] : calls_) {
    if (row.closed > 0) continue;
    row.closed = 1;
    row.record.ended = now;
    row.record.hangup_by = "system";
    row.record.reason = "The server stopped during the call";
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
