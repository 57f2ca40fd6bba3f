#include "registrar/registrar.h"

#include <algorithm>
#include <cassert>
#include <optional>
#include <utility>

#include "base/utf8.h"
#include "registrar/detail/binding_table.h"
#include "registrar/detail/gruu.h"
#include "registrar/detail/register_request.h"
#include "registrar/detail/register_response.h"
#include "sip/uri.h"

namespace bw::registrar {

using model::Binding;
using model::BindingChange;
using model::ChangeSet;
using Slot = BindingTable::Slot;

namespace {

bool same_uri(const ContactWish& wish, const Binding& binding) {
  if (wish.uri_text == binding.contact) return true;
  const auto uri = sip::Uri::parse(binding.contact);
  return uri && sip::equivalent(wish.uri, *uri);
}

// Is the binding one that this contact takes the place of? Two flows of one phone are two bindings (RFC 5626
// §6); apart from that a phone, known by its instance, has one contact, and so has a URI (RFC 3261 §10.3).
bool takes_place_of(const ContactWish& wish, const Binding& binding) {
  const bool same_instance = !wish.instance.empty() && wish.instance == binding.instance;
  if (wish.reg_id != 0 && binding.reg_id != 0) return same_instance && wish.reg_id == binding.reg_id;
  return same_instance || same_uri(wish, binding);
}

// The key under which bindings are stored (ports/persistence.h).
bool same_key(const ContactWish& wish, const Binding& binding) {
  return wish.instance == binding.instance && wish.reg_id == binding.reg_id &&
         (!wish.instance.empty() || wish.uri_text == binding.contact);
}

// Is this the same phone in the same life of it? By its URI, by its Call-ID (§10.2: one for all registrations
// until it boots), or because it was being waited for.
bool goes_on(const Binding& next, const BindingTable::Record& old) {
  return old.is_waiting() || old.binding.contact == next.contact || old.binding.call_id == next.call_id;
}

BindingChange change(BindingChange::Kind kind, Binding binding, std::string_view why) {
  return {kind, std::move(binding), std::string{why}};
}

}  // namespace

struct Registrar::Impl {
  Impl(Rng& r, model::SettingsSnapshot s, RegistrarLimits l)
      : rng(r), settings(std::move(s)), limits(l), gruus(r) {}

  Rng& rng;
  model::SettingsSnapshot settings;
  RegistrarLimits limits;
  GruuMint gruus;
  BindingTable table;

  void remove(Slot slot, std::string_view why, ChangeSet& changes) {
    changes.push_back(change(BindingChange::Kind::kRemoved, table.remove(slot), why));
  }
  // Those of one extension that are over but whose timer was not yet looked at.
  void drop_ended(std::string_view extension, Instant now, ChangeSet& changes);
  std::string_view why_ended(Slot slot, Instant now) const;

