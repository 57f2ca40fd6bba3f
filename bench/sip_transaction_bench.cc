// What the transaction layer costs per event, in the middle of a busy office: 1,000 requests a second, so
// that some 32,000 finished transactions linger at any time. Baseline_* do the same work without the layer
// (making, copying and writing messages); the layer's own price is the difference.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <malloc.h>

#include <cstdlib>
#include <string>

#include "base/rng.h"
#include "sip/dialog.h"
#include "sip/transaction.h"

namespace {

using namespace bw;  // NOLINT: a bench has no readers of its names
using namespace bw::sip;

const Flow kFlow{
    Transport::kUdp, {}, *Endpoint::parse("198.51.100.1:5060"), *Endpoint::parse("192.0.2.9:5060")};

std::string request_text(std::string_view method, std::uint64_t n) {
  return fmt::format(
      "{0} sip:200@pbx.example.com SIP/2.0\r\nVia: SIP/2.0/UDP "
      "192.0.2.9:5060;rport;branch=z9hG4bK{1:016x}\r\n"
      "Max-Forwards: 70\r\nFrom: \"Alice\" <sip:100@pbx.example.com>;tag={1:08x}\r\n"
      "To: <sip:200@pbx.example.com>\r\nCall-ID: {1:016x}@192.0.2.9\r\nCSeq: 1 {0}\r\n"
      "Contact: <sip:100@192.0.2.9:5060>\r\nUser-Agent: Desk Phone 1.2.3\r\nAllow: INVITE, ACK, BYE, "
      "CANCEL\r\n"
      "Content-Length: 0\r\n\r\n",
      method, n);
}

Message request(std::string_view method, std::uint64_t n) {
  return *parse(request_text(method, n));
}

struct Busy {
  SeededRng rng{1};
  TransactionLayer layer{rng};
  Instant now{1000s};
  std::uint64_t n = 0;

  void next() {
    ++n;
    now = now + 1ms;
  }
  std::size_t drain() {
    std::size_t outputs = 0;
    while (auto out = layer.poll()) {
      benchmark::DoNotOptimize(out);
      ++outputs;
    }
    return outputs;
  }
  void serve_options() {
    next();
    layer.handle(MessageArrived{kFlow, request("OPTIONS", n)}, now);
    auto out = layer.poll();
    auto& received = std::get<RequestReceived>(*out);
    layer.handle(SendResponse{received.id, make_response(received.request, 200, "abcdefgh")}, now);
    drain();
  }
};

void Baseline_ServeOptions(benchmark::State& state) {
  std::uint64_t n = 0;
  std::string out;
  for (auto _ : state) {
    const Message m = request("OPTIONS", ++n);
    out.clear();
    write(make_response(m, 200, "abcdefgh"), out);
    benchmark::DoNotOptimize(out);
  }
}
BENCHMARK(Baseline_ServeOptions);

// Two events, and the expiry of an older transaction.
void ServeOptions(benchmark::State& state) {
  Busy busy;
  for (int i = 0; i < 33'000; ++i) busy.serve_options();
  for (auto _ : state) busy.serve_options();
  state.counters["lingering"] = static_cast<double>(busy.layer.server_count());
}
BENCHMARK(ServeOptions);

void Baseline_ServeCall(benchmark::State& state) {
  std::uint64_t n = 0;
  std::string out;
  for (auto _ : state) {
    const Message m = request("INVITE", ++n);
    for (const int status : {180, 200}) {
      out.clear();
      write(make_response(m, status, "abcdefgh"), out);
      benchmark::DoNotOptimize(out);
    }
    const Message ack = request("ACK", n + (std::uint64_t{1} << 40U));
    benchmark::DoNotOptimize(ack);
  }
}
BENCHMARK(Baseline_ServeCall);

// Five events: INVITE, 180, 200, ACK, its report; and the expiry of an older call.
void ServeCall(benchmark::State& state) {
  Busy busy;
  const auto call = [&] {
    busy.next();
    busy.layer.handle(MessageArrived{kFlow, request("INVITE", busy.n)}, busy.now);
    auto out = busy.layer.poll();
    auto& received = std::get<RequestReceived>(*out);
    for (const int status : {180, 200}) {
      busy.layer.handle(SendResponse{received.id, make_response(received.request, status, "abcdefgh")},
                        busy.now);
    }
    busy.layer.handle(MessageArrived{kFlow, request("ACK", busy.n + (std::uint64_t{1} << 40U))}, busy.now);
    busy.layer.ack_received(received.id);
    busy.drain();
  };
  for (int i = 0; i < 33'000; ++i) call();
  for (auto _ : state) call();
  state.counters["lingering"] = static_cast<double>(busy.layer.server_count());
}
BENCHMARK(ServeCall);

Message own_request(std::uint64_t n) {
  Message m = Message::request(Method::kOptions, "sip:100@192.0.2.9:5060");
  m.add(HeaderName::kMaxForwards, "70");
  m.add(HeaderName::kFrom, "<sip:200@pbx.example.com>;tag=abcdefgh");
  m.add(HeaderName::kTo, "<sip:100@pbx.example.com>");
  m.add(HeaderName::kCallId, fmt::format("{:016x}", n));
  m.add(HeaderName::kCSeq, "1 OPTIONS");
  return m;
}

void Baseline_Ask(benchmark::State& state) {
  std::uint64_t n = 0;
  std::string out;
  for (auto _ : state) {
    Message m = own_request(++n);
    m.prepend(HeaderName::kVia, "SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bKabcdefghabcdefgh;rport");
    out.clear();
    write(m, out);
    const Message sent = *parse(out);
    out.clear();
    write(make_response(sent, 200, "abcdefgh"), out);
    benchmark::DoNotOptimize(*parse(out));
  }
}
BENCHMARK(Baseline_Ask);

// Two events: our request, its answer; and the expiry of an older transaction (after 5 s).
void Ask(benchmark::State& state) {
  Busy busy;
  std::string out;
  const auto ask = [&] {
    busy.next();
    busy.layer.handle(SendRequest{ClientTransactionId{busy.n}, kFlow, own_request(busy.n), {}}, busy.now);
    auto transmit = busy.layer.poll();
    const Message sent = *parse(*std::get<Transmit>(*transmit).bytes);
    out.clear();
    write(make_response(sent, 200, "abcdefgh"), out);
    busy.layer.handle(MessageArrived{kFlow, *parse(out)}, busy.now);
    busy.drain();
  };
  for (int i = 0; i < 6'000; ++i) ask();
  for (auto _ : state) ask();
  state.counters["lingering"] = static_cast<double>(busy.layer.client_count());
}
BENCHMARK(Ask);

// A retransmission costs a look-up and a shared pointer.
void AbsorbRetransmission(benchmark::State& state) {
  Busy busy;
  busy.serve_options();
  const Message again = request("OPTIONS", busy.n);
  for (auto _ : state) {
    busy.layer.handle(MessageArrived{kFlow, again}, busy.now);
    busy.drain();
  }
}
BENCHMARK(AbsorbRetransmission);

// The heap of one finished transaction that lingers for 32 s.
void MemoryOfLingering(benchmark::State& state) {
  constexpr std::size_t kMany = 50'000;
  for (auto _ : state) {
    Busy busy;
    const std::size_t before = mallinfo2().uordblks;
    for (std::size_t i = 0; i < kMany; ++i) {
      busy.serve_options();
      busy.now = busy.now - 1ms;
    }
    state.counters["bytes_each"] = static_cast<double>(mallinfo2().uordblks - before) / kMany;
  }
}
BENCHMARK(MemoryOfLingering)->Iterations(1);

}  // namespace
