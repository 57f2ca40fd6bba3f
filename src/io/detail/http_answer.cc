#include "io/detail/http_answer.h"

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/write.hpp>
#include <ctime>
#include <sstream>

namespace bw::io::detail {
namespace {

namespace bhttp = boost::beast::http;

// RFC 9110 §6.6.1: "Sun, 06 Nov 1994 08:49:37 GMT".
std::string date_now() {
  const std::time_t moment = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&moment, &parts);
  char text[40];
  return {text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

// What our own pages need, and nothing else; no script stands in a page itself. A handler may say otherwise.
constexpr std::string_view kContentPolicy =
    "default-src 'self'; img-src 'self' data:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'";

template <typename Body>
void set_fields(bhttp::response<Body>& answer, const http::Response& response) {
  const auto set = [&](std::string_view name, std::string_view value) {
    answer.set({name.data(), name.size()}, {value.data(), value.size()});
  };
  answer.result(static_cast<unsigned>(response.status));
  answer.version(11);
  set("Server", "Bellwire");
  set("Date", date_now());
  set("Content-Type", response.content_type);
  set("Cache-Control", "no-store");
  set("X-Content-Type-Options", "nosniff");
  set("Content-Security-Policy", kContentPolicy);
  set("Referrer-Policy", "no-referrer");
  set("Permissions-Policy", "microphone=(self), camera=(), geolocation=()");
  for (const auto& [name, value] : response.headers) {
    if (name == "Set-Cookie") {
      answer.insert({name.data(), name.size()}, {value.data(), value.size()});  // may come more than once
    } else {
      set(name, value);
    }
  }
}

}  // namespace

HttpAnswer to_answer(http::Response&& response, bool keep, bool head_only) {
  HttpAnswer answer;
  set_fields(answer, response);
  answer.keep_alive(keep);
  answer.body() = std::move(response.body);
  answer.prepare_payload();
  if (head_only) answer.body().clear();
  return answer;
}

std::string stream_head(const http::Response& response, bool chunked) {
  bhttp::response<bhttp::empty_body> answer;
  set_fields(answer, response);
  if (chunked) answer.chunked(true);
  answer.keep_alive(false);
  std::ostringstream text;
  text << answer.base();
  return text.str();
}

http::Response refusal(int status, std::string_view code, std::string_view sentence) {
  http::Response r;
  r.status = status;
  r.body = std::string{R"({"error":")"}.append(sentence).append(R"(","code":")").append(code).append("\"}\n");
  return r;
}

}  // namespace bw::io::detail
