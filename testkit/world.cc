#include "testkit/world.h"

#include <fmt/format.h>

#include <algorithm>

#include "testkit/phone_digest.h"

namespace bw::testkit {
namespace {

constexpr Duration kLingering = 10min;
constexpr Duration kSettling = 45s;  // longer than 64*T1 and the wait of an ended INVITE

std::string password_of(std::string_view number) {
  return fmt::format("secret-of-{}", number);
}

}  // namespace

World::World(Seed seed, model::Settings settings)
    : Stage(seed), pbx_(std::make_unique<Pbx>(*this, seed.value, std::move(settings))) {}

World::~World() = default;

model::Settings World::office_settings() {
  model::Settings s;
  s.local_addresses = {IpAddress::v4(0x0a000001)};
  return s;
}

model::Settings World::browser_settings() {
  model::Settings s = office_settings();
  s.browsers.enabled = true;
  s.browsers.fingerprint = "sha-256 AB";
  return s;
}

Phone& World::equip(std::string_view name, std::string_view number, std::string_view password,
                    Habits habits) {
  habits.password = password;
  if (habits.instance.empty()) {
    habits.instance = fmt::format("urn:uuid:00000000-0000-4000-8000-{:012x}", rng().below(1ULL << 40U));
  }
  const bool tls = habits.transport == sip::Transport::kTls;
  Phone& phone = bare_phone(name, number, std::move(habits));
  phone.belongs_to({pbx_->ip(), tls ? pbx_->settings().sip_tls_port : pbx_->settings().sip_port},
                   pbx_->domain());
  return phone;
}

void World::add_extension(std::string_view number, std::string_view name, std::string_view password) {
  model::Extension e;
  e.number = model::ExtensionNumber{number};
  e.name = Personal<std::string>{std::string{name}};
  const std::string text = fmt::format("{}:{}:{}", number, model::kRealm, password);
  e.credentials.ha1_md5 = Secret<std::string>{md5_hex(text)};
  e.credentials.ha1_sha256 = Secret<std::string>{sha256_hex(text)};
  pbx_->change_directory([&](model::Directory& d) { d.extensions[std::string{number}] = std::move(e); });
}

std::string World::person(std::string_view name) {
  const std::string number = std::to_string(++next_number_);
  add_extension(number, name, password_of(number));
  return number;
}

Browser& World::browser_of(std::string number) {
  Browser& browser = *browsers_.emplace_back(std::make_unique<Browser>(*this, *pbx_, std::move(number)));
  browser.opens();
  return browser;
}

std::string World::presence_of(std::string_view number) {
  const auto reply = pbx_->asks(ports::ListPresence{std::string{number}});
  const auto* people = reply ? std::get_if<ports::Presences>(&*reply) : nullptr;
  return people == nullptr || people->people.empty() ? std::string{} : people->people[0].status;
}

Phone& World::phone(std::string_view name, Habits habits) {
  const std::string number = person(name);
  Phone& phone = equip(name, number, password_of(number), std::move(habits));
  phone.registers();
  return phone;
}

Phone& World::another_phone_of(const Phone& owner, std::string_view name, Habits habits) {
  Phone& phone = equip(name, owner.number(), password_of(owner.number()), std::move(habits));
  phone.registers();
  until([&] { return phone.is_registered(); }, kRegistrationPatience);
  return phone;
}

Phone& World::stranger(std::string_view name, std::string_view number, std::string_view password) {
  return equip(name, number, password, {});
}

void World::change_extension(const Phone& owner, const std::function<void(model::Extension&)>& change) {
  pbx_->change_directory([&](model::Directory& d) { change(d.extensions.at(owner.number())); });
}

std::vector<std::string> World::violations() const {
  std::vector<std::string> found = pbx_->violations();
  return found;
}

std::vector<std::string> World::disagreements() {
  std::vector<std::string> found = violations();
  std::size_t lines = 0;
  std::string who;
  for (const auto& phone : all_phones()) {
    lines += phone->call_count();
    if (!phone->is_idle()) who += ' ' + phone->status_text();
  }
  for (const auto& browser : browsers_) {
    lines += browser->calls().size();
    if (!browser->is_idle()) who += " browser of " + browser->number();
  }
  std::size_t legs = 0;
  for (const auto& call : pbx_->calls()) {
    const auto open = std::ranges::count_if(call.legs, [](const auto& l) { return l.state != "ended"; });
    legs += static_cast<std::size_t>(open);
    const bool alone = call.state == "ringing" || call.to.starts_with('*');  // click-to-dial, echo test
    if (open < (alone ? 1 : 2)) {
      found.push_back(
          fmt::format("call {} from {} to {} has {} sides", call.id.value, call.from, call.to, open));
    }
  }
  if (lines != legs)
    found.push_back(fmt::format("phones have {} lines, the server {} legs:{}", lines, legs, who));
  const std::size_t calls = pbx_->calls().size();
  if (pbx_->store().open_calls() != calls) {
    found.push_back(fmt::format("{} records are open for {} calls", pbx_->store().open_calls(), calls));
  }
  if (pbx_->media().legs() != legs) {
    found.push_back(fmt::format("{} media legs are open for {} legs", pbx_->media().legs(), legs));
  }
  return found;
}

std::vector<std::string> World::leftovers(Duration patience) {
  network().heals().everywhere();
  if (!pbx_->is_on()) pbx_->starts();
  for (const auto& phone : all_phones()) phone->hangs_up_all();
  for (const auto& browser : browsers_) browser->closes();
  run_for(kSettling);
  for (const auto& phone : all_phones()) phone->hangs_up_all();
  run_for(kSettling);
  if (patience > Duration{0}) {
    until([&] { return pbx_->status().active_calls == 0; }, patience);
    run_for(kSettling);
  }
  std::vector<std::string> found = disagreements();
  for (const auto& phone : all_phones()) {
    if (!phone->is_idle()) found.push_back("still in a call: " + phone->status_text());
  }
  // Phones go on refreshing their registrations, and ended transactions linger until something wakes the
  // layer: there must be a moment without any.
  until([&] { return pbx_->status().transactions == 0; }, kLingering);
  const ports::Status status = pbx_->status();
  if (status.active_calls != 0) found.push_back(fmt::format("{} calls are kept", status.active_calls));
  if (status.transactions != 0) found.push_back(fmt::format("{} transactions are kept", status.transactions));
  const MediaPlane& media = pbx_->media();
  if (media.free_ports() != media.opened_ports()) {
    found.push_back(fmt::format("{} of {} ports came back", media.free_ports(), media.opened_ports()));
  }
  if (media.sessions() != 0) found.push_back(fmt::format("{} browser sessions are kept", media.sessions()));
  if (!time().stuck().empty()) found.push_back(time().stuck());
  return found;
}

}  // namespace bw::testkit
