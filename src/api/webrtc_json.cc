#include "api/webrtc_json.h"

#include <boost/json/array.hpp>

#include "api/json.h"
#include "base/core.h"
#include "base/rfc3339.h"

namespace bw::api {
namespace {

namespace json = boost::json;
using Push = ports::BrowserPush;

json::object of_call(const model::CallId& call) {
  return {{"call_id", call.value}};
}

json::object data_of(const Push::What& what) {
  return std::visit(
      Overloaded{
          [](const Push::Incoming& p) {
            json::object o = of_call(p.call);
            o["caller"] = p.caller;
            json::object& info = o["caller_info"].emplace_object();
            info["extension"] = p.caller;
            info["name"] = p.name.reveal();
            return o;
          },
          [](const Push::Ringing& p) { return of_call(p.call); },
          [](const Push::Answered& p) { return of_call(p.call); },
          [](const Push::Ended& p) {
            json::object o = of_call(p.call);
            o["reason"] = p.reason;
            return o;
          },
          [](const Push::Offered& p) { return json::object{{"sdp", p.sdp}, {"offer", p.offer}}; },
          [](const Push::Pressed& p) {
            json::object o = of_call(p.call);
            o["digit"] = std::string(1, p.digit);
            return o;
          },
          [](const Push::Heard& p) {
            json::object o = of_call(p.call);
            put_quality(o, p.quality.mos, p.quality.loss_percent, p.quality.jitter_ms);
            return o;
          },
          [](const Push::SessionChanged& p) {
            return json::object{{"state", p.state}, {"reason", p.reason}};
          },
      },
      what);
}

}  // namespace

json::object to_json(const ports::BrowserSession& s) {
  json::object o;
  o["session_id"] = s.id.value;
  o["extension"] = s.extension;
  o["peer_connection_id"] = s.peer_connection;
  o["state"] = s.state;
  o["created_at"] = rfc3339(s.created);
  o["last_activity"] = rfc3339(s.last_activity);
  o["call_id"] = s.call ? json::value(s.call->value) : json::value(nullptr);
  json::array& calls = o["calls"].emplace_array();
  for (const model::CallId& call : s.calls) calls.emplace_back(call.value);
  return o;
}

json::object to_json(const ports::IceServers& ice) {
  json::array servers;
  for (const ports::IceServer& server : ice.servers) {
    json::object o;
    json::array& urls = o["urls"].emplace_array();
    for (const std::string& url : server.urls) urls.emplace_back(url);
    if (!server.username.empty()) o["username"] = server.username;
    if (!server.credential.reveal().empty()) o["credential"] = server.credential.reveal();
    servers.push_back(std::move(o));
  }
  json::object o;
  o["iceServers"] = std::move(servers);
  o["iceTransportPolicy"] = ice.relay_only ? "relay" : "all";
  return o;
}

std::string_view type_of(const Push& push) {
  return std::visit(Overloaded{
                        [](const Push::Incoming&) { return "webrtc.incoming"; },
                        [](const Push::Ringing&) { return "webrtc.ringing"; },
                        [](const Push::Answered&) { return "webrtc.answered"; },
                        [](const Push::Ended&) { return "webrtc.ended"; },
                        [](const Push::Offered&) { return "webrtc.offer"; },
                        [](const Push::Pressed&) { return "webrtc.dtmf"; },
                        [](const Push::Heard&) { return "webrtc.quality"; },
                        [](const Push::SessionChanged&) { return "webrtc.session"; },
                    },
                    push.what);
}

json::object to_json(const Push& push) {
  json::object o;
  o["event_type"] = type_of(push);
  o["timestamp"] = rfc3339(push.at);
  o["push"] = push.number;
  json::object data = data_of(push.what);
  data["session_id"] = push.session.value;
  o["data"] = std::move(data);
  return o;
}

}  // namespace bw::api
