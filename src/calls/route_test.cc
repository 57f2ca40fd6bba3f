#include "calls/route.h"

#include <gtest/gtest.h>

namespace bw::calls {
namespace {

class Route : public testing::Test {
 protected:
  model::Extension& add(const char* number) {
    auto& extension = directory_.extensions[number];
    extension.number = model::ExtensionNumber{number};
    return extension;
  }
  Decision dial(const char* number, ForwardCause cause = ForwardCause::kNone,
                std::vector<std::string> visited = {}) {
    return route({"1001", number, cause, std::move(visited)}, directory_, Dialplan{settings_}, settings_);
  }
  model::Settings settings_;
  model::Directory directory_;
};

TEST_F(Route, AnExtensionRingsForItsOwnTime) {
  add("1002").ring_seconds = 12;
  const auto decision = std::get<RingExtension>(dial("1002"));
  EXPECT_EQ(decision.extension.value, "1002");
  EXPECT_EQ(decision.ring_for, 12s);
}

TEST_F(Route, WithoutAnOwnRingTimeTheConfiguredOneCounts) {
  add("1002").ring_seconds = 0;
  settings_.no_answer_timeout = 17s;
  EXPECT_EQ(std::get<RingExtension>(dial("1002")).ring_for, 17s);
}

TEST_F(Route, UnknownNumbersAreRefusedInWords) {
  const auto refused = std::get<RefuseCall>(dial("1999"));
  EXPECT_EQ(refused.status, 404);
  EXPECT_EQ(refused.sentence, "there is no extension 1999");
  EXPECT_EQ(std::get<RefuseCall>(dial("004930123456")).sentence, "nothing answers to 004930123456");
}

TEST_F(Route, EchoTestIsAService) {
  EXPECT_TRUE(std::holds_alternative<EchoTest>(dial("*43")));
}

TEST_F(Route, DoNotDisturbIsBusyUnlessForwarded) {
  add("1002").do_not_disturb = true;
  EXPECT_EQ(std::get<RefuseCall>(dial("1002")).status, 486);
  add("1003");
  directory_.extensions["1002"].forward.always = "1003";
  EXPECT_EQ(std::get<RingExtension>(dial("1002")).extension.value, "1003");
}

TEST_F(Route, ForwardsAreFollowedByCauseAndNeverInACircle) {
  add("1002").forward.no_answer = "1003";
  add("1003").forward.always = "1002";
  EXPECT_EQ(std::get<RefuseCall>(dial("1002", ForwardCause::kNoAnswer, {"1002"})).status, 482);
  add("1003").forward.always = "";
  const auto onward = std::get<RingExtension>(dial("1002", ForwardCause::kNoAnswer, {"1002"}));
  EXPECT_EQ(onward.extension.value, "1003");
  EXPECT_EQ(onward.visited, (std::vector<std::string>{"1002", "1003"}));
}

TEST_F(Route, ALongChainOfForwardsEnds) {
  for (int i = 0; i < 9; ++i)
    add(("100" + std::to_string(i)).c_str()).forward.always = "100" + std::to_string(i + 1);
  EXPECT_EQ(std::get<RefuseCall>(dial("1000")).status, 482);
}

}  // namespace
}  // namespace bw::calls
