// An office: phones around one Bellwire, in virtual time. What a scenario starts with.
//
//   World office{Seed{7}};
//   auto [alice, bob] = office.phones("alice", "bob");
//   alice.dials(bob);
//   bob.answers();
//   EXPECT_TRUE(alice.hears(bob)) << office.ladder();
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "testkit/browser.h"
#include "testkit/pbx.h"
#include "testkit/stage.h"

namespace bw::testkit {

class World : public Stage {
 public:
  explicit World(Seed seed, model::Settings settings = office_settings());
  ~World() override;

  static model::Settings office_settings();
  static model::Settings browser_settings();  // the same, and browsers are phones

  Pbx& pbx() { return *pbx_; }

  // New extensions 1001, 1002, … with one phone each; time goes on until they are registered.
  template <std::convertible_to<std::string_view>... Names>
  auto phones(Names... names) {
    auto all = std::tuple<decltype((static_cast<void>(names), std::declval<Phone&>()))...>{phone(names)...};
    const auto registered = [](const auto&... p) { return (p.is_registered() && ...); };
    until([&] { return std::apply(registered, all); }, kRegistrationPatience);
    return all;
  }
  Phone& phone(std::string_view name, Habits habits = {});  // a new extension; registers, nothing waits
  // A new extension whose only phone is a page; it is open and connected.
  Browser& browser(std::string_view name) { return browser_of(person(name)); }
  // A page of an extension that exists.
  Browser& browser_of(std::string number);
  std::string presence_of(std::string_view number);  // "available", "offline", …
  // A second device of the same extension.
  Phone& another_phone_of(const Phone& owner, std::string_view name, Habits habits = {});
  // A device of nobody: wrong number, wrong password, no registration.
  Phone& stranger(std::string_view name, std::string_view number, std::string_view password);
  void change_extension(const Phone& owner, const std::function<void(model::Extension&)>& change);

  // ---- what must hold ----
  // At any moment.
  std::vector<std::string> violations() const;
  // When the network is fair and nobody has done anything for a while: both sides agree on every call.
  std::vector<std::string> disagreements();
  // Everybody hangs up, the network heals, time passes; what is kept then is a leak. `patience`: how much
  // longer the server may take to find out that both phones of a call have forgotten it.
  std::vector<std::string> leftovers(Duration patience = Duration{0});

 private:
  static constexpr Duration kRegistrationPatience = 30s;

  std::string person(std::string_view name);  // a new extension; its number
  void add_extension(std::string_view number, std::string_view name, std::string_view password);
  Phone& equip(std::string_view name, std::string_view number, std::string_view password, Habits habits);

  std::unique_ptr<Pbx> pbx_;
  std::vector<std::unique_ptr<Browser>> browsers_;
  std::uint32_t next_number_ = 1000;
};

}  // namespace bw::testkit
