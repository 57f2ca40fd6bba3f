// One call, and what can be done to it.
#include <array>
#include <expected>

#include "api/areas.h"
#include "api/call_fields.h"
#include "api/json.h"
#include "base/core.h"

namespace bw::api {
namespace {

constexpr Shape kCall{"Call", kCallFields};

constexpr Field kCallId{.name = "call_id", .required = true, .most = 64};
constexpr Field kActing{.name = "extension",
                        .about = "the one of the call whose phone could have asked for it; a user's own",
                        .most = 32};
constexpr std::array kWhichCall{kCallId};
constexpr std::array kActingIn{kCallId, kActing};
constexpr std::array kTransfer{
    kCallId, kActing,
    Field{.name = "to", .about = "blind: the other side of the call goes there", .most = 64},
    Field{.name = "with_call_id",
          .about = "attended: the other sides of both calls of the extension talk to each other",
          .most = 64}};

Problem no_such_call() {
  return {"There is no such call.", "not_found", "call_id", 404};
}

void answer_reply(Exchange&& e, ports::Reply&& reply) {
  if (const auto* refused = std::get_if<ports::Refused>(&reply)) return e.refuse(*refused);
  if (const auto* calls = std::get_if<ports::Calls>(&reply); calls != nullptr && calls->calls.size() == 1)
    return e.answer(200, to_json(calls->calls.front()));
  e.answer(200, success());
}

// A user reaches its own calls; of those of others it does not even learn that they are there.
void ask_about(Services& s, Exchange&& e, const model::CallId& call, ports::Request&& request) {
  auto done = [](Exchange&& ex, Services& services, ports::Request&& wish) {
    services.ask(std::move(wish), [ex = std::move(ex)](ports::Reply&& reply) mutable {
      answer_reply(std::move(ex), std::move(reply));
    });
  };
  if (e.principal().role != access::Role::kUser) return done(std::move(e), s, std::move(request));
  s.ask(ports::ShowCall{call}, [&s, done, e = std::move(e),
                                request = std::move(request)](ports::Reply&& reply) mutable {
    const auto* found = std::get_if<ports::Calls>(&reply);
    const auto* refused = std::get_if<ports::Refused>(&reply);
    if (refused != nullptr && refused->status != 404) return e.refuse(*refused);
    if (found == nullptr || found->calls.empty() || !concerns(found->calls.front(), e.principal().extension))
      return e.refuse(no_such_call());
    done(std::move(e), s, std::move(request));
  });
}

void show_call(Services& s, Exchange&& e) {
  const model::CallId call{e.parameter()};
  ask_about(s, std::move(e), call, ports::ShowCall{call});
}

void hang_up(Services& s, Exchange&& e) {
  const model::CallId call{e.body().required_text("call_id")};
  ask_about(s, std::move(e), call, ports::HangUpCall{call});
}

// Whose phone acts: a user's own, else the one that is named.
std::expected<std::string, Problem> acting(const Exchange& e) {
  std::string extension = e.body().text("extension").value_or("");
  if (extension.empty()) extension = e.principal().extension;
  if (extension.empty())
    return std::unexpected(
        Problem{"extension is missing: whose phone could have asked for it?", "missing_field", "extension"});
  if (!e.principal().sees(extension))
    return std::unexpected(Problem{"This is not yours to see or change.", "forbidden", "extension", 403});
  return extension;
}

template <typename Wish>
void act(Services& s, Exchange&& e) {
  const auto extension = acting(e);
  if (!extension) return e.refuse(extension.error());
  const model::CallId call{e.body().required_text("call_id")};
  ask_about(s, std::move(e), call, Wish{call, *extension});
}

void transfer(Services& s, Exchange&& e) {
  const auto extension = acting(e);
  if (!extension) return e.refuse(extension.error());
  const model::CallId call{e.body().required_text("call_id")};
  const std::string to = e.body().text("to").value_or("");
  const std::string with = e.body().text("with_call_id").value_or("");
  if (to.empty() == with.empty())
    return e.refuse({"Either to, or with_call_id, must be given.", "missing_field", "to"});
  if (with.empty()) return ask_about(s, std::move(e), call, ports::TransferCall{call, *extension, to});
  ask_about(s, std::move(e), call, ports::JoinCalls{call, *extension, model::CallId{with}});
}

constexpr Route of_a_call(std::string_view pattern, std::string_view id, std::string_view summary,
                          void (*handle)(Services&, Exchange&&), std::span<const Field> body) {
  return {.method = "POST",
          .pattern = pattern,
          .id = id,
          .summary = summary,
          .tag = "calls",
          .who = Who::kUser,
          .scope = "calls:write",
          .handle = handle,
          .acts = true,
          .body = body,
          .answer = &kDone};
}

constexpr std::array kRoutes{
    Route{.method = "GET",
          .pattern = "/api/calls/{call_id}",
          .id = "showCall",
          .summary = "One call that lasts, with the legs that have left it",
          .tag = "calls",
          .who = Who::kUser,
          .scope = "calls:read",
          .handle = show_call,
          .answer = &kCall},
    of_a_call("/api/call/transfer", "transferCall", "Pass the other side of a call on", transfer, kTransfer),
    of_a_call("/api/call/hold", "holdCall", "Hold a call: the other side waits", act<ports::HoldCall>,
              kActingIn),
    of_a_call("/api/call/resume", "resumeCall", "Take a held call back", act<ports::ResumeCall>, kActingIn),
    of_a_call("/api/call/hangup", "hangUpCall", "End a call", hang_up, kWhichCall),
};

}  // namespace

std::span<const Route> call_control_routes() {
  return kRoutes;
}

}  // namespace bw::api
