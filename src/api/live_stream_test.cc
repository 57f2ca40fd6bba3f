// Who reads the live stream, and for how long.
#include <gtest/gtest.h>

#include "api/live.h"
#include "api/test_services.h"

namespace bw::api {
namespace {

struct Line final : http::Channel {
  bool tell(const http::Bytes& message) override {
    told.push_back(*message);
    return true;
  }
  void close(std::string_view why) override { reason = why; }
  std::vector<std::string> told;
  std::string reason;
};

class StreamedServices final : public FakeServices {
 public:
  LiveStream* live() override { return &stream; }
  bool followed = false;
  LiveStream stream{*this,
                    {.read = [](LiveStream::Query&&, LiveStream::OnPage) {},
                     .newest = [] { return std::uint64_t{0}; },
                     .follow = [this](bool wanted) { followed = wanted; }}};
};

events::StoredBatch commit(std::uint64_t seq) {
  events::StoredEvent e;
  e.seq = seq;
  e.type = "call.started";
  e.extensions = {"1001"};
  return std::make_shared<const std::vector<events::StoredEvent>>(std::vector{e});
}

struct Listening {
  Listening(StreamedServices& s, const access::Principal& who)
      : response(s.stream.open({}, who, 0, {}, true)) {
    response.stays->opened(line);
  }
  Line line;
  http::Response response;
};

access::Principal logged_in(StreamedServices& s, const std::string& name) {
  auto opened = s.access_of_all.open(name, access::Way::kToken, *s.directory(), s.rng(), s.moment());
  s.access_of_all.apply(opened->changes);
  return opened->principal;
}

void save_user(StreamedServices& s, access::Role role) {
  access::User u;
  u.name = "bo";
  u.role = role;
  u.password_hash = Secret<std::string>{"hash"};
  s.access_of_all.apply(std::vector<access::Change>{access::SaveUser{u}});
}

// Each loses its login in one way; who keeps it goes on reading.
TEST(LiveStream, EndsWithTheLogin) {
  StreamedServices s;
  save_user(s, access::Role::kAdmin);
  access::ApiKey key;
  key.id = "k1";
  key.name = "wallboard";
  key.role = access::Role::kAdmin;
  s.access_of_all.apply(std::vector<access::Change>{access::SaveKey{key}});
  access::Principal by_key = as(access::Role::kAdmin);
  by_key.way = access::Way::kKey;
  by_key.session = "k1";
  const access::Principal alice = logged_in(s, "1001");
  Listening stays{s, logged_in(s, "1001")};
  Listening leaves{s, alice};
  Listening demoted{s, logged_in(s, "bo")};
  Listening keyed{s, by_key};
  Listening by_operator{s, access::Principal::from_operator()};
  s.moment_ = s.moment_ + std::chrono::seconds{3};
  s.stream.committed(commit(1), 1);
  for (const Listening* l : {&stays, &leaves, &demoted, &keyed, &by_operator}) {
    EXPECT_EQ(l->line.told.size(), 1u);
    EXPECT_EQ(l->line.reason, "");
  }
  s.access_of_all.close(alice);
  save_user(s, access::Role::kUser);
  s.access_of_all.apply(std::vector<access::Change>{access::DropKey{"k1"}});
  s.moment_ = s.moment_ + std::chrono::seconds{3};
  s.stream.committed(commit(2), 2);
  s.stream.committed(commit(3), 3);
  for (const Listening* l : {&leaves, &demoted, &keyed}) {
    EXPECT_EQ(l->line.told.size(), 1u);
    EXPECT_EQ(l->line.reason, "You are no longer logged in.");
  }
  EXPECT_EQ(by_operator.line.told.size(), 3u);
  EXPECT_EQ(stays.line.told.size(), 3u);
  s.moment_ = s.moment_ + std::chrono::hours{13};
  s.stream.committed(commit(4), 4);
  EXPECT_EQ(stays.line.told.size(), 3u);
  EXPECT_EQ(stays.line.reason, "You are no longer logged in.");
}

TEST(LiveStream, FollowsTheJournalOnlyWhileSomebodyReads) {
  StreamedServices s;
  const access::Principal anybody = access::Principal::from_operator();
  EXPECT_FALSE(s.followed);
  {
    const Listening first{s, anybody};
    const auto second = std::make_unique<Listening>(s, anybody);
    EXPECT_TRUE(s.followed);
  }
  EXPECT_FALSE(s.followed);
  const Listening later{s, anybody};
  EXPECT_TRUE(s.followed);
}

TEST(LiveStream, EndsWithTheLoginAlsoWhileNothingHappens) {
  StreamedServices s;
  const access::Principal alice = logged_in(s, "1001");
  Listening leaves{s, alice};
  Listening stays{s, logged_in(s, "1001")};
  s.access_of_all.close(alice);
  s.moment_ = s.moment_ + std::chrono::seconds{3};
  s.stream.look_after();
  EXPECT_EQ(leaves.line.reason, "You are no longer logged in.");
  EXPECT_EQ(stays.line.reason, "");
  s.moment_ = s.moment_ + std::chrono::hours{13};
  s.stream.look_after();
  EXPECT_EQ(stays.line.reason, "You are no longer logged in.");
}

TEST(LiveStream, SpeaksOnlyWhatItsReaderOffers) {
  StreamedServices s;
  const auto open = [&](std::vector<std::string> offered) {
    http::Request request{"GET", "/api/events", "", ""};
    request.web_socket = true;
    for (std::string& o : offered) request.headers.emplace_back("sec-websocket-protocol", std::move(o));
    std::string said;
    route(routes(), s, std::move(request), access::Principal::from_operator(),
          [&](http::Response&& r) { said = std::to_string(r.status) + " " + r.subprotocol; });
    return said;
  };
  EXPECT_EQ(open({}), "200 ");
  EXPECT_EQ(open({"bellwire.events.v1"}), "200 bellwire.events.v1");
  EXPECT_EQ(open({"chat, bellwire.events.v1 "}), "200 bellwire.events.v1");
  EXPECT_EQ(open({"chat", "bellwire.events.v1"}), "200 bellwire.events.v1");
  EXPECT_EQ(open({"xbellwire.events.v10"}), "400 ");
}

TEST(LiveStream, OneMayNotTakeThePlacesOfAll) {
  StreamedServices s;
  access::Principal alice = as(access::Role::kUser, "1001");
  alice.name = "1001";
  access::Principal other = as(access::Role::kUser, "1002");
  other.name = "1002";
  std::vector<std::unique_ptr<Listening>> many;
  for (std::size_t i = 0; i < LiveStream::kMostOfOne; ++i)
    many.push_back(std::make_unique<Listening>(s, alice));
  const Answer refused = call(s, "GET", "/api/events", {}, alice);
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.value.at("code"), "busy");
  EXPECT_TRUE(s.stream.has_room_for(other));
  many.pop_back();
  EXPECT_TRUE(s.stream.has_room_for(alice));
}

}  // namespace
}  // namespace bw::api
