// Any sequence of messages against one registrar and one authenticator. Messages are separated by a NUL; a
// first byte of each says how much time passes, over which connection it comes, and whether that one is lost.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <set>
#include <string_view>

#include "registrar/authenticator.h"
#include "registrar/registrar.h"
#include "sip/contact.h"

namespace {

using namespace bw;  // NOLINT: as in every fuzz target, one screen of code

void check(const registrar::Registrar& registrar, std::size_t limit, Instant now) {
  if (!registrar.check_invariants()) std::abort();
  const auto contacts = registrar.contacts("1001", now);
  if (contacts.size() > limit || registrar.bindings("1001", now).size() > limit) std::abort();
  for (const model::Binding* b : contacts) {
    if (b->expires_at <= now) std::abort();
  }
}

// What goes back must be readable, whatever came.
void check(const sip::Message& response) {
  const auto again = sip::parse(sip::to_string(response));
  if (!again || again->status() != response.status()) std::abort();
  for (const auto element : again->elements(sip::HeaderName::kContact)) {
    if (!sip::Contact::parse(element)) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  SeededRng rng{1};
  model::Settings settings;
  settings.contacts_per_extension = 3;
  const auto snapshot = std::make_shared<const model::Settings>(settings);
  registrar::Registrar registrar{rng, snapshot};
  registrar::Authenticator authenticator{rng, snapshot};
  model::Directory directory;
  const model::ExtensionNumber number{"1001"};
  directory.extensions["1001"].number = number;
  Instant now{1'700'000'000s};

  std::string_view rest{reinterpret_cast<const char*>(data), size};
  while (!rest.empty()) {
    const auto what = static_cast<unsigned char>(rest.front());
    const std::string_view text = rest.substr(1, rest.find('\0', 1) - 1);
    rest.remove_prefix(std::min(rest.size(), text.size() + 2));
    now = now + (what >> 4U) * 20s;
    const sip::ConnectionId connection{what & 3U};
    if ((what & 4U) != 0) registrar.connection_lost(connection, now);
    if ((what & 8U) != 0) registrar.expire(now);
    sip::Flow flow{.transport = connection ? sip::Transport::kTcp : sip::Transport::kUdp,
                   .connection = connection,
                   .local = {},
                   .remote = {IpAddress::v4(0xC6336401), 5060}};
    const auto message = sip::parse(text);
    if (!message || !message->is_request()) continue;
    const auto verdict = authenticator.verify(*message, flow, directory, now);
    if (std::holds_alternative<registrar::Accepted>(verdict)) std::abort();  // nobody here has a password
    const auto result = registrar.process(*message, flow, number, now);
    check(result.response);
    check(registrar, settings.contacts_per_extension, now);
  }
  return 0;
}
