// Random sequences of what phones, connections, time and restarts do; after each step nothing may be wrong.
#include <map>
#include <tuple>

#include "registrar/detail/registrar_fixture.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BW_ASAN
#include <sanitizer/allocator_interface.h>
#endif
#endif
#ifndef BW_ASAN
#include <malloc.h>
#endif

namespace bw::registrar {
namespace {

constexpr std::size_t kMaxContacts = 4;
constexpr std::uint64_t kExtensions = 3;

// A database that does nothing but what the change sets say, with the key of ports/persistence.h.
class Store {
 public:
  using Key = std::tuple<std::string, std::string, std::uint32_t>;

  void apply(const model::ChangeSet& changes) {
    for (const BindingChange& c : changes) {
      const bool had = rows_.contains(key(c.binding));
      if (c.kind == Kind::kRemoved) {
        EXPECT_TRUE(had) << "removed what was not there: " << c.binding.contact;
        rows_.erase(key(c.binding));
      } else {
        EXPECT_EQ(had, c.kind == Kind::kRefreshed) << c.binding.contact;
        rows_[key(c.binding)] = c.binding;
      }
    }
  }
  std::vector<model::Binding> rows() const {
    std::vector<model::Binding> out;
    for (const auto& [key, binding] : rows_) out.push_back(binding);
    return out;
  }
  void cut_connections() {
    for (auto& [key, binding] : rows_) binding.flow.connection = {};
  }
  static Key key(const model::Binding& b) {
    return {b.extension.value, b.instance.empty() ? "c" + b.contact : "i" + b.instance, b.reg_id};
  }
  const model::Binding* find(const model::Binding& b) const {
    const auto it = rows_.find(key(b));
    return it == rows_.end() ? nullptr : &it->second;
  }
  std::size_t size() const { return rows_.size(); }

 private:
  std::map<Key, model::Binding> rows_;
};

class Walk {
 public:
  explicit Walk(std::uint64_t seed) : rng_(seed), registrar_(rng_, settings()) {}

  void step() {
    switch (rng_.below(12)) {
      case 0:
        now_ = now_ + std::chrono::seconds{rng_.below(400)};
        break;
      case 1:
        store_.apply(registrar_.expire(now_));
        break;
      case 2:
        store_.apply(registrar_.connection_lost({1 + rng_.below(5)}, now_));
        break;
      case 3:
        if (rng_.below(10) == 0) restart();
        break;
      case 4:
        if (rng_.below(10) == 0) store_.apply(registrar_.drop(extension().view(), "for a test"));
        break;
      default:
        send();
        break;
    }
    check();
  }

 private:
  static model::SettingsSnapshot settings() {
    model::Settings s;
    s.contacts_per_extension = kMaxContacts;
    return std::make_shared<const model::Settings>(s);
  }
  model::ExtensionNumber extension() {
    return model::ExtensionNumber{std::to_string(1001 + rng_.below(kExtensions))};
  }

  std::string contact() {
    std::string text = fmt::format("<sip:x@{}.example>", rng_.below(6));
    if (rng_.below(2) == 0) text += fmt::format(";+sip.instance=\"<urn:x:{}>\"", rng_.below(3));
    if (rng_.below(3) == 0) text += fmt::format(";reg-id={}", rng_.below(3));
    if (rng_.below(3) == 0) text += fmt::format(";q=0.{}", rng_.below(10));
    if (rng_.below(2) == 0) text += fmt::format(";expires={}", rng_.below(4) * 40);
    return text;
  }

  void send() {
    const auto who = extension();
    Reg reg;
    reg.to = fmt::format("<sip:{}@bellwire.example>", who.value);
    reg.call_id = fmt::format("call-{}", rng_.below(3));
    reg.cseq = static_cast<std::uint32_t>(++cseq_ - rng_.below(4));
    for (std::uint64_t n = rng_.below(4); n > 0; --n) reg.contacts.push_back(contact());
    if (rng_.below(15) == 0) {
      reg.contacts = {"*"};
      reg.lines = {"Expires: 0"};
    }
    reg.lines.emplace_back(rng_.below(2) == 0 ? "Supported: outbound, gruu" : "Supported: path");
    const sip::Flow flow = rng_.below(2) == 0 ? udp() : tcp(1 + rng_.below(5));
    auto result = registrar_.process(reg.message(), flow, who, now_);
    if (result.response.status() != 200) {
      for (const auto& c : result.changes) EXPECT_EQ(c.kind, Kind::kRemoved) << "a refusal adds nothing";
    }
    store_.apply(result.changes);
  }

  void restart() {
    registrar_ = Registrar{rng_, settings()};
    store_.cut_connections();
    registrar_.restore(store_.rows(), now_);
  }

  void check() {
    ASSERT_TRUE(registrar_.check_invariants());
    ASSERT_EQ(registrar_.binding_count(), store_.size());
    for (std::uint64_t i = 0; i < kExtensions; ++i) {
      const std::string number = std::to_string(1001 + i);
      const auto all = registrar_.bindings(number, now_);
      ASSERT_LE(all.size(), kMaxContacts);
      for (const model::Binding* b : all) {
        const model::Binding* stored = store_.find(*b);
        ASSERT_NE(stored, nullptr);
        ASSERT_EQ(*stored, *b);
      }
      std::uint32_t q = 1000;
      for (const model::Binding* b : registrar_.contacts(number, now_)) {
        ASSERT_GT(b->expires_at, now_);
        ASSERT_LE(b->q_thousandths, q);
        q = b->q_thousandths;
      }
    }
  }

  SeededRng rng_;
  Registrar registrar_;
  Store store_;
  Instant now_ = kNow;
  std::uint32_t cseq_ = 1000;
};

TEST(RegistrarWalk, ChangesAndBindingsAlwaysAgree) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Walk walk{seed};
    for (int i = 0; i < 150; ++i) {
      walk.step();
      if (testing::Test::HasFatalFailure() || testing::Test::HasNonfatalFailure()) return;
    }
  }
}

std::size_t heap_bytes() {
#ifdef BW_ASAN
  return __sanitizer_get_current_allocated_bytes();
#else
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
#endif
}

TEST(RegistrarMemory, ARegistrationTakesLessThanOneAndAHalfKibibytes) {
  constexpr std::size_t kPhones = 20'000;
  SeededRng rng{1};
  Registrar registrar{rng, std::make_shared<const model::Settings>()};
  const std::size_t before = heap_bytes();
  for (std::size_t i = 0; i < kPhones; ++i) {
    const std::string number = std::to_string(100'000 + i);
    Reg reg{.contacts = {with_instance(fmt::format("sip:{}@192.168.100.200:5060;transport=udp", number),
                                       ";q=0.9", fmt::format("urn:uuid:f81d4fae-7dec-11d0-a765-{:012}", i))},
            .call_id = fmt::format("{:032}@192.168.100.200", i),
            .lines = {"User-Agent: Deskphone T99/1.2.3 (long enough a name)"},
            .to = fmt::format("<sip:{}@bellwire.example>", number)};
    const auto result = registrar.process(reg.message(), udp(), model::ExtensionNumber{number}, kNow);
    ASSERT_EQ(result.response.status(), 200);
  }
  const std::size_t each = (heap_bytes() - before) / kPhones;
  RecordProperty("bytes_per_registration", static_cast<int>(each));
  EXPECT_LE(each, 1536U);
  EXPECT_GE(each, 300U) << "or the measuring is broken";
}

}  // namespace
}  // namespace bw::registrar
