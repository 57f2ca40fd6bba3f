// A conversation out of hostile bytes: blocks parted by lines of "%%", the first letter of each says what it
// is.
//   U…, S…  a message comes by datagram, by stream     T12     12*10 ms pass
//   R180    the last request is answered               Q, I    we send OPTIONS, INVITE (then "P" makes the
//   peer C       we cancel our INVITE                               answer our last request with the status
//   behind it) K       the ACK to our 2xx was seen                X, A    the transport fails, we lose
//   interest
// Whatever comes: every input is survived, dialogs made of it write messages that parse, and after a quiet
// time nothing is left.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/rng.h"
#include "sip/dialog.h"
#include "sip/grammar.h"
#include "sip/rel100.h"
#include "sip/resolver.h"
#include "sip/session_timer.h"
#include "sip/subscription.h"
#include "sip/transaction.h"

namespace {

using namespace bw;       // NOLINT: a fuzz target has no readers of its names
using namespace bw::sip;  // NOLINT

void check(bool condition) {
  if (!condition) std::abort();
}

const Flow kDatagrams{
    Transport::kUdp, {}, *Endpoint::parse("198.51.100.1:5060"), *Endpoint::parse("192.0.2.9:5060")};
const Flow kStream{Transport::kTcp, ConnectionId{1}, *Endpoint::parse("198.51.100.1:5060"),
                   *Endpoint::parse("192.0.2.9:5060")};

class Talk {
 public:
  void block(std::string_view text) {
    if (text.empty()) return;
    const std::string_view rest = text.substr(1);
    const unsigned number = to_number<unsigned>(rest.substr(0, 3)).value_or(0);
    switch (text.front()) {
      case 'U':
      case 'S':
        if (auto m = parse(rest)) arrives(text.front() == 'U' ? kDatagrams : kStream, std::move(*m));
        break;
      case 'T':
        pass(10ms * number);
        break;
      case 'R':
        answer(number);
        break;
      case 'Q':
      case 'I':
        ask(text.front() == 'Q' ? Method::kOptions : Method::kInvite);
        break;
      case 'P':
        if (sent_ && number >= 100 && number <= 699)
          arrives(kDatagrams, make_response(*sent_, int(number), "p"));
        break;
      case 'C':
        layer_.handle(CancelRequest{ClientTransactionId{invite_}, ClientTransactionId{++ids_}, {}}, now_);
        break;
      case 'A':
        layer_.handle(AbandonClient{ClientTransactionId{ids_}}, now_);
        break;
      case 'X':
        layer_.handle(TransportFailed{kDatagrams}, now_);
        break;
      case 'K':
        layer_.ack_received(server_);
        break;
      default:
        break;
    }
    drain();
  }

  void end() {
    for (int round = 0; round < 3; ++round) {
      for (const ServerTransactionId id : open_) {
        layer_.handle(SendResponse{id, Message::response(500)}, now_);
        drain();
      }
      pass(400s);
    }
    check(layer_.server_count() == 0 && layer_.client_count() == 0);
    check(layer_.deadline().at == Instant::far_future());
  }

 private:
  void arrives(const Flow& flow, Message message) {
    layer_.handle(MessageArrived{flow, std::move(message)}, now_);
  }
  void pass(Duration span) {
    const Instant until = now_ + span;
    while (layer_.deadline().at <= until) {
      now_ = layer_.deadline().at;
      layer_.handle(Tick{}, now_);
      drain();
    }
    now_ = until;
  }
  void answer(unsigned status) {
    if (!request_ || status < 100 || status > 699) return;
    layer_.handle(SendResponse{server_, make_response(*request_, int(status), "us")}, now_);
  }
  void ask(Method method) {
    Message m = Message::request(method, "sip:x@example.com");
    m.add(HeaderName::kFrom, "<sip:a@example.com>;tag=a");
    m.add(HeaderName::kTo, "<sip:x@example.com>");
    m.add(HeaderName::kCallId, "c");
    m.add(HeaderName::kCSeq, std::string{"1 "}.append(name_of(method)));
    if (method == Method::kInvite) invite_ = ids_ + 1;
    layer_.handle(SendRequest{ClientTransactionId{++ids_}, kDatagrams, std::move(m), {}}, now_);
  }
  void drain() {
    while (auto output = layer_.poll()) {
      if (auto* received = std::get_if<RequestReceived>(&*output)) {
        look_at(received->request);
        if (!received->id) continue;
        server_ = received->id;
        open_.push_back(server_);
        request_ = std::move(received->request);
      } else if (auto* transmit = std::get_if<Transmit>(&*output)) {
        auto m = parse(*transmit->bytes);
        if (m && m->is_request()) sent_ = std::move(*m);
      }
    }
  }
  // Everything that reads a request of a stranger.
  void look_at(const Message& request) {
    if (auto dialog = Dialog::as_uas(request, "us", "<sip:us@198.51.100.1>", false)) {
      (void)dialog->accept(request);
      dialog->refresh_target(request);
      (void)dialog->matches(request);
      const auto bye = parse(to_string(dialog->make_request(Method::kBye)));
      check(bye.has_value() && bye->method() == Method::kBye);
      (void)parse(to_string(dialog->make_response(request, 200)));
      Resolution resolution{dialog->next_hop(), {}, rng_};
      while (auto question = resolution.poll()) resolution.answer(*question, {});
      check(resolution.complete());
    }
    SessionTimer timer;
    Message ok = Message::response(200);
    timer.write_response(request, ok);
    check(!timer.running() || timer.interval() >= 90s);
    if (auto s = Subscription::accept(request, "us", "<sip:us@198.51.100.1>", false, now_)) {
      (void)s->make_notify("text/plain", "x", now_);
    }
    ReliableProvisional reliable;
    reliable.start(make_response(request, 180, "us"), rng_, now_);
    (void)reliable.acknowledged_by(request);
    (void)parse_sipfrag(request.body());
  }

  SeededRng rng_{1};
  TransactionLayer layer_{rng_, {}, {.server_transactions = 16, .client_transactions = 16}};
  Instant now_{1000s};
  std::uint64_t ids_ = 0;
  std::uint64_t invite_ = 0;
  ServerTransactionId server_;
  std::vector<ServerTransactionId> open_;
  std::optional<Message> request_;
  std::optional<Message> sent_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::string_view kPart = "%%\n";
  std::string_view rest{reinterpret_cast<const char*>(data), size};
  Talk talk;
  for (int blocks = 0; blocks < 40 && !rest.empty(); ++blocks) {
    const std::size_t end = rest.find(kPart);
    talk.block(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + kPart.size());
  }
  talk.end();
  return 0;
}
