// The system's values as JSON, as http-api.md names them.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <optional>
#include <string>

#include "base/time.h"
#include "model/binding.h"
#include "model/call_record.h"
#include "model/extension.h"
#include "ports/control.h"

namespace bw::api {

boost::json::object to_json(const ports::Status& status, Instant now);
boost::json::object to_json(const model::Binding& binding);
// How well somebody hears. `mos` 0: not known.
void put_quality(boost::json::object& o, double mos, double loss_percent, double jitter_ms);
boost::json::object to_json(const ports::CallView& call);
boost::json::object to_json(const model::CallRecord& record);
// Never a password or digest. `registered`: has a contact at this moment.
boost::json::object summary_of(const model::Extension& extension, bool registered);
boost::json::object to_json(const model::Extension& extension, bool registered);

}  // namespace bw::api
