// What the exchange wants stored. All changes of one turn carry one ticket and go into one transaction;
// the store answers Stored{ticket} after the commit (group commit: many tickets, one commit).
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "base/strong.h"
#include "events/event.h"
#include "model/binding.h"
#include "model/call_record.h"
#include "model/extension.h"

namespace bw::ports {

using Ticket = StrongId<struct TicketTag>;

struct SaveBinding {  // insert or replace, keyed by (extension, instance, reg_id) or (extension, contact)
  model::Binding binding;
};
struct DropBinding {
  model::Binding binding;
};
struct OpenCallRecord {
  model::CallRecord record;
};
struct CloseCallRecord {  // also inserts if the opening was never stored
  model::CallRecord record;
};
struct SaveExtension {
  model::Extension extension;
};
struct DropExtension {
  model::ExtensionNumber number;
};
struct Tell {  // into the journal; in the same transaction as the changes it tells of
  events::Entry entry;
};
using Change = std::variant<SaveBinding, DropBinding, OpenCallRecord, CloseCallRecord, SaveExtension,
                            DropExtension, Tell>;

struct Persist {
  Ticket ticket;  // none: nobody waits for it
  std::vector<Change> changes;
};
struct Stored {
  Ticket ticket;
  bool ok = true;
};

}  // namespace bw::ports
