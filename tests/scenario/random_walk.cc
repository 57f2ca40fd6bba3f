// An office in which anything may happen in any order: random_walk [--seeds A..B] [--steps N]
//
// Each seed is one office with its own people, weather and accidents. After every step nothing forbidden may
// have happened; at the end everybody hangs up and nothing may be kept. In every fourth office the people are
// honest and the network is bad but not cruel: there, whenever it gets calm, phones, server, records and
// media must agree on every call. A violation prints seed and ladder.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>
#include <string_view>

#include "testkit/world.h"

namespace bw::scenario {
namespace {

using testkit::operator""_percent;
using testkit::Browser;
using testkit::Habits;
using testkit::Phone;
using testkit::Seed;
using testkit::World;

class Walk {
 public:
  explicit Walk(std::uint64_t seed)
      : rng_(seed * 7919 + 1), honest_(seed % 4 == 0), office_(Seed{seed}, settings()) {
    for (const auto* name : {"alice", "bob", "carol", "dave"}) {
      office_.phone(name, Habits{.transport = chance(4) ? sip::Transport::kTcp : sip::Transport::kUdp,
                                 .register_expires = 300,
                                 .media_every = 0ms});
    }
    office_.another_phone_of(*office_.all_phones().front(), "alice-desk", Habits{.media_every = 0ms});
    // Pages: of somebody who has a phone as well, the same a second time, and of somebody who has none.
    const std::string alice = office_.all_phones().front()->number();
    pages_ = {&office_.browser_of(alice), &office_.browser_of(alice), &office_.browser("erin")};
    office_.run_for(1s);
  }

  // What went wrong, or nothing.
  std::vector<std::string> run(int steps) {
    for (int i = 0; i < steps; ++i) {
      step();
      office_.run_for(std::chrono::milliseconds{chance(3) ? rng_.below(30) : rng_.below(4000)});
      if (auto found = office_.violations(); !found.empty()) return found;
      if (!office_.time().stuck().empty()) return {office_.time().stuck()};
      if (honest_ && i % 10 == 9) {
        if (auto found = when_calm(); !found.empty()) return found;
      }
    }
    return end();
  }
  std::string ladder() { return office_.ladder(600); }
  std::size_t messages() { return office_.tape().messages().size(); }
  std::size_t calls() { return office_.pbx().store().calls().size(); }
  std::size_t answered() {
    return static_cast<std::size_t>(std::ranges::count_if(
        office_.pbx().store().calls(), [](const auto& c) { return c.second.record.answered.has_value(); }));
  }

 private:
  // Longer than any transaction, so that every loss is made good or given up.
  std::vector<std::string> when_calm() {
    office_.remark("it gets calm");
    office_.network().heals().everywhere();
    office_.run_for(70s);
    return office_.disagreements();
  }

  static model::Settings settings() {
    model::Settings s = World::browser_settings();
    s.no_answer_timeout = 10s;
    s.max_call_duration = 600s;
    return s;
  }

  bool chance(std::uint64_t one_in) { return rng_.below(one_in) == 0; }
  Phone& somebody() { return *office_.all_phones()[rng_.below(office_.all_phones().size())]; }
  Phone* somebody_who(bool (Phone::*is)() const) {
    for (int i = 0; i < 6; ++i) {
      Phone& p = somebody();
      if ((p.*is)()) return &p;
    }
    return nullptr;
  }

  void step() {
    if (chance(4)) return use_page();
    const auto dice = rng_.below(honest_ ? 85 : 100);
    if (dice < 25) return dial();
    if (dice < 45) return answer();
    if (dice < 58) return hang_up();
    if (dice < 76) return change_call();
    if (dice < 82) return change_weather();
    if (dice < 85) return ask_server();
    if (dice < 90) return misbehave();
    if (dice < 96) return change_habits();
    accident();
  }

  void dial() {
    Phone& p = somebody();
    switch (rng_.below(8)) {
      case 0:
        return p.dials("1999");
      case 1:
        return p.dials("*43");
      default:
        return chance(4) ? p.dials(pages_[rng_.below(pages_.size())]->number()) : p.dials(somebody());
    }
  }

