// `bellwire webhook listen`: a receiver on this machine alone, for those who try webhooks out.
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <csignal>
#include <cstdio>

#include "io/clock.h"
#include "io/front.h"
#include "server/program.h"
#include "server/showing.h"
#include "server/webhook_commands.h"
#include "webhooks/signature.h"

namespace bw::server {
namespace {

namespace json = boost::json;

constexpr std::int64_t kOldestS = 300;  // as Standard Webhooks advises; older: somebody plays it back

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool timely(std::string_view timestamp, Instant now) {
  std::int64_t s = 0;
  const auto [end, error] = std::from_chars(timestamp.data(), timestamp.data() + timestamp.size(), s);
  if (error != std::errc{} || end != timestamp.data() + timestamp.size()) return false;
  const std::int64_t newest = now.unix_s() + kOldestS;
  return s <= newest && s >= newest - 2 * kOldestS;
}

// Several, separated by blanks, while a secret is being changed.
bool any_is(std::string_view wanted, std::string_view signatures) {
  while (!signatures.empty()) {
    const std::size_t end = std::min(signatures.find(' '), signatures.size());
    if (same(signatures.substr(0, end), wanted)) return true;
    signatures.remove_prefix(std::min(end + 1, signatures.size()));
  }
  return false;
}

// What is wrong with the signatures; nothing: they are genuine.
std::string objection(const http::Request& r, std::string_view secret, Instant now) {
  const std::string body = webhooks::body_signature(secret, r.body);
  if (!same(r.header("x-webhook-signature"), body) && !same(r.header("x-webhook-signature-former"), body))
    return r.header("x-webhook-signature").empty() ? "it has no X-Webhook-Signature"
                                                   : "X-Webhook-Signature does not fit the secret";
  const std::string_view timestamp = r.header("webhook-timestamp");
  const std::string standard =
      webhooks::standard_signature(secret, r.header("webhook-id"), timestamp, r.body);
  if (!any_is(standard, r.header("webhook-signature"))) return "webhook-signature does not fit the secret";
  if (!timely(timestamp, now)) return "webhook-timestamp is more than five minutes off";
  return {};
}

// Its handler runs on the front thread.
class Receiver {
 public:
  Receiver(const WebhookListener& listener, bool as_json) : secret_(listener.secret), as_json_(as_json) {}

  http::Response receive(const http::Request& r) {
    if (r.method != "POST") return refuse(r, 405, "only POST is taken");
    boost::system::error_code error;
    const json::value event = json::parse(r.body, error);
    if (error || !event.is_object()) return refuse(r, 400, "the body is no JSON object");
    const std::string wrong = secret_.empty() ? std::string{} : objection(r, secret_, clock_.now());
    if (!wrong.empty()) return refuse(r, 401, wrong);
    const std::string line = as_json_ ? json::serialize(event) : event_in_one_line(r.body);
    // Who reads us has gone: the main thread waits for this.
    if (std::fprintf(stdout, "%s\n", line.c_str()) < 0 || std::fflush(stdout) != 0)
      ::kill(::getpid(), SIGTERM);
    return {.status = 200, .body = "{\"success\":true}\n"};
  }

 private:
  http::Response refuse(const http::Request& r, int status, std::string_view why) {
    complain(kOk, fmt::format("refused {} {} from {}: {}", printable(r.method, 16), printable(r.path, 200),
                              r.from.to_string(), why));
    return {.status = status,
            .body = json::serialize(json::object{{"success", false}, {"error", why}}) + "\n"};
  }

  const std::string secret_;
  const bool as_json_;
  const io::Clock clock_;
};

// The front carries no SIP here: it has no door for it.
class NoPhones final : public io::FrontSink {
 public:
  bool received(const sip::Flow&, std::string&&) override { return false; }
  void lost(const sip::Flow&) override {}
};

io::StreamLimits few_connections() {
  io::StreamLimits limits;
  limits.connections = limits.connections_per_address = 256;
  return limits;
}

}  // namespace

int command_webhook_listen(const WebhookListener& listener, const CommandOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t ends;
  sigemptyset(&ends);
  for (const int s : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&ends, s);
  ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);  // before the front's thread, which inherits it
  Receiver receiver(listener, options.json);
  NoPhones nobody;
  io::Front front(nobody, few_connections());
  io::FrontHandlers handlers;
  handlers.from_network = [&receiver](http::Request&& request, http::Respond respond) {
    respond(receiver.receive(request));
  };
  io::FrontDoors doors;
  doors.http = {{IpAddress::v4(0x7F000001), listener.port}};
  if (const auto open = front.listen(doors, std::move(handlers)); !open)
    return complain(kCannotStart, open.error().sentence);
  fmt::print(stderr, "listening on http://{}/ until Ctrl-C; signatures are {}\n",
             front.bound_http().front().to_string(), listener.secret.empty() ? "not checked" : "checked");
  int signal = 0;
  sigwait(&ends, &signal);
  front.stop();
  return kOk;
}

}  // namespace bw::server
