#include "exchange/exchange.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

namespace bw::exchange {
namespace {

constexpr Instant kStart{1'800'000'000s};

model::DirectorySnapshot two_extensions() {
  auto directory = std::make_shared<model::Directory>();
  for (const char* number : {"1001", "1002"}) {
    directory->extensions[number].number = model::ExtensionNumber{number};
  }
  return directory;
}

constexpr IpAddress kItsAddress = IpAddress::v4(0xc0000205);

// A phone that registered over TCP before a restart.
model::Binding phone_at(std::string contact) {
  model::Binding binding;
  binding.extension = model::ExtensionNumber{"1001"};
  binding.contact = std::move(contact);
  binding.flow = {sip::Transport::kTcp, {}, {}, {kItsAddress, 40'000}};
  binding.expires_at = kStart + 600s;
  return binding;
}

class CalledByName : public testing::Test {
 protected:
  // It named its host instead of an address.
  explicit CalledByName(std::string contact = "sip:1001@desk.example;transport=tcp")
      : exchange_(rng_, std::make_shared<model::Settings>(), two_extensions(), kStart) {
    media::PortsOpened opened;
    for (std::uint16_t port = 10'000; port < 10'020; port += 2) opened.ports.push_back({0, port});
    exchange_.handle(MediaReported{opened}, kStart);
    exchange_.handle(BindingsRestored{{phone_at(std::move(contact))}}, kStart);
    drain();
    exchange_.handle(Asked{{1}, ports::StartCall{"1001", "1002"}}, kStart);
  }

  void drain() {
    while (auto output = exchange_.poll()) {
      if (auto* resolve = std::get_if<Resolve>(&*output)) questions_.push_back(*resolve);
      if (auto* transmit = std::get_if<sip::Transmit>(&*output)) sent_.push_back(*transmit);
      if (auto* persist = std::get_if<ports::Persist>(&*output)) {
        for (auto& change : persist->changes) {
          if (auto* closed = std::get_if<ports::CloseCallRecord>(&change)) closed_.push_back(closed->record);
        }
      }
      if (auto* tell = std::get_if<TellMedia>(&*output)) {
        if (auto* close = std::get_if<media::CloseLeg>(&tell->command)) {
          exchange_.handle(MediaReported{media::LegClosed{close->leg, {}}}, kStart);
        }
      }
    }
  }

  // Answers whatever is asked: addresses to A, nothing to all else.
  void answer(std::vector<IpAddress> addresses) {
    drain();
    while (!questions_.empty()) {
      const Resolve question = questions_.back();
      questions_.pop_back();
      dns::Answer answer;
      if (question.question.type == dns::RecordType::kA) answer.addresses = addresses;
      exchange_.handle(NameResolved{question.id, answer}, kStart);
      drain();
    }
  }

  SeededRng rng_{1};
  Exchange exchange_;
  std::vector<Resolve> questions_;
  std::vector<sip::Transmit> sent_;
  std::vector<model::CallRecord> closed_;
};

TEST_F(CalledByName, TheInviteWaitsForTheNameServiceAndGoesToWhatItSays) {
  drain();
  EXPECT_FALSE(questions_.empty());
  EXPECT_TRUE(sent_.empty());
  answer({kItsAddress});
  ASSERT_EQ(sent_.size(), 1U);
  EXPECT_EQ(sent_[0].to.transport, sip::Transport::kTcp);
  EXPECT_EQ(sent_[0].to.remote, (Endpoint{kItsAddress, 5060}));
}

TEST_F(CalledByName, OnlyTheAddressOfItsRegistrationIsTriedWhateverTheNameSays) {
  answer({IpAddress::v4(0xc0000263), kItsAddress, IpAddress::v4(0xc0000264)});
  ASSERT_EQ(sent_.size(), 1U);
  EXPECT_EQ(sent_[0].to.remote.ip, kItsAddress);
  exchange_.handle(ConnectionLost{sent_[0].to}, kStart + 1s);
  drain();
  ASSERT_EQ(closed_.size(), 1U);
  EXPECT_EQ(closed_[0].reason, "1001's phone could not be reached");
}

TEST_F(CalledByName, ANameThatNobodyKnowsEndsTheCallInWords) {
  answer({});
  EXPECT_TRUE(sent_.empty());
  ASSERT_EQ(closed_.size(), 1U);
  EXPECT_EQ(closed_[0].reason, "1001's phone could not be reached");
}

class CalledByAddress : public CalledByName {
 protected:
  CalledByAddress() : CalledByName("sip:1001@192.0.2.66:25;transport=tcp") {}
};

TEST_F(CalledByAddress, NoRegistrationMakesTheServerConnectToWhomItNames) {
  drain();
  ASSERT_EQ(sent_.size(), 1U);
  EXPECT_EQ(sent_[0].to.remote, (Endpoint{kItsAddress, 25}));
}

class FromStrangers : public testing::Test {
 protected:
  FromStrangers() : exchange_(rng_, std::make_shared<model::Settings>(), two_extensions(), kStart) {}

  // What comes back to a request of a stranger; nothing: empty.
  std::string answer_to(const std::string& method, int number, const std::string& more = "",
                        const std::string& to_tag = "") {
    const std::string n = std::to_string(number);
    const std::string contact = method == "OPTIONS" ? "" : "Contact: <sip:x@192.0.2.66>\r\n";
    exchange_.handle(Received{{sip::Transport::kUdp, {}, {}, {IpAddress::v4(0xc0000242), 5060}},
                              method +
                                  " sip:1002@192.0.2.1 SIP/2.0\r\n"
                                  "Via: SIP/2.0/UDP 192.0.2.66:5060;branch=z9hG4bK" +
                                  n +
                                  "\r\n"
                                  "Max-Forwards: 70\r\nFrom: <sip:x@192.0.2.66>;tag=" +
                                  n +
                                  "\r\n"
                                  "To: <sip:1002@192.0.2.1>" +
                                  to_tag + "\r\nCall-ID: c" + n + "\r\n" + contact + more + "CSeq: 1 " +
                                  method + "\r\nContent-Length: 0\r\n\r\n"},
                     kStart);
    std::string bytes;
    while (auto output = exchange_.poll()) {
      if (auto* transmit = std::get_if<sip::Transmit>(&*output)) bytes += *transmit->bytes;
    }
    return bytes;
  }

  std::size_t transactions() {
    exchange_.handle(Asked{{9}, ports::GetStatus{}}, kStart);
    std::size_t count = 0;
    while (auto output = exchange_.poll()) {
      if (auto* reply = std::get_if<Answered>(&*output))
        count = std::get<ports::Status>(reply->reply).transactions;
    }
    return count;
  }

  SeededRng rng_{2};
  Exchange exchange_;
};

TEST_F(FromStrangers, WhatAnybodyMaySendLeavesNothingBehind) {
  int number = 0;
  for (int round = 0; round < 50; ++round) {
    EXPECT_TRUE(answer_to("OPTIONS", ++number).starts_with("SIP/2.0 200 "));
    EXPECT_TRUE(answer_to("INVITE", ++number).starts_with("SIP/2.0 401 "));
    EXPECT_TRUE(answer_to("REGISTER", ++number).starts_with("SIP/2.0 401 "));
    EXPECT_TRUE(answer_to("BYE", ++number).starts_with("SIP/2.0 481 "));
    EXPECT_TRUE(answer_to("MESSAGE", ++number).starts_with("SIP/2.0 405 "));
    EXPECT_TRUE(answer_to("JUMP", ++number).starts_with("SIP/2.0 501 "));
    EXPECT_EQ(answer_to("ACK", ++number), "");
    for (const char* method : {"INVITE", "BYE", "INFO", "MESSAGE"})
      EXPECT_TRUE(answer_to(method, ++number, "", ";tag=nobodys").starts_with("SIP/2.0 481 ")) << method;
    for (const char* method : {"INVITE", "REGISTER"}) {
      const std::string forged =
          "Authorization: Digest "
          "username=\"1001\",realm=\"bellwire\",nonce=\"feed\",uri=\"sip:1002@192.0.2.1\","
          "response=\"00000000000000000000000000000000\",algorithm=MD5,qop=auth,nc=00000001,cnonce=\"a\"\r\n";
      EXPECT_TRUE(answer_to(method, ++number, forged).starts_with("SIP/2.0 401 ")) << method;
    }
  }
  EXPECT_EQ(transactions(), 0U);
  EXPECT_EQ(exchange_.deadline().at, Instant::far_future())
      << "nothing is repeated to an address that may be forged";
}

TEST_F(FromStrangers, TheSameRequestTwiceIsAnsweredFromTheSameTag) {
  const auto tag = [](const std::string& bytes) { return bytes.substr(bytes.find("To: "), 60); };
  EXPECT_EQ(tag(answer_to("OPTIONS", 7)), tag(answer_to("OPTIONS", 7)));
  EXPECT_NE(tag(answer_to("OPTIONS", 7)), tag(answer_to("OPTIONS", 8)));
}

TEST_F(FromStrangers, ManyRecordRoutesAreRefused) {
  std::string routes;
  for (int i = 0; i < 40; ++i) routes += "Record-Route: <sip:p" + std::to_string(i) + ".example;lr>\r\n";
  EXPECT_TRUE(answer_to("INVITE", 1, routes).starts_with("SIP/2.0 400 "));
}

}  // namespace
}  // namespace bw::exchange
