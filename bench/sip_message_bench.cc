// What one SIP message costs: reading, checking, changing and writing the INVITE of a desk phone.
#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>

#include "sip/auth_header.h"
#include "sip/framing.h"
#include "sip/name_addr.h"
#include "sip/uri.h"
#include "sip/validate.h"
#include "sip/via.h"

namespace {

std::atomic<std::size_t> allocations = 0;

}  // namespace

void* operator new(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* p = std::malloc(size)) return p;
  throw std::bad_alloc{};
}
void operator delete(void* p) noexcept {
  std::free(p);
}
void operator delete(void* p, std::size_t) noexcept {
  std::free(p);
}

namespace bw::sip {
namespace {

constexpr std::string_view kInvite =
    "INVITE sip:1002@pbx.example.com SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.0.2.7:5062;branch=z9hG4bK1d32hash4;rport\r\n"
    "Max-Forwards: 70\r\n"
    "From: \"Alice Example\" <sip:1001@pbx.example.com>;tag=88sja8x\r\n"
    "To: <sip:1002@pbx.example.com>\r\n"
    "Call-ID: 987asjd97y7atg@192.0.2.7\r\n"
    "CSeq: 2 INVITE\r\n"
    "Contact: <sip:1001@192.0.2.7:5062;transport=udp>\r\n"
    "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REFER\r\n"
    "Supported: replaces, timer, 100rel\r\n"
    "User-Agent: Example Phone 1.2.3\r\n"
    "Content-Type: application/sdp\r\n"
    "Content-Length: 129\r\n"
    "\r\n"
    "v=0\r\n"
    "o=- 1 1 IN IP4 192.0.2.7\r\n"
    "s=-\r\n"
    "c=IN IP4 192.0.2.7\r\n"
    "t=0 0\r\n"
    "m=audio 16384 RTP/AVP 8 0 101\r\n"
    "a=rtpmap:101 telephone-event/8000\r\n";

constexpr std::string_view kAuthorization =
    "Digest username=\"1001\", realm=\"pbx.example.com\", nonce=\"84a4cc6f3082121f32b42a2187831a9e\", "
    "uri=\"sip:1002@pbx.example.com\", response=\"7587245234b3434cc3412213e5f113a5\", algorithm=MD5, "
    "cnonce=\"0a4f113b\", qop=auth, nc=00000001";

// Adds how often the heap was asked per iteration.
class AllocationCount {
 public:
  explicit AllocationCount(benchmark::State& state) : state_(state), before_(allocations.load()) {}
  ~AllocationCount() {
    const auto made = static_cast<double>(allocations.load() - before_);
    state_.counters["allocations"] = made / static_cast<double>(state_.iterations());
  }

 private:
  benchmark::State& state_;
  std::size_t before_;
};

void parse_invite(benchmark::State& state) {
  const AllocationCount count{state};
  for (auto _ : state) {
    auto m = parse(kInvite);
    benchmark::DoNotOptimize(m);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) *
                          static_cast<std::int64_t>(kInvite.size()));
}
BENCHMARK(parse_invite);

void write_invite(benchmark::State& state) {
  const auto m = parse(kInvite);
  std::string out;
  out.reserve(2048);
  const AllocationCount count{state};
  for (auto _ : state) {
    out.clear();
    write(*m, out);
    benchmark::DoNotOptimize(out);
  }
}
BENCHMARK(write_invite);

void validate_invite(benchmark::State& state) {
  const auto m = parse(kInvite);
  const AllocationCount count{state};
  for (auto _ : state) {
    auto verdict = validate(*m);
    benchmark::DoNotOptimize(verdict);
  }
}
BENCHMARK(validate_invite);

void rewrite_top_via(benchmark::State& state) {
  const auto m = parse(kInvite);
  const Endpoint source = *Endpoint::parse("198.51.100.3:4321");
  for (auto _ : state) {
    Message copy = *m;
    copy.replace_first_element(HeaderName::kVia, Via::top(copy)->with_source(source));
    benchmark::DoNotOptimize(copy);
  }
}
BENCHMARK(rewrite_top_via);

void parse_uri(benchmark::State& state) {
  for (auto _ : state) {
    auto uri = Uri::parse("sip:1001@192.0.2.7:5062;transport=udp");
    benchmark::DoNotOptimize(uri);
  }
}
BENCHMARK(parse_uri);

void parse_via(benchmark::State& state) {
  for (auto _ : state) {
    auto via = Via::parse("SIP/2.0/UDP 192.0.2.7:5062;branch=z9hG4bK1d32hash4;rport");
    benchmark::DoNotOptimize(via);
  }
}
BENCHMARK(parse_via);

void parse_credentials(benchmark::State& state) {
  for (auto _ : state) {
    auto credentials = Credentials::parse(kAuthorization);
    benchmark::DoNotOptimize(credentials);
  }
}
BENCHMARK(parse_credentials);

void frame_invite(benchmark::State& state) {
  StreamFramer framer;
  for (auto _ : state) {
    framer.feed(kInvite);
    auto frame = framer.next();
    benchmark::DoNotOptimize(frame);
  }
}
BENCHMARK(frame_invite);

}  // namespace
}  // namespace bw::sip
