#include "api/extensions.h"

#include <algorithm>
#include <set>

#include "api/json.h"

namespace bw::api {
namespace {

namespace json = boost::json;

constexpr std::size_t kNumberMin = 2;
constexpr std::size_t kNumberMax = 10;

bool is_number(std::string_view text) {
  return text.size() >= kNumberMin && text.size() <= kNumberMax &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

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

void read_forward(Body& body, model::Forwarding& forward) {
  auto given = body.object("forward");
  if (!given) return;
  for (const auto& [name, target] :
       {std::pair{"always", &forward.always}, std::pair{"busy", &forward.busy},
        std::pair{"no_answer", &forward.no_answer}, std::pair{"unreachable", &forward.unreachable}}) {
    if (auto text = given->text(name, 64)) *target = std::move(*text);
  }
  body.absorb(*given);
}

// What POST and PUT have in common: fields that are absent stay as they are.
void read_wishes(Body& body, model::Extension& e) {
  if (auto name = body.text("name")) e.name = Personal{std::move(*name)};
  if (auto email = body.text("email")) e.email = Personal{std::move(*email)};
  e.allow_external = body.flag("allow_external").value_or(e.allow_external);
  e.do_not_disturb = body.flag("do_not_disturb").value_or(e.do_not_disturb);
  e.record = body.flag("record").value_or(e.record);
  e.ring_seconds = body.number("ring_seconds", 1, 600).value_or(e.ring_seconds);
  read_forward(body, e.forward);
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

json::object success() {
  return {{"success", true}};
}

}  // namespace

Problem no_such_extension(const std::string& number) {
  return {"There is no extension " + number + ".", "not_found", "number", 404};
}

void list_extensions(Services& services, Exchange&& x) {
  with_registered(services, {}, [&services, x = std::move(x)](const auto& registered) mutable {
    std::vector<const model::Extension*> all;
    const model::DirectorySnapshot directory = services.directory();
    for (const auto& [number, extension] : directory->extensions) all.push_back(&extension);
    std::ranges::sort(all, {}, [](const model::Extension* e) -> const auto& { return e->number; });
    json::array list;
    for (const model::Extension* e : all)
      list.push_back(summary_of(*e, registered.contains(e->number.value)));
    x.answer(200, list);
  });
}

void add_extension(Services& services, Exchange&& x) {
  Body body(x.body());
  model::Extension e;
  e.number = model::ExtensionNumber{body.required_text("number", 32)};
  if (!e.number.empty() && !is_number(e.number.value))
    body.object_to("number", "number must have 2 to 10 digits.");
  read_wishes(body, e);
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
  Body body(x.body());
  model::Extension e = *known;
  if (const auto given = body.text("number", 32); given && *given != number) {
    body.object_to("number", "The number of an extension cannot be changed.");
  }
  read_wishes(body, e);
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
  if (services.directory()->find(number) == nullptr) return x.refuse(no_such_extension(number));
  json::object answer = success();
  answer["message"] = "Extension " + number + " was removed.";
  store(services, std::move(x), ports::DropExtension{model::ExtensionNumber{number}}, 200, std::move(answer));
}

}  // namespace bw::api
