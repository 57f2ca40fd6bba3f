// The description of the API, for programs and for people.
#include <array>
#include <boost/json/serialize.hpp>

#include "api/areas.h"
#include "api/openapi.h"

namespace bw::api {
namespace {

constexpr std::string_view kPage = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Bellwire API</title>
<link rel="stylesheet" href="/docs/docs.css">
<script src="/docs/docs.js" defer></script>
</head>
<body>
<h1>Bellwire API</h1>
<p id="state" role="status">Loading…</p>
<form id="login" hidden>
<label>User or extension <input name="username" autocomplete="username" required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Log in</button>
</form>
<main id="operations"></main>
</body>
</html>
)";

constexpr std::string_view kScript = R"('use strict';
const make = (name, text, parent) => {
  const element = document.createElement(name);
  element.textContent = text;
  parent.append(element);
  return element;
};
const state = document.getElementById('state');
const form = document.getElementById('login');
const main = document.getElementById('operations');

function fields(title, schema, parent) {
  const properties = schema && schema.properties;
  if (!properties) return;
  make('h3', title, parent);
  const list = make('ul', '', parent);
  for (const [name, field] of Object.entries(properties)) {
    const required = (schema.required || []).includes(name) ? ', required' : '';
    const item = make('li', '', list);
    make('code', name, item);
    item.append(` ${[].concat(field.type || 'anything').join(' or ')}${required}`);
    if (field.description) item.append(`: ${field.description}`);
  }
}

function show(description) {
  main.replaceChildren();
  for (const [path, methods] of Object.entries(description.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const section = make('section', '', main);
      section.id = operation.operationId;
      make('h2', `${method.toUpperCase()} ${path}`, section);
      make('p', `${operation.summary}. Who: ${operation['x-role']}` +
        (operation['x-scope'] ? `, scope ${operation['x-scope']}` : ''), section);
      for (const parameter of operation.parameters || [])
        make('p', `${parameter.name} (${parameter.in}): ${parameter.description}`, section);
      const body = operation.requestBody && operation.requestBody.content['application/json'];
      fields('Request', body && body.schema, section);
      const answer = operation.responses['200'].content['application/json'];
      let schema = answer && answer.schema;
      if (schema && schema.items) schema = schema.items;
      if (schema && schema.$ref) schema = description.components.schemas[schema.$ref.split('/').pop()];
      fields('Answer', schema, section);
    }
  }
  state.textContent = `Version ${description.info.version}. `;
  const link = make('a', 'openapi.json', state);
  link.href = '/api/openapi.json';
}

async function load() {
  const response = await fetch('/api/openapi.json');
  form.hidden = response.status !== 401;
  if (response.ok) show(await response.json());
  else state.textContent = (await response.json()).error;
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const response = await fetch('/api/login', {
    method: 'POST',
    headers: {'Content-Type': 'application/json'},
    body: JSON.stringify({username: form.username.value, password: form.password.value, cookie: true}),
  });
  if (response.ok) await load();
  else state.textContent = (await response.json()).error;
});
load();
)";

constexpr std::string_view kStyle =
    R"(body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { font: bold 1rem monospace; border-top: 1px solid #ccc; padding-top: 1rem; }
h3 { font-size: 1rem; margin: .5rem 0 0; }
label { display: block; margin: .5rem 0; }
)";

constexpr Shape kHtml{"Page", {}, false, "text/html"};
constexpr Shape kJs{"Script", {}, false, "text/javascript"};
constexpr Shape kCss{"Style", {}, false, "text/css"};
constexpr Shape kDescription{"Description", {}, false, "application/openapi+json"};

void give(Exchange&& e, std::string_view media, std::string_view text) {
  http::Response response;
  response.content_type = std::string(media) + "; charset=utf-8";
  response.body = text;
  e.answer(std::move(response));
}

void page(Services&, Exchange&& e) {
  give(std::move(e), kHtml.media, kPage);
}
void script(Services&, Exchange&& e) {
  give(std::move(e), kJs.media, kScript);
}
void style(Services&, Exchange&& e) {
  give(std::move(e), kCss.media, kStyle);
}

void description(Services&, Exchange&& e) {
  static const std::string kText = boost::json::serialize(openapi(routes()));
  http::Response response;
  response.body = kText;
  e.answer(std::move(response));
}

constexpr std::array kRoutes{
    Route{.method = "GET",
          .pattern = "/api/openapi.json",
          .id = "describe",
          .summary = "This description",
          .tag = "documentation",
          .who = Who::kUser,
          .scope = "self",
          .handle = description,
          .answer = &kDescription},
    Route{.method = "GET",
          .pattern = "/docs",
          .id = "showDocs",
          .summary = "This description as a page",
          .tag = "documentation",
          .who = Who::kAnyone,
          .handle = page,
          .answer = &kHtml},
    Route{.method = "GET",
          .pattern = "/docs/docs.js",
          .id = "docsScript",
          .summary = "The script of the page",
          .tag = "documentation",
          .who = Who::kAnyone,
          .handle = script,
          .answer = &kJs},
    Route{.method = "GET",
          .pattern = "/docs/docs.css",
          .id = "docsStyle",
          .summary = "The style of the page",
          .tag = "documentation",
          .who = Who::kAnyone,
          .handle = style,
          .answer = &kCss},
};

}  // namespace

std::span<const Route> documentation_routes() {
  return kRoutes;
}

}  // namespace bw::api