  // What a person does at a page, sensible or not.
  void use_page() {
    Browser& page = *pages_[rng_.below(pages_.size())];
    if (!page.shown()) return page.opens();  // the server forgot it
    switch (rng_.below(honest_ ? 10 : 13)) {
      case 0:
      case 1:
        page.dials(chance(3) ? pages_[rng_.below(pages_.size())]->number() : somebody().number());
        return;
      case 2:
        page.dials(chance(2) ? "*43" : "1999");
        return;
      case 3:
      case 4:
        page.accepts();
        return;
      case 5:
        page.hangs_up();
        return;
      case 6:
        page.holds();
        return;
      case 7:
        page.resumes();
        return;
      case 8:
        page.transfers_to(somebody().number());
        return;
      case 9:
        if (const auto calls = page.talking(); calls.size() > 1) page.joins(calls[0], calls[1]);
        return;
      case 10:
        return page.reloads();
      case 11:
        return page.goes_away();
      default:
        page.closes();
    }
  }

  void answer() {
    Phone* p = somebody_who(&Phone::is_ringing);
    if (p == nullptr) return dial();
    if (chance(6)) return p->hangs_up();
    p->picks_up();
    if (chance(8)) somebody().picks_up();
  }

  void hang_up() {
    somebody().hangs_up();
    if (chance(5)) somebody().hangs_up();
  }

  void change_call() {
    Phone* p = somebody_who(&Phone::in_call);
    if (p == nullptr) return dial();
    switch (rng_.below(8)) {
      case 0:
      case 1:
        p->holds();
        break;
      case 2:
        p->resumes();
        break;
      case 3:
        p->updates();
        break;
      case 4:
        p->transfers_to(somebody());
        break;
      case 5:
        p->completes_transfer();
        break;
      case 6:
        p->presses_by_info("5");
        break;
      default:
        p->holds();
        somebody().holds();
    }
    if (chance(6)) p->hangs_up();
  }

  void change_weather() {
    auto& network = office_.network();
    Phone& p = somebody();
    switch (rng_.below(6)) {
      case 0:
        return network.loses(testkit::Percent{static_cast<double>(rng_.below(50))}).between(p, office_.pbx());
      case 1:
        return network.duplicates(20_percent).between(p, office_.pbx());
      case 2:
        return network.jitters(std::chrono::milliseconds{rng_.below(800)}).between(p, office_.pbx());
      case 3:
        return network.parts().between(p, office_.pbx());
      default:
        return network.heals().everywhere();
    }
  }

  void misbehave() {
    Phone& p = somebody();
    switch (rng_.below(5)) {
      case 0:
        return p.sends_out_of_order(chance(2) ? sip::Method::kBye : sip::Method::kInvite);
      case 1:
        return replay(p);
      case 2:
        return p.unregisters(chance(3));
      case 3:
        return p.registers();
      default:
        return garbage(p);
    }
  }

  void replay(Phone& p) {
    static constexpr std::string_view kStarts[] = {"INVITE", "BYE", "ACK", "CANCEL", "SIP/2.0 200", "REFER"};
    const auto bytes = office_.tape().last(kStarts[rng_.below(std::size(kStarts))], p.ip());
    if (bytes) p.sends_raw(*bytes);
  }

  void garbage(Phone& p) {
    const auto bytes = office_.tape().last(chance(2) ? "INVITE" : "SIP/2.0", p.ip());
    if (!bytes) return;
    std::string bad = *bytes;
    for (std::uint64_t i = 0; i < 1 + rng_.below(5); ++i)
      bad[rng_.below(bad.size())] = static_cast<char>(rng_.below(256));
    p.sends_raw(std::move(bad));
  }

  void change_habits() {
    Habits& h = somebody().habits();
    switch (rng_.below(11)) {
      case 0:
        h.never_acks = chance(2);
        break;
      case 1:
        h.never_answers_reinvites = chance(2);
        break;
      case 2:
        h.ignores_cancel = chance(2);
        break;
      case 3:
        h.early_media = chance(2);
        break;
      case 4:
        h.delayed_offer = chance(2);
        break;
      case 5:
        h.supports_100rel = h.rings_reliably = chance(2);
        break;
      case 6:
        h.changes_with_update = chance(2);
        break;
      case 7:
        h.holds_by_address = chance(2);
        break;
      case 8:
        h.supports_timer = chance(2);
        break;
      case 9:
        h.session_expires = 90 + static_cast<std::uint32_t>(rng_.below(300));
        break;
      default:
        h.rejects_with = chance(2) ? std::optional<int>{486} : std::nullopt;
    }
  }

