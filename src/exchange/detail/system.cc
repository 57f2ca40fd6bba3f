#include "exchange/detail/system.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "base/utf8.h"
#include "base/uuid.h"

namespace bw::exchange {
namespace {

// Option tags a Require header may name (RFC 3261 §8.2.2.3).
constexpr std::array<std::string_view, 7> kRequirable = {"100rel",   "timer", "replaces",  "path",
                                                         "outbound", "gruu",  "norefersub"};

ports::Reply presence_is_off() {
  return ports::Refused{403, "forbidden", "Presence is switched off (features.presence in config.yml)"};
}

}  // namespace

System::System(Rng& rng, model::SettingsSnapshot settings, model::DirectorySnapshot directory, Instant now,
               media::LoopIndex media_loops)
    : rng_(rng),
      settings_(std::move(settings)),
      directory_(std::move(directory)),
      started_(now),
      layer_(rng),
      authenticator_(rng, settings_),
      registrar_(rng, settings_),
      browsers_(rng, settings_, directory_),
      calls_(rng, settings_, directory_, *this, media_loops),
      locator_(rng) {
  rng_.fill(std::as_writable_bytes(std::span{tag_key_}));
  for (const auto& [number, extension] : directory_->extensions) {
    if (extension.do_not_disturb) presence_.undisturbed(number, true);
  }
  presence_.forget_news();
  settle(now);
}

std::vector<const model::Binding*> System::contacts(std::string_view extension, Instant now) const {
  auto phones = registrar_.contacts(extension, now);
  const auto pages = browsers_.contacts(extension);
  phones.insert(phones.end(), pages.begin(), pages.end());
  return phones;
}

const model::Binding* System::by_gruu(std::string_view user, std::string_view gr, Instant now) const {
  return registrar_.by_gruu(user, gr, now);
}

// ---- inputs ----

void System::on(Tick, Instant now) {
  layer_.handle(sip::TransactionLayer::Input{Tick{}}, now);
  calls_.handle(calls::Calls::Input{Tick{}}, now);
  browsers_.handle(browser::Browsers::Input{Tick{}}, now);
  if (registrar_.deadline().at <= now) store(registrar_.expire(now), {}, now);
  if (authenticator_.deadline().at <= now) authenticator_.expire(now);
  while (const auto key = delays_.pop_due(now)) {
    const auto it = delayed_.find(*key);
    Held held = std::move(it->second.held);
    delayed_.erase(it);
    respond(held.tx, std::move(held.response), now);
  }
}

void System::on(Received in, Instant now) {
  sip::Message salvage;
  auto message = sip::parse(in.bytes, {}, &salvage);
  if (!message) {
    const auto status = sip::status_of(message.error());
    if (!status || salvage.is_response()) return;
    return answer_unreadable(in.flow, salvage, {.status = *status, .why = sip::to_sentence(message.error())});
  }
  if (message->is_response()) {
    if (sip::validate_response(*message)) return;  // dropped without a word (RFC 3261 §18.1.2)
  } else if (const auto rejection = sip::validate(*message, {kRequirable})) {
    return answer_unreadable(in.flow, *message, *rejection);
  } else if (answer_without_state(in.flow, *message, now)) {
    return;
  }
  layer_.handle(sip::TransactionLayer::Input{sip::MessageArrived{in.flow, std::move(*message)}}, now);
}

void System::on(const ConnectionLost& in, Instant now) {
  layer_.handle(sip::TransactionLayer::Input{sip::TransportFailed{in.flow}}, now);
  calls_.handle(calls::Calls::Input{sip::TransportFailed{in.flow}}, now);
  if (in.flow.connection) store(registrar_.connection_lost(in.flow.connection, now), {}, now);
}

void System::on(const ports::Stored& in, Instant now) {
  const auto it = until_stored_.find(in.ticket);
  if (it == until_stored_.end()) return;
  Held held = std::move(it->second);
  until_stored_.erase(it);
  if (!in.ok) {
    out.push_back(
        Note{Note::Level::kWarning, "a registration could not be stored; the phone is told to try again"});
    const auto retry = std::to_string(5 + rng_.below(25));
    held.response = sip::make_response(held.response, 503, {});
    held.response.set(sip::HeaderName::kRetryAfter, retry);
  }
  respond(held.tx, std::move(held.response), now);
}

void System::on(const NameResolved& in, Instant now) {
  take(locator_.answered(in.id, in.answer), now);
}

void System::on(const MediaReported& in, Instant now) {
  calls_.handle(calls::Calls::Input{in.event}, now);
  browsers_.handle(browser::Browsers::Input{in.event}, now);
}

void System::on(const DirectoryChanged& in, Instant now) {
  for (const auto& [number, extension] : directory_->extensions) {
    if (in.directory->find(number) != nullptr) continue;
    store(registrar_.drop(number, "extension removed"), {}, now);
    presence_.removed(number);
    quiet(model::ExtensionNumber{number}, false, now);
  }
  for (const auto& [number, extension] : in.directory->extensions) {
    const auto* before = directory_->find(number);
    if (before != nullptr && before->credentials != extension.credentials)
      store(registrar_.drop(number, "its password was changed"), {}, now);
    const bool was_quiet = before != nullptr && before->do_not_disturb;
    if (was_quiet != extension.do_not_disturb) presence_.undisturbed(number, extension.do_not_disturb);
  }
  directory_ = in.directory;
  browsers_.handle(browser::Browsers::Input{directory_}, now);
  calls_.handle(calls::Calls::Input{directory_}, now);
}

void System::on(const SettingsChanged& in, Instant now) {
  settings_ = in.settings;
  authenticator_.configure(settings_);
  registrar_.configure(settings_);
  calls_.handle(calls::Calls::Input{settings_}, now);
  browsers_.handle(browser::Browsers::Input{settings_}, now);
}

void System::on(BindingsRestored in, Instant now) {
  authenticator_.restore(in.bindings, now);
  registrar_.restore(std::move(in.bindings), now);
  for (const auto* binding : registrar_.bindings({}, now))
    presence_.registered(binding->extension.view(), true);
  presence_.forget_news();
}

void System::on(const Asked& in, Instant now) {
  if (std::holds_alternative<ports::GetStatus>(in.request)) {
    out.push_back(Answered{in.id, status()});
  } else if (const auto* wish = std::get_if<ports::ListPhones>(&in.request)) {
    ports::Phones phones;
    for (const model::Binding* binding : registrar_.bindings(wish->extension, now))
      phones.bindings.push_back(*binding);
    for (const model::Binding* binding : browsers_.bindings(wish->extension))
      phones.bindings.push_back(*binding);
    out.push_back(Answered{in.id, std::move(phones)});
  } else if (const auto* people = std::get_if<ports::ListPresence>(&in.request)) {
    out.push_back(Answered{in.id, list_presence(people->extension)});
  } else if (const auto* presence = std::get_if<ports::SetPresence>(&in.request)) {
    out.push_back(Answered{in.id, set_presence(*presence, now)});
  } else if (std::holds_alternative<ports::ListLockouts>(in.request)) {
    out.push_back(Answered{in.id, list_lockouts(now)});
  } else if (const auto* lockout = std::get_if<ports::LiftLockout>(&in.request)) {
    out.push_back(Answered{in.id, lift_lockout(*lockout, now)});
  } else if (const auto* page = std::get_if<ports::AskBrowser>(&in.request)) {
    browsers_.handle(browser::Browsers::Input{browser::Asked{in.id, *page}}, now);
  } else {
    calls_.handle(calls::Calls::Input{calls::Asked{in.id, in.request}}, now);
  }
}

ports::Reply System::list_presence(const std::string& extension) const {
  if (!settings_->presence) return presence_is_off();
  ports::Presences list;
  for (const auto& [number, person] : directory_->extensions) {
    if (!extension.empty() && number != extension) continue;
    list.people.push_back(presence_.view(number));
    list.people.back().name = person.name;
  }
  std::ranges::sort(list.people, {}, &ports::PresenceView::extension);
  return list;
}

ports::Reply System::set_presence(const ports::SetPresence& wish, Instant now) {
  if (!settings_->presence) return presence_is_off();
  if (directory_->find(wish.extension) == nullptr)
    return ports::Refused{404, "not_found", "there is no extension " + wish.extension};
  constexpr std::size_t kLongestMessage = 200;
  if (wish.custom_message.size() > kLongestMessage ||
      valid_utf8(wish.custom_message, kLongestMessage) != wish.custom_message) {
    return ports::Refused{400, "bad_request", "custom_message is text of at most 200 bytes"};
  }
  presence_.wished(wish.extension, wish.status, wish.custom_message, now);
  quiet(model::ExtensionNumber{wish.extension}, wish.status == ports::OwnStatus::kDoNotDisturb, now);
  return ports::Done{};
}

void System::quiet(model::ExtensionNumber extension, bool on, Instant now) {
  calls_.handle(calls::Calls::Input{calls::DoNotDisturb{std::move(extension), on}}, now);
}

void System::on(ShutDown, Instant now) {
  calls_.handle(calls::Calls::Input{calls::ShutDown{}}, now);
}

ports::Status System::status() const {
  ports::Status status;
  status.registered_extensions = registrar_.extension_count();
  status.registered_contacts = registrar_.binding_count();
  status.active_calls = calls_.active();
  status.total_calls = calls_.total();
  status.transactions = layer_.server_count() + layer_.client_count() + browsers_.transactions();
  status.since = started_;
  return status;
}

// ---- between the cores ----

void System::settle(Instant now) {
  for (bool busy = true; busy;) {
    busy = false;
    while (auto output = layer_.poll()) {
      busy = true;
      on_layer(std::move(*output), now);
    }
    while (auto output = calls_.poll()) {
      busy = true;
      on_calls(std::move(*output), now);
    }
    while (auto output = browsers_.poll()) {
      busy = true;
      on_browsers(std::move(*output), now);
    }
  }
  report_lockouts(now);
  tell_presence(now);
  if (!changes_.empty()) out.push_back(ports::Persist{{}, std::exchange(changes_, {})});
}

void System::on_layer(sip::TransactionLayer::Output output, Instant now) {
  using Calls = calls::Calls;
  std::visit(Overloaded{
                 [&](sip::Transmit&& transmit) {
                   if (transmit.to.transport == sip::Transport::kBrowser) {
                     const browser::Arrived arrived{transmit.to, *transmit.bytes};
                     return browsers_.handle(browser::Browsers::Input{arrived}, now);
                   }
                   out.push_back(std::move(transmit));
                 },
                 [&](sip::RequestReceived&& in) { on_request(std::move(in), now); },
                 [&](sip::CancelReceived&& in) { calls_.handle(Calls::Input{std::move(in)}, now); },
                 [&](sip::ResponseReceived&& in) {
                   locator_.forget(in.id);  // somebody is there
                   calls_.handle(Calls::Input{std::move(in)}, now);
                 },
                 [&](sip::StrayResponse&& in) { calls_.handle(Calls::Input{std::move(in)}, now); },
                 [&](sip::RequestFailed&& in) {
                   if (auto again = locator_.next_target(in.id)) {
                     return layer_.handle(sip::TransactionLayer::Input{std::move(*again)}, now);
                   }
                   calls_.handle(Calls::Input{in}, now);
                 },
                 [&](sip::AckMissing&& in) { calls_.handle(Calls::Input{in}, now); },
             },
             std::move(output));
}

void System::on_calls(calls::Calls::Output output, Instant now) {
  std::visit(
      Overloaded{
          [&](calls::Wire&& wire) { on_wire(std::move(wire), now); },
          [&](media::TellMedia&& tell) { out.push_back(std::move(tell)); },
          [&](ports::Change&& change) { changes_.push_back(std::move(change)); },
          [&](ports::Answered&& answered) {
            if (answered.id) out.push_back(std::move(answered));
          },
          [&](ports::Note&& note) { out.push_back(std::move(note)); },
          [&](calls::Engagement&& engaged) {
            presence_.engaged(engaged.extension, engaged.ringing, engaged.in_call, now);
          },
          [&](calls::BrowserInCall&& told) {
            const browser::InCall in{told.session, std::move(told.sip_call_id), std::move(told.call)};
            browsers_.handle(browser::Browsers::Input{in}, now);
          },
          [&](calls::BrowserPeerSpeaks&& told) {
            const browser::PeerSpeaks in{told.session, std::move(told.sip_call_id), std::move(told.codecs)};
            browsers_.handle(browser::Browsers::Input{in}, now);
          },
          [&](calls::BrowserDigit&& told) {
            const browser::PeerPressed in{told.session, std::move(told.sip_call_id), told.digit};
            browsers_.handle(browser::Browsers::Input{in}, now);
          },
          [&](calls::BrowserCallEnded&& told) {
            const browser::CallEnded in{told.session, std::move(told.sip_call_id), std::move(told.sentence)};
            browsers_.handle(browser::Browsers::Input{in}, now);
          },
      },
      std::move(output));
}

void System::on_browsers(browser::Browsers::Output output, Instant now) {
  using Calls = calls::Calls;
  std::visit(Overloaded{
                 [&](browser::Sent&& sent) { on(Received{sent.flow, std::move(sent.bytes)}, now); },
                 [&](media::TellMedia&& tell) { out.push_back(std::move(tell)); },
                 [&](browser::MediaOf&& m) {
                   calls_.handle(Calls::Input{calls::BrowserMedia{m.session, m.media}}, now);
                 },
                 [&](browser::Speaks&& s) {
                   calls_.handle(Calls::Input{calls::BrowserSpeaks{s.session, std::move(s.codec)}}, now);
                 },
                 [&](ports::Answered&& answered) { out.push_back(std::move(answered)); },
                 [&](ports::BrowserPush&& push) { out.push_back(std::move(push)); },
                 [&](model::BindingChange&& change) { tell_of(change, changes_, now); },
                 [&](browser::Heard&& h) {
                   calls_.handle(Calls::Input{calls::BrowserHeard{h.session, h.call, h.quality}}, now);
                 },
                 [&](browser::AskCalls&& ask) {
                   calls_.handle(Calls::Input{calls::Asked{ask.id, std::move(ask.request)}}, now);
                 },
             },
             std::move(output));
}

void System::on_wire(calls::Wire wire, Instant now) {
  using Layer = sip::TransactionLayer;
  std::visit(Overloaded{
                 [&](calls::AckTaken&& ack) { layer_.ack_received(ack.invite); },
                 [&](sip::SendRequest&& w) {
                   if (Locator::is_for(w)) return take(locator_.start(std::move(w)), now);
                   layer_.handle(Layer::Input{std::move(w)}, now);
                 },
                 [&](sip::SendResponse&& w) { layer_.handle(Layer::Input{std::move(w)}, now); },
                 [&](sip::SendStateless&& w) { layer_.handle(Layer::Input{std::move(w)}, now); },
                 [&](sip::CancelRequest&& w) {
                   if (locator_.forget(w.invite)) {  // it never left, so there is nothing to cancel
                     const sip::RequestFailed failed{w.invite, sip::ClientFailure::kTransport};
                     return calls_.handle(calls::Calls::Input{failed}, now);
                   }
                   layer_.handle(Layer::Input{std::move(w)}, now);
                 },
                 [&](sip::AbandonClient&& w) { layer_.handle(Layer::Input{std::move(w)}, now); },
             },
             std::move(wire));
}

void System::take(Locator::Step step, Instant now) {
  for (Resolve& question : step.questions) out.push_back(std::move(question));
  if (step.send) layer_.handle(sip::TransactionLayer::Input{std::move(*step.send)}, now);
  if (step.failed) calls_.handle(calls::Calls::Input{*step.failed}, now);
}

ports::Tell System::entry(events::Event event, Instant now) {
  return {{events::EventId{uuid_v7(now, rng_)}, now, 0, std::move(event)}};
}

namespace {

// The same members for a phone that came and one that went.
template <typename Told>
Told about(const model::BindingChange& change) {
  const auto& [kind, binding, why] = change;
  return {binding.extension.value,
          binding.flow.remote.ip.to_string(),
          binding.flow.remote.port,
          binding.user_agent,
          std::string(sip::uri_token(binding.flow.transport)),
          why};
}

}  // namespace

void System::store(const model::ChangeSet& changes, ports::Ticket ticket, Instant now) {
  std::vector<ports::Change> wanted;
  for (const model::BindingChange& change : changes) {
    const auto& binding = change.binding;
    if (change.kind == model::BindingChange::Kind::kRemoved) {
      wanted.emplace_back(ports::DropBinding{binding});
    } else {
      wanted.emplace_back(ports::SaveBinding{binding});
    }
    if (change.kind != model::BindingChange::Kind::kRefreshed) tell_of(change, wanted, now);
  }
  if (!wanted.empty()) out.push_back(ports::Persist{ticket, std::move(wanted)});
}

// A phone came or went.
void System::tell_of(const model::BindingChange& change, std::vector<ports::Change>& wanted, Instant now) {
  const auto& binding = change.binding;
  const bool came = change.kind == model::BindingChange::Kind::kAdded;
  wanted.emplace_back(came ? entry(about<events::ExtensionRegistered>(change), now)
                           : entry(about<events::ExtensionUnregistered>(change), now));
  const auto who = binding.extension.view();
  presence_.registered(who, !registrar_.bindings(who, now).empty() || !browsers_.bindings(who).empty());
  out.push_back(Note{Note::Level::kInfo, binding.extension.value + ' ' + change.why + " (" +
                                             binding.flow.remote.to_string() + ' ' +
                                             std::string(sip::uri_token(binding.flow.transport)) + ')'});
}

void System::tell_presence(Instant now) {
  if (!settings_->presence) return presence_.forget_news();
  for (auto& changed : presence_.take_news()) changes_.emplace_back(entry(std::move(changed), now));
}

void System::report_lockouts(Instant now) {
  for (const registrar::Lockout& lockout : authenticator_.take_lockouts()) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(lockout.until - now).count();
    const bool address = lockout.kind == registrar::Lockout::Kind::kAddress;
    changes_.emplace_back(
        entry(events::SecurityLockout{address ? "address" : "extension", lockout.subject, lockout.attempts,
                                      static_cast<std::uint32_t>(seconds)},
              now));
    out.push_back(Note{Note::Level::kWarning, "locked out " + lockout.subject + " for " +
                                                  std::to_string(seconds) + " s after " +
                                                  std::to_string(lockout.attempts) + " wrong passwords"});
  }
}

ports::Reply System::list_lockouts(Instant now) {
  ports::Lockouts list;
  for (registrar::Lockout& lockout : authenticator_.lockouts(now)) {
    const bool address = lockout.kind == registrar::Lockout::Kind::kAddress;
    list.lockouts.push_back(
        {address ? "address" : "extension", std::move(lockout.subject), lockout.attempts, lockout.until});
  }
  return list;
}

ports::Reply System::lift_lockout(const ports::LiftLockout& wish, Instant now) {
  if (authenticator_.lift(wish.subject, now)) return ports::Done{};
  return ports::Refused{404, "not_found", "no phone is locked out as " + wish.subject};
}

Deadline System::deadline() const {
  Deadline next = layer_.deadline().earliest(calls_.deadline()).earliest(registrar_.deadline());
  next = next.earliest(authenticator_.deadline()).earliest(browsers_.deadline());
  if (const auto at = delays_.next()) next = next.earliest({*at, "a slowed answer"});
  return next;
}

}  // namespace bw::exchange