  // §10.3 steps 6 and 7: nothing may be older than what a binding it touches already saw.
  bool in_order(const RegisterRequest& request, std::string_view extension) const;
  void unregister(const ContactWish& wish, std::string_view extension, ChangeSet& changes);
  void register_contact(const ContactWish& wish, Binding next, ChangeSet& changes);
  void make_room(std::string_view extension, ChangeSet& changes);
  std::vector<const Binding*> all_of(std::string_view extension, Instant now) const;
};

Registrar::Registrar(Rng& rng, model::SettingsSnapshot settings, RegistrarLimits limits)
    : impl_(std::make_unique<Impl>(rng, std::move(settings), limits)) {}
Registrar::~Registrar() = default;
Registrar::Registrar(Registrar&&) noexcept = default;
Registrar& Registrar::operator=(Registrar&&) noexcept = default;

void Registrar::configure(model::SettingsSnapshot settings) {
  impl_->settings = std::move(settings);
}

std::string_view Registrar::Impl::why_ended(Slot slot, Instant now) const {
  return table.at(slot).binding.expires_at <= now ? "expired" : "connection lost";
}

void Registrar::Impl::drop_ended(std::string_view extension, Instant now, ChangeSet& changes) {
  const std::vector<Slot> slots = table.of(extension);
  for (const Slot slot : slots) {
    if (table.at(slot).ends_at() <= now) remove(slot, why_ended(slot, now), changes);
  }
}

bool Registrar::Impl::in_order(const RegisterRequest& request, std::string_view extension) const {
  return std::ranges::all_of(table.of(extension), [&](Slot slot) {
    const Binding& binding = table.at(slot).binding;
    if (binding.call_id != request.call_id || request.cseq > binding.cseq) return true;
    return !request.remove_all && std::ranges::none_of(request.contacts, [&](const ContactWish& wish) {
      return takes_place_of(wish, binding);
    });
  });
}

// The one least recently refreshed goes: a phone that died or rebooted without an instance leaves such
// behind.
void Registrar::Impl::make_room(std::string_view extension, ChangeSet& changes) {
  while (table.of(extension).size() >= settings->contacts_per_extension) {
    const std::vector<Slot>& slots = table.of(extension);
    const auto oldest =
        std::ranges::min_element(slots, {}, [&](Slot s) { return table.at(s).binding.last_registered; });
    remove(*oldest, "replaced: too many contacts", changes);
  }
}

void Registrar::Impl::unregister(const ContactWish& wish, std::string_view extension, ChangeSet& changes) {
  const std::vector<Slot> slots = table.of(extension);
  for (const Slot slot : slots) {
    if (!takes_place_of(wish, table.at(slot).binding)) continue;
    remove(slot, "unregistered by the phone", changes);
  }
}

void Registrar::Impl::register_contact(const ContactWish& wish, Binding next, ChangeSet& changes) {
  std::optional<Slot> refreshed;
  const std::vector<Slot> slots = table.of(next.extension.view());
  for (const Slot slot : slots) {
    const BindingTable::Record& record = table.at(slot);
    if (!takes_place_of(wish, record.binding)) continue;
    if (!refreshed && same_key(wish, record.binding) && goes_on(next, record)) {
      refreshed = slot;
    } else {
      remove(slot, "replaced by a newer contact of the phone", changes);
    }
  }
  if (refreshed) {
    next.first_registered = table.at(*refreshed).binding.first_registered;
    changes.push_back(change(BindingChange::Kind::kRefreshed, next, "refreshed"));
    table.update(*refreshed, std::move(next));
    return;
  }
  make_room(next.extension.view(), changes);
  changes.push_back(change(BindingChange::Kind::kAdded, next, "registered"));
  table.add(std::move(next));
}

namespace {

Binding make_binding(const RegisterRequest& request, const ContactWish& wish, const sip::Flow& flow,
                     const model::ExtensionNumber& extension, const RegistrarLimits& limits, Instant now) {
  Binding binding;
  binding.extension = extension;
  binding.contact = wish.uri_text;
  binding.instance = wish.instance;
  binding.reg_id = wish.reg_id;
  binding.call_id = request.call_id;
  binding.cseq = request.cseq;
  binding.q_thousandths = wish.q_thousandths;
  binding.path.assign(request.path.begin(), request.path.end());
  binding.flow = flow;
  binding.user_agent = valid_utf8(request.user_agent, limits.user_agent_bytes);
  binding.first_registered = now;
  binding.last_registered = now;
  binding.expires_at = now + std::chrono::seconds{wish.expires_s};
  return binding;
}

}  // namespace

Registrar::Result Registrar::process(const sip::Message& request, const sip::Flow& flow,
                                     const model::ExtensionNumber& authenticated, Instant now) {
  Impl& self = *impl_;
  const std::string tag = self.rng.token(12);
  const auto wanted = read_register(request, authenticated, *self.settings, self.limits);
  if (!wanted) return {make_refusal(request, wanted.error(), tag), {}};

  ChangeSet changes;
  self.drop_ended(authenticated.view(), now, changes);
  if (!self.in_order(*wanted, authenticated.view())) {
    return {make_refusal(request, {500, "CSeq Out of Order", sip::HeaderName::kUnknown, {}}, tag),
            std::move(changes)};
  }
  if (self.table.size() + wanted->contacts.size() > self.limits.bindings) {
    return {make_refusal(request, {503, {}, sip::HeaderName::kRetryAfter, "60"}, tag), std::move(changes)};
  }
  // From here on nothing can fail: all or nothing (§10.3 step 7).
  if (wanted->remove_all) {
    const std::vector<Slot> slots = self.table.of(authenticated.view());
    for (const Slot slot : slots) self.remove(slot, "unregistered by the phone", changes);
  }
  // Removals first: a phone that changed its address names old and new in one request, in either order.
  for (const ContactWish& wish : wanted->contacts) {
    if (wish.expires_s == 0) self.unregister(wish, authenticated.view(), changes);
  }
  for (const ContactWish& wish : wanted->contacts) {
    if (wish.expires_s == 0) continue;
    self.register_contact(wish, make_binding(*wanted, wish, flow, authenticated, self.limits, now), changes);
  }
  const auto bindings = self.all_of(authenticated.view(), now);
  return {make_ok(request, *wanted, tag, bindings, self.gruus, sip::is_stream(flow.transport), now),
          std::move(changes)};
}

void Registrar::restore(std::vector<Binding> bindings, Instant now) {
  static_cast<void>(now);  // expired ones are still added, so that their removal is told by expire()
  for (Binding& binding : bindings) {
    if (impl_->table.size() >= impl_->limits.bindings) return;
    binding.flow.connection = {};
    impl_->table.add(std::move(binding));
  }
}

ChangeSet Registrar::expire(Instant now) {
  ChangeSet changes;
  while (const auto slot = impl_->table.pop_due(now)) {
    impl_->remove(*slot, impl_->why_ended(*slot, now), changes);
  }
  return changes;
}

Deadline Registrar::deadline() const {
  const auto next = impl_->table.next_due();
  return next ? Deadline{*next, "a registration ends"} : Deadline::never();
}

ChangeSet Registrar::connection_lost(sip::ConnectionId connection, Instant now) {
  ChangeSet changes;
  for (const Slot slot : impl_->table.take_connection(connection)) {
    impl_->table.wait(slot, now + impl_->settings->connection_grace);
    if (impl_->table.at(slot).ends_at() <= now) impl_->remove(slot, impl_->why_ended(slot, now), changes);
  }
  return changes;
}

ChangeSet Registrar::drop(std::string_view extension, std::string_view why) {
  ChangeSet changes;
  const std::vector<Slot> slots = impl_->table.of(extension);
  for (const Slot slot : slots) impl_->remove(slot, why, changes);
  return changes;
}

std::vector<const Binding*> Registrar::Impl::all_of(std::string_view extension, Instant now) const {
  std::vector<const Binding*> found;
  for (const Slot slot : table.of(extension)) {
    const Binding& binding = table.at(slot).binding;
    if (table.at(slot).ends_at() > now) found.push_back(&binding);
  }
  return found;
}

std::vector<const Binding*> Registrar::contacts(std::string_view extension, Instant now) const {
  std::vector<const Binding*> found;
  for (const Slot slot : impl_->table.of(extension)) {
    if (impl_->table.at(slot).is_live(now)) found.push_back(&impl_->table.at(slot).binding);
  }
  std::ranges::sort(found, [](const Binding* a, const Binding* b) {
    return std::pair{a->q_thousandths, a->last_registered} > std::pair{b->q_thousandths, b->last_registered};
  });
  // RFC 5626 §5.3: several flows lead to one phone, which is called over one of them, the latest here.
  for (std::size_t i = 0; i < found.size(); ++i) {
    const Binding& best = *found[i];
    if (best.reg_id == 0) continue;
    const auto from = found.begin() + static_cast<std::ptrdiff_t>(i) + 1;
    found.erase(
        std::remove_if(from, found.end(),
                       [&](const Binding* b) { return b->reg_id != 0 && b->instance == best.instance; }),
        found.end());
  }
  return found;
}

const Binding* Registrar::by_gruu(std::string_view user, std::string_view gr, Instant now) const {
  const auto opened = gr.empty() ? impl_->gruus.open(user) : std::nullopt;
  if (gr.empty() && !opened) return nullptr;
  const Binding* latest = nullptr;
  for (const Slot slot : impl_->table.of(opened ? std::string_view{opened->extension} : user)) {
    const Binding& binding = impl_->table.at(slot).binding;
    const bool fits = opened ? impl_->gruus.is_of(*opened, binding) : binding.instance == gr;
    if (!fits || !impl_->table.at(slot).is_live(now)) continue;
    if (latest == nullptr || binding.last_registered > latest->last_registered) latest = &binding;
  }
  return latest;
}

std::vector<const Binding*> Registrar::bindings(std::string_view extension, Instant now) const {
  if (!extension.empty()) return impl_->all_of(extension, now);
  std::vector<const Binding*> found;
  found.reserve(impl_->table.size());
  impl_->table.for_each([&](const BindingTable::Record& record) {
    if (record.ends_at() > now) found.push_back(&record.binding);
  });
  return found;
}

std::size_t Registrar::extension_count() const {
  return impl_->table.extension_count();
}
std::size_t Registrar::binding_count() const {
  return impl_->table.size();
}

bool Registrar::check_invariants() const {
  return impl_->table.check_invariants();
}

}  // namespace bw::registrar
