// Calls of browsers: their sessions, and what they do in them (docs/browser-calling.md). What happens to them
// is told on the live stream.
#include <array>

#include "api/areas.h"
#include "api/live.h"
#include "api/paging.h"
#include "api/webrtc_json.h"

namespace bw::api {
namespace {

namespace json = boost::json;

constexpr std::int64_t kSdpBytes = 60'000;
constexpr std::int64_t kMost = 1'000'000'000;
constexpr std::int64_t kMostServers = 64;
constexpr std::int64_t kMostMilliseconds = 3'600'000;

// ---- what is asked ----

constexpr Field kSession{.name = "session_id", .required = true, .most = 64};
constexpr Field kCall{.name = "call_id", .about = "the one there is, if the session has but one", .most = 64};
constexpr Field kDescription{.name = "sdp",
                             .type = Type::kAny,  // a text of several lines, which plain ones may not have
                             .about = "a text, as the browser's RTCPeerConnection wrote it",
                             .required = true,
                             .secret = true,  // its ICE password
                             .most = kSdpBytes};
constexpr std::array kOpen{Field{.name = "extension", .about = "a user's own", .required = true, .most = 32}};
constexpr std::array kOffer{kSession, kDescription};
constexpr std::array kAnswer{
    kSession, kDescription,
    Field{.name = "offer", .type = Type::kInteger, .about = "the number in the push", .most = kMost}};
constexpr std::array kCandidateFields{
    Field{.name = "candidate", .about = "empty: that was the last", .most = 1'024},
    Field{.name = "sdpMid", .most = 64},
    Field{.name = "sdpMLineIndex", .type = Type::kInteger, .most = 255},
    Field{.name = "usernameFragment", .secret = true, .most = 256},
};
constexpr std::array kCandidate{
    kSession,
    Field{.name = "candidate", .type = Type::kObject, .required = true, .fields = kCandidateFields}};
constexpr std::array kDial{
    kSession, Field{.name = "target_extension", .about = "or *43", .required = true, .most = 64}};
constexpr std::array kOneCall{kCall};
constexpr std::array kDigits{
    kCall, Field{.name = "digits", .about = "0-9, *, # and A-D", .required = true, .least = 1, .most = 24}};
constexpr std::array kTransfer{
    kCall, Field{.name = "to", .about = "blind: the other side of the call goes there", .most = 64},
    Field{.name = "with_call_id",
          .about = "attended: the other sides of both calls talk to each other",
          .most = 64}};

constexpr Field figure(std::string_view name, std::string_view about, std::int64_t most, bool required) {
  return {.name = name, .type = Type::kAny, .about = about, .required = required, .most = most};
}
constexpr std::array kFigures{
    kCall,
    Field{.name = "packets_sent", .type = Type::kInteger, .required = true, .most = kMost},
    Field{.name = "packets_received", .type = Type::kInteger, .required = true, .most = kMost},
    Field{.name = "packets_lost", .type = Type::kInteger, .required = true, .most = kMost},
    figure("round_trip_ms", "a number", kMostMilliseconds, false),
    figure("jitter_ms", "a number", kMostMilliseconds, false),
    figure("loss_percent", "a number from 0 to 100", 100, false),
    figure("concealed_percent", "a number from 0 to 100", 100, false),
    Field{.name = "codec", .most = 32},
    Field{.name = "protocol", .about = "udp, tcp or relay", .most = 16},
};

// ---- what is answered ----

constexpr std::array kSessionFields{
    Field{.name = "session_id", .required = true},
    Field{.name = "extension", .required = true},
    Field{.name = "peer_connection_id", .about = "another with each connection", .required = true},
    Field{.name = "state", .about = "new, connecting, connected or disconnected", .required = true},
    Field{.name = "created_at", .type = Type::kTime, .required = true},
    Field{.name = "last_activity", .type = Type::kTime, .required = true},
    Field{.name = "call_id", .about = "whose sound flows", .required = true, .nullable = true},
    Field{.name = "calls", .type = Type::kTexts, .about = "held ones too", .required = true, .most = 16},
};
constexpr std::array kServerFields{
    Field{.name = "urls", .type = Type::kTexts, .required = true, .most = kMostServers},
    Field{.name = "username", .most = 512},
    Field{.name = "credential", .most = 512},
};
constexpr std::array kIceFields{
    Field{.name = "iceServers",
          .type = Type::kObjects,
          .about = "for the browser's RTCPeerConnection",
          .required = true,
          .most = kMostServers,
          .fields = kServerFields},
    Field{.name = "iceTransportPolicy", .about = "all or relay", .required = true},
};
constexpr Field kSuccess{.name = "success", .type = Type::kFlag, .required = true};
constexpr std::array kOpenedFields{
    kSuccess,
    Field{.name = "session", .type = Type::kObject, .required = true, .fields = kSessionFields},
    Field{.name = "ice_servers", .type = Type::kObject, .required = true, .fields = kIceFields},
};
constexpr std::array kAnsweredFields{
    kSuccess,
    Field{.name = "message", .required = true},
    Field{.name = "type", .about = "answer", .required = true},
    Field{.name = "sdp", .type = Type::kAny, .about = "a text for the browser", .required = true},
    Field{.name = "offers",
          .type = Type::kInteger,
          .about = "of the server so far: they count no more",
          .required = true,
          .most = kMost},
};
constexpr std::array kPlacedFields{
    kSuccess,
    Field{.name = "call_id", .required = true},
    Field{.name = "message", .required = true},
};
constexpr Shape kSessions{"BrowserSession", kSessionFields, true};
constexpr Shape kIce{"IceServers", kIceFields};
constexpr Shape kOpened{"BrowserSessionOpened", kOpenedFields};
constexpr Shape kAnswered{"BrowserAnswer", kAnsweredFields};
constexpr Shape kPlaced{"BrowserCallPlaced", kPlacedFields};

json::object done(std::string_view message) {
  json::object o = success();
  o["message"] = message;
  return o;
}

// Of a wish whose only answer is that it was done.
json::value in_words(const ports::Reply& reply, std::string_view message) {
  if (const auto* opened = ports::browser_reply<ports::BrowserSessionOpened>(reply)) {
    json::object o = success();
    o["session"] = to_json(opened->session);
    o["ice_servers"] = to_json(opened->ice);
    return o;
  }
  if (const auto* answer = ports::browser_reply<ports::BrowserDescription>(reply)) {
    json::object o = done(message);
    o["type"] = "answer";
    o["sdp"] = answer->sdp;
    o["offers"] = answer->offers;
    return o;
  }
  if (const auto* started = std::get_if<ports::CallStarted>(&reply)) {
    json::object o = done(message);
    o["call_id"] = started->call.value;
    return o;
  }
  if (const auto* ice = ports::browser_reply<ports::IceServers>(reply)) return to_json(*ice);
  return done(message);
}

// A user has the sessions of its own extension; for those of others it might as well be nobody.
std::optional<std::string> only_of(const access::Principal& p) {
  if (p.role != access::Role::kUser) return std::nullopt;
  return p.extension;
}

// The session ends with the login that opened it, or went on with it later.
void note_login(Services& s, const access::Principal& who, const ports::BrowserSessionId& session) {
  LiveStream* live = s.live();
  if (live == nullptr) return;
  live->browser_logins().used(session, who);
  // It may have ended while the phone system was asked.
  if (s.access().is_still(who, *s.directory(), s.moment())) return;
  live->browser_logins().end(s, [&](const access::Principal& other) { return other.session == who.session; });
}

void ask(Services& s, Exchange&& e, std::string session, ports::BrowserWish&& wish,
         std::string_view message) {
  // Supervisors see everything; speaking as somebody is more than that.
  if (e.principal().role == access::Role::kSupervisor && e.request().method != "GET") {
    return e.refuse({"Only the extension itself and admins may act as its phone.", "forbidden", {}, 403});
  }
  const bool offers = std::holds_alternative<ports::BrowserOffer>(wish);
  ports::AskBrowser request{ports::BrowserSessionId{std::move(session)}, std::move(wish),
                            only_of(e.principal())};
  const auto id = request.session;
  s.ask(std::move(request), [&s, id, offers, e = std::move(e), message](ports::Reply&& reply) mutable {
    if (const auto* refused = std::get_if<ports::Refused>(&reply)) return e.refuse(*refused);
    const auto* opened = ports::browser_reply<ports::BrowserSessionOpened>(reply);
    if (opened != nullptr && id.empty()) note_login(s, e.principal(), opened->session.id);
    if (offers) note_login(s, e.principal(), id);
    e.answer(200, in_words(reply, message));
  });
}

model::CallId call_of(Body& body) {
  return model::CallId{body.text("call_id").value_or("")};
}

// ---- handlers ----

void open(Services& s, Exchange&& e) {
  const std::string extension = e.body().required_text("extension");
  ask(s, std::move(e), {}, ports::OpenBrowserSession{extension}, {});
}

void list(Services& s, Exchange&& e) {
  ports::AskBrowser request{{}, ports::ListBrowserSessions{}, only_of(e.principal())};
  s.ask(std::move(request), [e = std::move(e)](ports::Reply&& reply) mutable {
    if (const auto* refused = std::get_if<ports::Refused>(&reply)) return e.refuse(*refused);
    std::vector<std::pair<std::string, json::value>> items;
    if (const auto* all = ports::browser_reply<ports::BrowserSessions>(reply)) {
      for (const auto& session : all->sessions) items.emplace_back(session.id.value, to_json(session));
    }
    answer_page(std::move(e), std::move(items));
  });
}

void ice_servers(Services& s, Exchange&& e) {
  ask(s, std::move(e), {}, ports::ShowIceServers{}, {});
}

template <typename Wish>
void of_session(Services& s, Exchange&& e, Wish&& wish, std::string_view message) {
  std::string session = e.parameter();
  ask(s, std::move(e), std::move(session), std::forward<Wish>(wish), message);
}

void show(Services& s, Exchange&& e) {
  of_session(s, std::move(e), ports::ShowBrowserSession{}, {});
}

void close(Services& s, Exchange&& e) {
  of_session(s, std::move(e), ports::CloseBrowserSession{}, "The session has ended.");
}

std::optional<std::string> description_in(Body& body) {
  const auto value = body.any("sdp");
  const auto* text = value ? value->if_string() : nullptr;
  if (text == nullptr || text->empty() || text->size() > kSdpBytes) return std::nullopt;
  return std::string(text->data(), text->size());
}

Problem no_description() {
  return {"sdp must be a text of at most " + std::to_string(kSdpBytes) + " bytes.", "bad_request", "sdp"};
}

void offer(Services& s, Exchange&& e) {
  Body body = e.body();
  std::string session = body.required_text("session_id");
  auto sdp = description_in(body);
  if (!sdp) return e.refuse(no_description());
  ports::BrowserOffer wish{std::move(*sdp)};
  ask(s, std::move(e), std::move(session), std::move(wish), "This is our answer.");
}

void answer(Services& s, Exchange&& e) {
  Body body = e.body();
  std::string session = body.required_text("session_id");
  auto sdp = description_in(body);
  if (!sdp) return e.refuse(no_description());
  ports::BrowserAnswer wish{std::move(*sdp), body.number("offer", 1, kMost)};
  ask(s, std::move(e), std::move(session), std::move(wish), "The answer is in force.");
}

void candidate(Services& s, Exchange&& e) {
  Body body = e.body();
  std::string session = body.required_text("session_id");
  auto inner = body.object("candidate");
  ports::BrowserCandidate wish{inner ? inner->text("candidate", 1'024).value_or("") : std::string{}};
  ask(s, std::move(e), std::move(session), std::move(wish), "The candidate is known.");
}

void dial(Services& s, Exchange&& e) {
  Body body = e.body();
  std::string session = body.required_text("session_id");
  ports::BrowserDials wish{body.required_text("target_extension")};
  ask(s, std::move(e), std::move(session), std::move(wish), "The call is on its way.");
}

template <typename Wish>
void with_call(Services& s, Exchange&& e) {
  Body body = e.body();
  Wish wish{call_of(body)};
  of_session(s, std::move(e), std::move(wish), "It is done.");
}

void dtmf(Services& s, Exchange&& e) {
  Body body = e.body();
  ports::BrowserPresses wish{call_of(body), body.required_text("digits")};
  of_session(s, std::move(e), std::move(wish), "The digits are on their way.");
}

void transfer(Services& s, Exchange&& e) {
  Body body = e.body();
  ports::BrowserTransfers wish{call_of(body), body.text("to").value_or(""),
                               model::CallId{body.text("with_call_id").value_or("")}};
  of_session(s, std::move(e), std::move(wish), "The call is being transferred.");
}

void restart(Services& s, Exchange&& e) {
  of_session(s, std::move(e), ports::RestartBrowser{}, "An offer comes on the live stream.");
}

// A number with or without a fraction; nothing where there is none.
bool read_number(Body& body, std::string_view name, std::int64_t most, std::optional<double>& into) {
  const auto value = body.any(name);
  if (!value || value->is_null()) return true;
  if (!value->is_number()) return false;
  into = value->to_number<double>();
  return *into >= 0 && *into <= static_cast<double>(most);
}

void stats(Services& s, Exchange&& e) {
  Body body = e.body();
  ports::BrowserFigures wish{.call = call_of(body)};
  wish.packets_received = body.number("packets_received", 0, kMost).value_or(0);
  wish.packets_lost = body.number("packets_lost", 0, kMost).value_or(0);
  wish.codec = body.text("codec").value_or("");
  const std::array numbers{
      std::tuple{"round_trip_ms", kMostMilliseconds, &wish.round_trip_ms},
      std::tuple{"jitter_ms", kMostMilliseconds, &wish.jitter_ms},
      std::tuple{"loss_percent", std::int64_t{100}, &wish.loss_percent},
      std::tuple{"concealed_percent", std::int64_t{100}, &wish.concealed_percent},
  };
  for (const auto& [name, most, into] : numbers) {
    if (!read_number(body, name, most, *into))
      return e.refuse({std::string(name) + " is no such number.", "bad_request", name});
  }
  of_session(s, std::move(e), std::move(wish), "Thank you.");
}

// ---- the table ----

constexpr Route post(std::string_view pattern, std::string_view id, std::string_view summary,
                     void (*handle)(Services&, Exchange&&), std::span<const Field> body) {
  return {.method = "POST",
          .pattern = pattern,
          .id = id,
          .summary = summary,
          .tag = "webrtc",
          .who = Who::kUser,
          .scope = "webrtc:write",
          .handle = handle,
          .body = body};
}

constexpr Route acting(Route route) {
  route.acts = true;
  return route;
}
constexpr Route unlogged(Route route) {
  route.audited = false;
  return route;
}
constexpr Route answering(Route route, const Shape& shape) {
  route.answer = &shape;
  return route;
}

constexpr Route own(Route route, std::string_view name) {
  route.own = name;
  return route;
}

constexpr Route get(std::string_view pattern, std::string_view id, std::string_view summary,
                    void (*handle)(Services&, Exchange&&), const Shape& shape) {
  return {.method = "GET",
          .pattern = pattern,
          .id = id,
          .summary = summary,
          .tag = "webrtc",
          .who = Who::kUser,
          .scope = "webrtc:read",
          .handle = handle,
          .answer = &shape};
}

constexpr Route paged(Route route) {
  route.query = kPaging;
  return route;
}

constexpr Route erase(std::string_view pattern, std::string_view id, std::string_view summary,
                      void (*handle)(Services&, Exchange&&)) {
  Route route = post(pattern, id, summary, handle, {});
  route.method = "DELETE";
  return route;
}

constexpr std::array kRoutes{
    own(answering(
            post("/api/webrtc/session", "openBrowserSession",
                 "A session: the media connection of a browser, made before the first call", open, kOpen),
            kOpened),
        "extension"),
    unlogged(answering(
        post("/api/webrtc/offer", "offerFromBrowser",
             "The browser's offer, answered at once; once more to restart or reload", offer, kOffer),
        kAnswered)),
    unlogged(post("/api/webrtc/answer", "answerFromBrowser",
                  "The browser's answer to an offer that came on the live stream", answer, kAnswer)),
    unlogged(post("/api/webrtc/ice-candidate", "addBrowserCandidate", "Where the browser may be reached",
                  candidate, kCandidate)),
    acting(answering(
        post("/api/webrtc/call", "dialFromBrowser", "Call somebody from the browser", dial, kDial), kPlaced)),
    paged(get("/api/webrtc/sessions", "listBrowserSessions", "The sessions there are; a user's own", list,
              kSessions)),
    get("/api/webrtc/ice-servers", "showIceServers", "STUN and TURN for the browser", ice_servers, kIce),
    get("/api/webrtc/session/{session_id}", "showBrowserSession", "One session", show, kOpened),
    erase("/api/webrtc/session/{session_id}", "closeBrowserSession", "End a session and its calls", close),
    acting(post("/api/webrtc/session/{session_id}/accept", "acceptInBrowser", "Take up a call that rings",
                with_call<ports::BrowserAccepts>, kOneCall)),
    acting(post("/api/webrtc/session/{session_id}/reject", "rejectInBrowser", "Decline a call that rings",
                with_call<ports::BrowserRejects>, kOneCall)),
    acting(post("/api/webrtc/session/{session_id}/hangup", "hangUpInBrowser", "End a call of the session",
                with_call<ports::BrowserHangsUp>, kOneCall)),
    acting(post("/api/webrtc/session/{session_id}/hold", "holdInBrowser", "Hold a call of the session",
                with_call<ports::BrowserHolds>, kOneCall)),
    acting(post("/api/webrtc/session/{session_id}/resume", "resumeInBrowser",
                "Take a held call back; another one that sounds is held", with_call<ports::BrowserResumes>,
                kOneCall)),
    acting(post("/api/webrtc/session/{session_id}/dtmf", "pressInBrowser", "Press keys in a call", dtmf,
                kDigits)),
    acting(post("/api/webrtc/session/{session_id}/transfer", "transferInBrowser",
                "Pass the other side of a call on", transfer, kTransfer)),
    unlogged(post("/api/webrtc/session/{session_id}/restart", "restartBrowser",
                  "Ask for an offer with new ICE credentials", restart, {})),
    unlogged(post("/api/webrtc/session/{session_id}/stats", "tellBrowserFigures",
                  "What the browser measured in the last seconds of a call", stats, kFigures)),
};

}  // namespace

std::span<const Route> webrtc_routes() {
  return kRoutes;
}

}  // namespace bw::api
