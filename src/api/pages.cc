// The pages for people (web/), as they are embedded in the program.
#include <array>

#include "api/areas.h"
#include "api/operations.h"
#include "pages/assets.h"

namespace bw::api {
namespace {

// Only what the page itself brings and this server says; no script or style stands in the page.
constexpr std::string_view kContentPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "media-src 'self' blob:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

constexpr Shape kHtml{"Page", {}, false, "text/html"};
constexpr Shape kFile{"PageFile", {}, false, "*/*"};

void give(Exchange&& e, const pages::Asset& asset) {
  http::Response response;
  response.content_type = asset.content_type;
  const auto add = [&](const char* name, std::string_view value) {
    response.headers.emplace_back(name, std::string(value));
  };
  add("ETag", asset.etag);
  add("Vary", "Accept-Encoding");
  add("Cache-Control", asset.forever ? "public, max-age=31536000, immutable" : "no-cache");
  add("Content-Security-Policy", kContentPolicy);
  if (pages::is_known(asset, e.request().header("if-none-match"))) {
    response.status = 304;
    return e.answer(std::move(response));
  }
  const auto [bytes, coding] = pages::coded_for(asset, e.request().header("accept-encoding"));
  if (!coding.empty()) add("Content-Encoding", coding);
  response.body = bytes;
  e.answer(std::move(response));
}

void give(Exchange&& e, std::string_view name) {
  if (const pages::Asset* asset = pages::find(name)) return give(std::move(e), *asset);
  e.refuse({"There is no such file.", "not_found", {}, 404});
}

void page(Services&, Exchange&& e) {
  give(std::move(e), "index.html");
}
void file(Services&, Exchange&& e) {
  const std::string name = e.parameter();
  give(std::move(e), name);
}

constexpr std::array kRoutes{
    Route{.method = "GET",
          .pattern = "/phone",
          .id = "showPhone",
          .summary = "The page that is a phone",
          .tag = "pages",
          .who = Who::kAnyone,
          .handle = page,
          .answer = &kHtml},
    Route{.method = "GET",
          .pattern = "/phone/{file}",
          .id = "showPhoneFile",
          .summary = "What the page is made of: scripts, styles, pictures",
          .tag = "pages",
          .who = Who::kAnyone,
          .handle = file,
          .answer = &kFile},
};

constexpr const char* kWelcome =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Bellwire</title>"
    "<h1>Bellwire</h1><p>This is the telephone system of an office. Its page for calls from the browser is "
    "switched off.</p><p><a href=\"/docs\">The HTTP API</a></p></html>\n";

bool has_phone_page(Services& services) {
  auto* operations = services.operations();
  if (operations == nullptr) return false;
  return operations->configuration().at("features").at("webrtc").at("enabled").as_bool();
}

}  // namespace

std::optional<http::Response> doorstep(Services& services, const http::Request& request) {
  if (request.method != "GET" && request.method != "HEAD") return std::nullopt;
  http::Response response;
  response.content_type = "text/html; charset=utf-8";
  if (request.path == "/phone/" || (request.path == "/" && has_phone_page(services))) {
    response.status = request.path == "/" ? 302 : 308;
    response.headers.emplace_back("Location", "/phone");
    return response;
  }
  if (request.path != "/") return std::nullopt;
  response.body = kWelcome;
  return response;
}

std::span<const Route> page_routes() {
  return kRoutes;
}

}  // namespace bw::api
