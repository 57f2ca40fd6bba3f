#include "api/extensions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "api/areas.h"
#include "api/json.h"
#include "api/paging.h"
#include "model/ring_time.h"

namespace bw::api {
namespace {

static_assert(model::kShortestRingSeconds == 5 && model::kLongestRingSeconds == 600,
              "the text below says so");

namespace json = boost::json;

// ---- as the table describes them ----

constexpr std::array kForward{
    Field{.name = "always", .type = Type::kText, .about = "where every call goes", .most = 64},
    Field{.name = "busy",
          .type = Type::kText,
          .about = "where a call goes while the extension talks",
          .most = 64},
    Field{.name = "no_answer",
          .type = Type::kText,
          .about = "where a call goes that nobody answers",
          .most = 64},
    Field{.name = "unreachable",
          .type = Type::kText,
          .about = "where a call goes while no phone is registered",
          .most = 64},
};

// What POST and PUT have in common.
constexpr std::array kWishes{
    Field{.name = "name", .type = Type::kText, .about = "of the person"},
    Field{.name = "email", .type = Type::kText, .about = "of the person"},
    Field{.name = "password",
          .type = Type::kText,
          .about = "of its phones and its login; by the rules of security.password",
          .secret = true,
          .most = 1'024},
    Field{.name = "allow_external", .type = Type::kFlag, .about = "may call outside numbers"},
    Field{.name = "do_not_disturb", .type = Type::kFlag, .about = "rings no phone"},
    Field{.name = "record", .type = Type::kFlag, .about = "calls are recorded"},
    Field{.name = "ring_seconds",
          .type = Type::kInteger,
          .about = "how long its phones ring, 5 to 600; 0: as voicemail.no_answer_timeout says",
          .most = model::kLongestRingSeconds},
    Field{.name = "forward", .type = Type::kObject, .about = "other destinations", .fields = kForward},
    Field{.name = "groups", .type = Type::kTexts, .about = "it belongs to", .most = 100},
};
constexpr std::array kNew = both(std::array{Field{.name = "number",
                                                  .type = Type::kText,
                                                  .about = "what others dial",
                                                  .required = true,
                                                  .format = Format::kExtension}},
                                 kWishes);
constexpr std::array kChanged = both(std::array{Field{.name = "number",
                                                      .type = Type::kText,
                                                      .about = "cannot be changed: the same, or nothing",
                                                      .format = Format::kExtension},
                                                Field{.name = "generate_password",
                                                      .type = Type::kFlag,
                                                      .about = "make a new one and answer it, this once"}},
                                     kWishes);

constexpr std::array kSummaryFields{
    Field{.name = "number", .required = true, .format = Format::kExtension},
    Field{.name = "name", .required = true},
    Field{.name = "email", .required = true},
    Field{.name = "registered", .type = Type::kFlag, .about = "has a phone at this moment", .required = true},
    Field{.name = "allow_external", .type = Type::kFlag, .required = true},
    Field{.name = "ad_synced", .type = Type::kFlag, .required = true},
};
constexpr std::array kWholeFields =
    both(kSummaryFields,
         std::array{Field{.name = "do_not_disturb", .type = Type::kFlag, .required = true},
                    Field{.name = "record", .type = Type::kFlag, .required = true},
                    Field{.name = "ring_seconds",
                          .type = Type::kInteger,
                          .required = true,
                          .most = model::kLongestRingSeconds},
                    Field{.name = "forward", .type = Type::kObject, .required = true, .fields = kForward},
                    Field{.name = "groups", .type = Type::kTexts, .required = true, .most = 100}});
constexpr std::array kAddedFields{
    Field{.name = "success", .type = Type::kFlag, .required = true},
    Field{.name = "message", .required = true},
    Field{.name = "extension", .type = Type::kObject, .required = true, .fields = kWholeFields},
    Field{.name = "password", .type = Type::kText, .about = "that was made, shown this once", .most = 1'024},
};
constexpr std::array kChangedFields{
    Field{.name = "success", .type = Type::kFlag, .required = true},
    Field{.name = "message", .required = true},
    Field{.name = "password", .type = Type::kText, .about = "that was made, shown this once", .most = 1'024},
};
constexpr Shape kSummaries{"ExtensionSummary", kSummaryFields, true};
constexpr Shape kWhole{"Extension", kWholeFields};
constexpr Shape kAdded{"ExtensionAdded", kAddedFields};
constexpr Shape kChangedShape{"ExtensionChanged", kChangedFields};

// Numbers with a contact at this moment; then `next` runs with them.
template <typename F>
void with_registered(Services& services, const std::string& number, F next) {
  services.ask(ports::ListPhones{number}, [next = std::move(next)](ports::Reply&& reply) mutable {
    std::set<std::string, std::less<>> registered;
    if (const auto* phones = std::get_if<ports::Phones>(&reply)) {
      for (const model::Binding& b : phones->bindings) registered.insert(b.extension.value);
    }
    next(registered);
  });
}

// Why a call could never arrive there; none: it may. Such forwards that come about later (an extension is
// removed, another one forwards back) are caught by the call.
std::optional<std::string> objection_to_forward(const std::string& number, const std::string& target,
                                                const model::Directory& directory) {
  if (target.empty()) return std::nullopt;
  if (target == number) return "An extension cannot be forwarded to itself.";
  const model::Extension* next = directory.find(target);
  if (next == nullptr) return "There is no extension " + target + " to forward to.";
  // As long as each forwards everything: whoever forwards on a condition may as well ring.
  for (std::size_t hops = directory.extensions.size(); hops > 0 && next != nullptr; --hops) {
    if (next->forward.always.empty()) return std::nullopt;
    if (next->forward.always == number)
      return "Extension " + next->number.value + " forwards every call to " + number +
             ": the call would go in a circle.";
    next = directory.find(next->forward.always);
  }
  if (next != nullptr) return "The forwards behind " + target + " go in a circle.";
  return std::nullopt;
}

void read_forward(Body& body, model::Extension& e, const model::Directory& directory) {
  auto given = body.object("forward");
  if (!given) return;
  model::Forwarding& forward = e.forward;
  for (const auto& [name, target] :
       {std::pair{"always", &forward.always}, std::pair{"busy", &forward.busy},
        std::pair{"no_answer", &forward.no_answer}, std::pair{"unreachable", &forward.unreachable}}) {
    auto text = given->text(name, 64);
    if (!text) continue;
    // What stood there before is not this request's fault.
    if (*text != *target) {
      if (auto objection = objection_to_forward(e.number.value, *text, directory))
        given->object_to(name, std::move(*objection));
    }
    *target = std::move(*text);
  }
  body.absorb(*given);
}

// Not whether somebody reads there: only that it is an address at all (RFC 5321 §4.1.2, without its
// oddities).
bool is_email(std::string_view text) {
  const auto at = text.find('@');
  if (at == text.npos || at == 0 || at > 64 || text.size() > 254 || text.find('@', at + 1) != text.npos)
    return false;
  const std::string_view host = text.substr(at + 1);
  if (host.empty() || host.front() == '.' || host.back() == '.' || host.find("..") != host.npos) return false;
  return std::ranges::all_of(text, [](char c) {
    return static_cast<unsigned char>(c) > ' ' && c != 0x7f &&
           std::string_view("()<>[]:;,\\\"").find(c) == std::string_view::npos;
  });
}

// What POST and PUT have in common: fields that are absent stay as they are.
void read_wishes(Body& body, model::Extension& e, const model::Directory& directory) {
  if (auto name = body.text("name")) e.name = Personal{std::move(*name)};
  if (auto email = body.text("email")) {
    if (!email->empty() && !is_email(*email))
      body.object_to("email", "An e-mail address looks like name@example.com.");
    e.email = Personal{std::move(*email)};
  }
  e.allow_external = body.flag("allow_external").value_or(e.allow_external);
  e.do_not_disturb = body.flag("do_not_disturb").value_or(e.do_not_disturb);
  e.record = body.flag("record").value_or(e.record);
  if (const auto seconds = body.number("ring_seconds", 0, model::kLongestRingSeconds)) {
    if (*seconds != 0 && *seconds < model::kShortestRingSeconds) {
      body.object_to("ring_seconds",
                     fmt::format("ring_seconds must be {} to {}, or 0: as voicemail.no_answer_timeout says.",
                                 model::kShortestRingSeconds, model::kLongestRingSeconds));
    }
    e.ring_seconds = *seconds;
  }
  read_forward(body, e, directory);
  if (auto groups = body.list("groups")) e.groups = std::move(*groups);
}

// Takes the password of the body into the extension. `generate`: make one if none is given, and answer it,
// for it is shown this once.
std::optional<std::string> read_password(Services& services, Body& body, model::Extension& e, bool generate) {
  const PasswordRules rules = services.password_rules();
  auto given = body.text("password", 1'024);
  if (given) {
    if (auto objection = objection_to(*given, rules)) {
      body.object_to("password", std::move(*objection), "weak_password");
      return std::nullopt;
    }
    e.credentials = credentials_of(e.number.value, Secret{std::move(*given)});
    return std::nullopt;
  }
  if (!generate) return std::nullopt;
  const Secret<std::string> made = generate_password(services.rng(), rules);
  e.credentials = credentials_of(e.number.value, made);
  return made.reveal();
}

void store(Services& services, Exchange&& x, ports::Change&& change, int status, json::object&& answer) {
  services.change(std::move(change),
                  [x = std::move(x), status, answer = std::move(answer)](bool stored) mutable {
                    if (!stored) return x.refuse({"The database does not answer.", "unavailable", {}, 503});
                    x.answer(status, answer);
                  });
}

void list_extensions(Services& services, Exchange&& x) {
  with_registered(services, {}, [&services, x = std::move(x)](const auto& registered) mutable {
    std::vector<std::pair<std::string, json::value>> items;
    const model::DirectorySnapshot directory = services.directory();
    for (const auto& [number, extension] : directory->extensions) {
      if (x.principal().sees(number))
        items.emplace_back(number, summary_of(extension, registered.contains(number)));
    }
    answer_page(std::move(x), std::move(items));
  });
}

void add_extension(Services& services, Exchange&& x) {
  Body body = x.body();
  model::Extension e;
  e.ring_seconds = 0;  // as the configuration says, also when that changes
  e.number = model::ExtensionNumber{body.required_text("number")};
  read_wishes(body, e, *services.directory());
  const auto generated = read_password(services, body, e, true);
  if (const auto problem = body.finish()) return x.refuse(*problem);
  if (services.directory()->find(e.number.value) != nullptr) {
    return x.refuse({"The extension " + e.number.value + " exists already.", "conflict", "number", 409});
  }
  json::object answer = success();
  answer["message"] = "Extension " + e.number.value + " was added.";
  answer["extension"] = to_json(e, false);
  if (generated) answer["password"] = *generated;
  store(services, std::move(x), ports::SaveExtension{std::move(e)}, 200, std::move(answer));
}

void show_extension(Services& services, Exchange&& x) {
  const std::string number = x.parameter();
  if (services.directory()->find(number) == nullptr) return x.refuse(no_such_extension(number));
  with_registered(services, number, [&services, number, x = std::move(x)](const auto& registered) mutable {
    const model::DirectorySnapshot directory = services.directory();
    const model::Extension* e = directory->find(number);
    if (e == nullptr) return x.refuse(no_such_extension(number));
    x.answer(200, to_json(*e, registered.contains(number)));
  });
}

void change_extension(Services& services, Exchange&& x) {
  const std::string number = x.parameter();
  const model::DirectorySnapshot directory = services.directory();
  const model::Extension* known = directory->find(number);
  if (known == nullptr) return x.refuse(no_such_extension(number));
  Body body = x.body();
  model::Extension e = *known;
  x.trail().before = to_json(e, false);
  if (const auto given = body.text("number", 32); given && *given != number) {
    body.object_to("number", "The number of an extension cannot be changed.");
  }
  read_wishes(body, e, *directory);
  const bool generate = body.flag("generate_password").value_or(false);
  const auto generated = read_password(services, body, e, generate);
  if (const auto problem = body.finish()) return x.refuse(*problem);
  json::object answer = success();
  answer["message"] = "Extension " + number + " was changed.";
  if (generated) answer["password"] = *generated;
  store(services, std::move(x), ports::SaveExtension{std::move(e)}, 200, std::move(answer));
}

void remove_extension(Services& services, Exchange&& x) {
  const std::string number = x.parameter();
  const model::DirectorySnapshot directory = services.directory();
  const model::Extension* known = directory->find(number);
  if (known == nullptr) return x.refuse(no_such_extension(number));
  x.trail().before = to_json(*known, false);
  json::object answer = success();
  answer["message"] = "Extension " + number + " was removed.";
  store(services, std::move(x), ports::DropExtension{model::ExtensionNumber{number}}, 200, std::move(answer));
}

constexpr std::array kRoutes{
    Route{.method = "GET",
          .pattern = "/api/extensions",
          .id = "listExtensions",
          .summary = "Extensions; a user sees its own",
          .tag = "extensions",
          .who = Who::kUser,
          .scope = "extensions:read",
          .handle = list_extensions,
          .query = kPaging,
          .answer = &kSummaries},
    Route{.method = "POST",
          .pattern = "/api/extensions",
          .id = "addExtension",
          .summary = "Add an extension",
          .tag = "extensions",
          .who = Who::kAdmin,
          .scope = "extensions:write",
          .handle = add_extension,
          .acts = true,
          .body = kNew,
          .answer = &kAdded},
    Route{.method = "GET",
          .pattern = "/api/extensions/{number}",
          .id = "showExtension",
          .summary = "One extension",
          .tag = "extensions",
          .who = Who::kUser,
          .scope = "extensions:read",
          .own = "number",
          .handle = show_extension,
          .answer = &kWhole},
    Route{.method = "PUT",
          .pattern = "/api/extensions/{number}",
          .id = "changeExtension",
          .summary = "Change what is named of an extension",
          .tag = "extensions",
          .who = Who::kAdmin,
          .scope = "extensions:write",
          .handle = change_extension,
          .body = kChanged,
          .answer = &kChangedShape},
    Route{.method = "DELETE",
          .pattern = "/api/extensions/{number}",
          .id = "removeExtension",
          .summary = "Remove an extension",
          .tag = "extensions",
          .who = Who::kAdmin,
          .scope = "extensions:write",
          .handle = remove_extension},
};

}  // namespace

Problem no_such_extension(const std::string& number) {
  return {"There is no extension " + number + ".", "not_found", "number", 404};
}

std::span<const Route> extension_routes() {
  return kRoutes;
}

}  // namespace bw::api
