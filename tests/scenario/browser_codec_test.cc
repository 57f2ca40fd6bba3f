// A page speaks what the other side speaks, so that nothing is transcoded; and what else it hears of a call.
#include "story.h"
#include "testkit/browser.h"

namespace bw::scenario {
namespace {

using ports::BrowserPush;
using testkit::Browser;
using testkit::Phone;
using testkit::PhoneCodec;

struct Office : World {
  explicit Office(std::uint64_t seed) : World{Seed{seed}, World::browser_settings()} {}

  Phone& phone_with(std::string_view name, PhoneCodec codec, int events = 101) {
    Phone& p = phone(name, {.codecs = {std::move(codec)}, .telephone_event = events});
    until([&] { return p.is_registered(); }, 30s);
    return p;
  }
  // Of the legs of the one call there is, the caller's first.
  std::vector<std::string> codecs() {
    std::vector<std::string> found;
    const auto call = pbx().calls().at(0);
    for (const auto& leg : call.legs) found.push_back(leg.codec);
    return found;
  }
};

std::size_t offers(const Browser& page) {
  return page.told<BrowserPush::Offered>().size();
}
std::string keys(const Browser& page) {
  std::string found;
  for (const auto& pressed : page.told<BrowserPush::Pressed>()) found += pressed.digit;
  return found;
}

const PhoneCodec kPcmu{0, "PCMU/8000"};
const PhoneCodec kPcma{8, "PCMA/8000"};
const PhoneCodec kG722{9, "G722/8000"};
const PhoneCodec kOpus{96, "opus/48000/2"};

TEST(BrowserCodec, IsThatOfThePhoneItCalls) {
  for (const PhoneCodec& codec : {kPcmu, kPcma, kG722}) {
    Office office{1};
    Phone& bob = office.phone_with("bob", codec);
    Browser& page = office.browser("alice");
    page.dials(bob);
    bob.answers();
    ASSERT_TRUE(office.until([&] { return offers(page) == 1; })) << codec.name << office.ladder();
    EXPECT_EQ("opus/48000", office.codecs().at(0)) << "until the page has agreed";
    ASSERT_TRUE(page.answers_offer()) << page.refused().sentence;
    EXPECT_EQ((std::vector<std::string>{codec.name, codec.name}), office.codecs());
    EXPECT_EQ(1U, offers(page));
    expect_agreement(office);
    page.hangs_up();
    expect_clean(office);
  }
}

TEST(BrowserCodec, IsThatOfThePhoneThatCalls) {
  for (const PhoneCodec& codec : {kPcmu, kPcma, kG722}) {
    Office office{2};
    Phone& bob = office.phone_with("bob", codec);
    Browser& page = office.browser("alice");
    bob.dials(page.number());
    page.answers();
    ASSERT_TRUE(office.until([&] { return offers(page) == 1; })) << codec.name << office.ladder();
    ASSERT_TRUE(page.answers_offer()) << page.refused().sentence;
    EXPECT_EQ((std::vector<std::string>{codec.name, codec.name}), office.codecs());
    page.hangs_up();
    expect_clean(office);
  }
}

TEST(BrowserCodec, IsOpusWithAPhoneThatHasItAndNobodyIsAsked) {
  Office office{3};
  Phone& bob = office.phone_with("bob", kOpus);
  Browser& page = office.browser("alice");
  talk(office, page, bob);
  office.run_for(1s);
  EXPECT_EQ(0U, offers(page));
  EXPECT_EQ((std::vector<std::string>{"opus/48000", "opus/48000"}), office.codecs());
  expect_clean(office);
}

TEST(BrowserCodec, IsOpusAgainWithTheNextBrowser) {
  Office office{4};
  Phone& bob = office.phone_with("bob", kPcmu);
  Browser& alice = office.browser("alice");
  Browser& carol = office.browser("carol");
  alice.dials(bob);
  bob.answers();
  ASSERT_TRUE(office.until([&] { return offers(alice) == 1; })) << office.ladder();
  ASSERT_TRUE(alice.answers_offer());
  alice.hangs_up();
  ASSERT_TRUE(office.until([&] { return bob.is_idle() && office.pbx().status().active_calls == 0; }));
  alice.dials(carol);
  carol.answers();
  ASSERT_TRUE(office.until([&] { return offers(alice) == 2; })) << office.ladder();
  EXPECT_EQ(0U, offers(carol));
  ASSERT_TRUE(alice.answers_offer());
  EXPECT_EQ((std::vector<std::string>{"opus/48000", "opus/48000"}), office.codecs());
  expect_clean(office);
}

TEST(BrowserCodec, StaysAsItIsWithAPageThatAnswersNoOffer) {
  Office office{5};
  Phone& bob = office.phone_with("bob", kPcmu);
  Browser& page = office.browser("alice");
  page.dials(bob);
  bob.answers();
  ASSERT_TRUE(office.until([&] { return offers(page) == 1; })) << office.ladder();
  EXPECT_TRUE(page.holds()) << page.refused().sentence;
  ASSERT_TRUE(office.until([&] { return bob.is_held(); }));
  office.run_for(100ms);
  EXPECT_TRUE(page.resumes()) << page.refused().sentence;
  ASSERT_TRUE(office.until([&] { return !bob.is_held(); }));
  office.run_for(5s);
  EXPECT_EQ(1U, offers(page)) << "it is not asked the same twice";
  EXPECT_EQ((std::vector<std::string>{"opus/48000", "PCMU/8000"}), office.codecs());
  expect_agreement(office);
  expect_clean(office);
}

TEST(BrowserCodec, IsThatOfWhomTheCallIsPassedOnTo) {
  Office office{6};
  Phone& bob = office.phone_with("bob", kPcmu);
  Phone& carol = office.phone_with("carol", kG722);
  Browser& page = office.browser("alice");
  page.dials(bob);
  bob.answers();
  ASSERT_TRUE(office.until([&] { return offers(page) == 1; }));
  ASSERT_TRUE(page.answers_offer());
  bob.transfers_to(carol);
  carol.answers();
  ASSERT_TRUE(office.until([&] { return offers(page) == 2; })) << office.ladder();
  ASSERT_TRUE(page.answers_offer()) << page.refused().sentence;
  EXPECT_EQ((std::vector<std::string>{"G722/8000", "G722/8000"}), office.codecs());
  expect_clean(office);
}

// Both offer at once: the page's holds, and it is asked once more.
TEST(BrowserCodec, IsAskedForAgainAfterAnOfferOfThePageThatCrossed) {
  Office office{7};
  Phone& bob = office.phone_with("bob", kPcmu);
  Browser& page = office.browser("alice");
  page.dials(bob);
  bob.answers();
  ASSERT_TRUE(office.until([&] { return offers(page) == 1; }));
  ASSERT_TRUE(page.offers_again()) << page.refused().sentence;
  EXPECT_EQ(2U, offers(page));
  EXPECT_FALSE(page.answers_offer(1));
  EXPECT_EQ("superseded", page.refused().code);
  EXPECT_EQ("opus/48000", office.codecs().at(0));
  ASSERT_TRUE(page.answers_offer(2)) << page.refused().sentence;
  EXPECT_EQ("PCMU/8000", office.codecs().at(0));
  expect_clean(office);
}

TEST(BrowserCodec, IsAskedForAgainWhenThePageWasLoadedAgain) {
  Office office{8};
  Phone& bob = office.phone_with("bob", kG722);
  Browser& page = office.browser("alice");
  page.dials(bob);
  bob.answers();
  ASSERT_TRUE(office.until([&] { return offers(page) == 1; }));
  ASSERT_TRUE(page.answers_offer());
  page.reloads();
  ASSERT_TRUE(office.until([&] { return offers(page) == 2; })) << office.ladder();
  ASSERT_TRUE(page.answers_offer()) << page.refused().sentence;
  EXPECT_EQ((std::vector<std::string>{"G722/8000", "G722/8000"}), office.codecs());
  expect_clean(office);
}

// ---- keys ----

constexpr std::string_view kAllKeys = "0123456789*#ABCD";

TEST(BrowserKeys, ThatAPhonePressesAreToldThePageInEachForm) {
  Office office{9};
  Phone& bob = office.phone_with("bob", kPcmu);
  Browser& page = office.browser("alice");
  talk(office, page, bob);
  bob.presses(kAllKeys);
  EXPECT_TRUE(office.until([&] { return keys(page) == kAllKeys; })) << keys(page);
  bob.presses_by_info(kAllKeys);
  EXPECT_TRUE(office.until([&] { return keys(page) == std::string{kAllKeys} + std::string{kAllKeys}; }))
      << keys(page);
  EXPECT_EQ(page.talking().front(), page.told<BrowserPush::Pressed>().back().call.value);
  office.run_for(2s);
  EXPECT_EQ(2 * kAllKeys.size(), keys(page).size()) << "each once";
  expect_clean(office);
}

TEST(BrowserKeys, ReachAPhoneOnceEachThoughPacketsAreLost) {
  Office office{10};
  Phone& bob = office.phone_with("bob", kPcmu);
  Browser& page = office.browser("alice");
  talk(office, page, bob);
  office.network().loses(5_percent).everywhere();
  for (const char key : kAllKeys) {
    ASSERT_TRUE(page.presses(std::string(1, key))) << page.refused().sentence;
    office.run_for(300ms);
  }
  EXPECT_TRUE(office.until([&] { return bob.digits_heard() == kAllKeys; })) << bob.digits_heard();
  bob.presses(kAllKeys);
  EXPECT_TRUE(office.until([&] { return keys(page) == kAllKeys; }, 60s)) << keys(page);
  // A phone that does not wait for the answer to one INFO before it sends the next has no order to rely on.
  for (const char key : kAllKeys) {
    const auto so_far = keys(page);
    bob.presses_by_info(std::string(1, key));
    ASSERT_TRUE(office.until([&] { return keys(page) == so_far + key; }, 60s)) << keys(page);
    office.run_for(1s);
  }
  EXPECT_EQ(2 * kAllKeys.size(), keys(page).size()) << "each once";
  expect_clean(office);
}

TEST(BrowserKeys, AllAtOnceReachAPhoneInOrder) {
  Office office{12};
  Phone& bob = office.phone_with("bob", kPcmu);
  Browser& page = office.browser("alice");
  talk(office, page, bob);
  const std::string many = std::string(kAllKeys) + std::string(kAllKeys) + std::string(kAllKeys);
  ASSERT_TRUE(page.presses(many)) << page.refused().sentence;
  EXPECT_TRUE(office.until([&] { return bob.digits_heard() == many; }, 60s)) << bob.digits_heard();
  expect_clean(office);
}

// It has shown that it does; else they are tones in its voice.
TEST(BrowserKeys, AllAtOnceReachAPhoneThatKnowsThemByInfoAloneInOrder) {
  Office office{11};
  Phone& bob = office.phone_with("bob", kPcmu, -1);
  Browser& page = office.browser("alice");
  talk(office, page, bob);
  bob.presses_by_info("5");
  ASSERT_TRUE(office.until([&] { return keys(page) == "5"; })) << keys(page);
  office.network().loses(20_percent).everywhere();
  const std::string many = std::string(kAllKeys) + std::string(kAllKeys) + std::string(kAllKeys);
  ASSERT_TRUE(page.presses(many)) << page.refused().sentence;
  EXPECT_TRUE(office.until([&] { return bob.digits_heard() == many; }, 300s)) << bob.digits_heard();
  expect_clean(office);
}

}  // namespace
}  // namespace bw::scenario