  void ask_server() {
    const Phone& a = somebody();
    const Phone& b = somebody();
    switch (rng_.below(6)) {
      case 0:
        office_.pbx().asks(ports::StartCall{a.number(), b.number()});
        return;
      case 1:
        for (const auto& call : office_.pbx().calls()) {
          if (chance(2)) office_.pbx().asks(ports::HangUpCall{call.id});
        }
        return;
      case 2:
        office_.change_extension(a, [&](model::Extension& e) { e.do_not_disturb = chance(2); });
        return;
      case 3:
        for (const auto& call : office_.pbx().calls()) operate(call.id, a.number(), b.number());
        return;
      case 4:
        office_.pbx().asks(ports::SetPresence{
            a.number(), chance(3) ? ports::OwnStatus::kDoNotDisturb : ports::OwnStatus::kAway, {}});
        return;
      default:
        office_.change_extension(a, [&](model::Extension& e) {
          e.forward.no_answer = chance(2) ? b.number() : "";
          e.forward.busy = chance(2) ? b.number() : "";
          e.ring_seconds = 5;
        });
    }
  }

  void operate(const model::CallId& call, const std::string& extension, const std::string& other) {
    auto& pbx = office_.pbx();
    const auto calls = pbx.calls();
    switch (rng_.below(4)) {
      case 0:
        pbx.asks(ports::HoldCall{call, extension});
        return;
      case 1:
        pbx.asks(ports::ResumeCall{call, extension});
        return;
      case 2:
        pbx.asks(ports::TransferCall{call, extension, other});
        return;
      default:
        if (!calls.empty()) pbx.asks(ports::JoinCalls{call, extension, calls[rng_.below(calls.size())].id});
    }
  }

  void accident() {
    Phone& p = somebody();
    switch (rng_.below(5)) {
      case 0:
        return p.reboots();
      case 1:
        return p.is_on() ? p.dies() : p.comes_back();
      case 2:
        return p.loses_connection();
      case 3:
        return office_.run_for(std::chrono::seconds{rng_.below(120)});
      default:
        office_.pbx().crashes();
        office_.run_for(std::chrono::milliseconds{rng_.below(10'000)});
        office_.pbx().starts();
    }
  }

  std::vector<std::string> end() {
    office_.remark("the end: everybody is good again");
    for (const auto& p : office_.all_phones()) {
      Habits& h = p->habits();
      h.never_acks = h.never_answers_reinvites = h.ignores_cancel = false;
      if (!p->is_on()) p->comes_back();
    }
    // max_call_duration is the last word on calls whose phones have both forgotten them.
    std::vector<std::string> found = office_.leftovers(office_.pbx().settings().max_call_duration + 60s);
    for (const auto& [id, row] : office_.pbx().store().calls()) {
      if (row.closed != 1)
        found.push_back(fmt::format("record {} was closed {} times", id.value, row.closed));
      const std::string told = office_.pbx().store().told_of(id);
      if (!told.starts_with("started") || told.find(" ended:") == told.npos)
        found.push_back(fmt::format("of call {} the journal says \"{}\"", id.value, told));
    }
    return found;
  }

  SeededRng rng_;
  bool honest_;
  World office_;
  std::vector<Browser*> pages_;
};

struct Wish {
  std::uint64_t first = 1;
  std::uint64_t last = 200;
  int steps = 40;
};

template <typename T>
bool read(std::string_view text, T& value) {
  return std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc{};
}

std::optional<Wish> wish_from(int argc, char** argv) {
  Wish wish;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view option = argv[i];
    if (i + 1 >= argc) return std::nullopt;
    const std::string_view value = argv[i + 1];
    const auto dots = value.find("..");
    if (option == "--seeds") {
      if (!read(value, wish.first)) return std::nullopt;
      wish.last = wish.first;
      if (dots != value.npos && !read(value.substr(dots + 2), wish.last)) return std::nullopt;
    } else if (option != "--steps" || !read(value, wish.steps)) {
      return std::nullopt;
    }
  }
  return wish;
}

int walk(const Wish& wish) {
  std::size_t messages = 0;
  std::size_t calls = 0;
  std::size_t answered = 0;
  int failed = 0;
  for (std::uint64_t seed = wish.first; seed <= wish.last; ++seed) {
    Walk one{seed};
    const auto found = one.run(wish.steps);
    messages += one.messages();
    calls += one.calls();
    answered += one.answered();
    if (found.empty()) continue;
    fmt::print("seed {} is violated:\n", seed);
    for (const auto& what : found) fmt::print("  {}\n", what);
    fmt::print("{}\n", one.ladder());
    if (++failed >= 3) break;
  }
  fmt::print("seeds {}..{}: {} calls, {} answered, {} messages, {} violated\n", wish.first, wish.last, calls,
             answered, messages, failed);
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace bw::scenario

int main(int argc, char** argv) {
  const auto wish = bw::scenario::wish_from(argc, argv);
  if (!wish) {
    std::fputs("usage: random_walk [--seeds A..B] [--steps N]\n", stderr);
    return 2;
  }
  return bw::scenario::walk(*wish);
}
