#include "api/areas.h"

namespace bw::api {
namespace {

constexpr std::array kDoneFields{Field{.name = "success", .type = Type::kFlag, .required = true}};

std::vector<Route> gathered() {
  std::vector<Route> all;
  for (const std::span<const Route> area :
       {system_routes(), login_routes(), account_routes(), lockout_routes(), documentation_routes(),
        extension_routes(), call_routes(), call_control_routes(), call_record_routes(), presence_routes(),
        operation_routes(), webhook_routes(), live_routes(), page_routes(), webrtc_routes()})
    all.insert(all.end(), area.begin(), area.end());
  return all;
}

}  // namespace

const Shape kDone{"Done", kDoneFields};

boost::json::object success() {
  return {{"success", true}};
}

const std::vector<Route>& routes() {
  static const std::vector<Route> kAll = gathered();
  return kAll;
}

}  // namespace bw::api
