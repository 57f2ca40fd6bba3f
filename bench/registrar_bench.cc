// What one registration costs, and what a scanner costs: everything between a parsed request and its written
// answer, among 10,000 phones that are registered.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <malloc.h>

#include <memory>
#include <string>
#include <vector>

#include "registrar/authenticator.h"
#include "registrar/registrar.h"
#include "sip/auth_header.h"
#include "sip/dialog.h"
#include "sip/digest.h"

namespace {

using namespace bw;  // NOLINT: a bench has no readers of its names
using registrar::Accepted;
using registrar::Challenge;

constexpr std::size_t kPhones = 10'000;
constexpr std::string_view kUri = "sip:bellwire.example";
const Instant kStart{1'700'000'000s};

std::string number_of(std::size_t phone) {
  return std::to_string(100'000 + phone);
}

sip::Flow flow_of(std::size_t phone) {
  const auto ip = IpAddress::v4(0x0A000000U + static_cast<std::uint32_t>(phone));
  return {.transport = sip::Transport::kUdp, .connection = {}, .local = {}, .remote = {ip, 5060}};
}

std::string register_text(std::size_t phone, std::uint32_t cseq, std::string_view authorization) {
  const std::string number = number_of(phone);
  const std::string host = flow_of(phone).remote.to_string();
  std::string text = fmt::format(
      "REGISTER {} SIP/2.0\r\nVia: SIP/2.0/UDP {};rport;branch=z9hG4bK{}{}\r\nMax-Forwards: 70\r\n"
      "From: \"Desk {}\" <sip:{}@bellwire.example>;tag=as58f4201b\r\nTo: <sip:{}@bellwire.example>\r\n"
      "Call-ID: 843817637684230{}@{}\r\nCSeq: {} REGISTER\r\n",
      kUri, host, phone, cseq, number, number, number, phone, host, cseq);
  text += fmt::format(
      "Contact: <sip:{}@{};transport=udp>;+sip.instance=\"<urn:uuid:f81d4fae-7dec-11d0-a765-{:012}>\"\r\n"
      "User-Agent: Deskphone T99 1.2.3\r\nAllow: INVITE, ACK, CANCEL, BYE, NOTIFY, REFER, OPTIONS\r\n"
      "Supported: path, gruu, outbound\r\nExpires: 3600\r\n",
      number, host, phone);
  if (!authorization.empty()) text += fmt::format("Authorization: {}\r\n", authorization);
  return text + "Content-Length: 0\r\n\r\n";
}

class Office {
 public:
  Office() {
    for (std::size_t i = 0; i < kPhones; ++i) {
      model::Extension extension;
      extension.number = model::ExtensionNumber{number_of(i)};
      extension.credentials.ha1_md5 = Secret{
          std::string{digest_.ha1(sip::DigestHash::kMd5, number_of(i), model::kRealm, "secret").view()}};
      directory_.extensions.emplace(number_of(i), std::move(extension));
    }
    for (std::size_t i = 0; i < kPhones; ++i) serve(i, signed_request(i, 1));
  }

  // The request with credentials as the phone sends it after a challenge.
  sip::Message signed_request(std::size_t phone, std::uint32_t cseq) {
    const auto verdict = auth_.verify(parsed(phone, cseq, ""), flow_of(phone), directory_, now_);
    const std::string value = std::get<Challenge>(verdict).www_authenticate.front();
    const std::string nonce{sip::Challenge::parse(value)->nonce};
    const auto response = digest_.response(
        sip::DigestHash::kMd5, directory_.find(number_of(phone))->credentials.ha1_md5.reveal(),
        {.method = "REGISTER", .uri = kUri, .nonce = nonce, .nc = "00000001", .cnonce = "0a4f113b"});
    const std::string number = number_of(phone);
    const sip::Credentials credentials{.username = number,
                                       .realm = model::kRealm,
                                       .nonce = nonce,
                                       .uri = kUri,
                                       .response = response.view(),
                                       .algorithm = "MD5",
                                       .cnonce = "0a4f113b",
                                       .opaque = {},
                                       .qop = "auth",
                                       .nc = "00000001"};
    return parsed(phone, cseq, credentials.to_string());
  }
  static sip::Message parsed(std::size_t phone, std::uint32_t cseq, std::string_view authorization) {
    return *sip::parse(register_text(phone, cseq, authorization));
  }

  // As the exchange does it: judge, answer, write.
  int serve(std::size_t phone, const sip::Message& request) {
    const auto verdict = auth_.verify(request, flow_of(phone), directory_, now_);
    wire_.clear();
    if (const auto* accepted = std::get_if<Accepted>(&verdict)) {
      const auto result = registrar_.process(request, flow_of(phone), accepted->extension, now_);
      sip::write(result.response, wire_);
      return result.response.status();
    }
    sip::Message response = sip::make_response(request, 401, "tag");
    for (const auto& value : std::get<Challenge>(verdict).www_authenticate) {
      response.add(sip::HeaderName::kWwwAuthenticate, value);
    }
    sip::write(response, wire_);
    return 401;
  }
  void passes(Duration time) {
    now_ = now_ + time;
    auth_.expire(now_);
  }

 private:
  SeededRng rng_{1};
  sip::DigestComputer digest_;
  model::Directory directory_;
  model::SettingsSnapshot settings_ = std::make_shared<const model::Settings>();
  registrar::Authenticator auth_{rng_, settings_};
  registrar::Registrar registrar_{rng_, settings_};
  std::string wire_;
  Instant now_ = kStart;
};

void served_expecting(benchmark::State& state, int status, bool authorized) {
  Office office;
  // Few at a time, so that requests are as warm in the cache as one that was just read.
  constexpr std::size_t kBatch = 64;
  std::vector<sip::Message> batch;
  std::size_t phone = 0;
  std::uint32_t cseq = 2;
  std::size_t next = 0;
  for (auto _ : state) {
    if (next == batch.size()) {
      state.PauseTiming();
      phone = (phone + batch.size()) % kPhones;
      if (phone + kBatch > kPhones) {
        phone = 0;
        ++cseq;
        office.passes(100s);
      }
      batch.clear();
      for (std::size_t i = phone; i < phone + kBatch; ++i) {
        batch.push_back(authorized ? office.signed_request(i, cseq) : Office::parsed(i, cseq, ""));
      }
      next = 0;
      state.ResumeTiming();
    }
    if (office.serve(phone + next, batch[next]) != status) state.SkipWithError("answered otherwise");
    ++next;
  }
}

// Verify, process, build and write of the authorized request: the half of a registration that does the work.
void registration(benchmark::State& state) {
  served_expecting(state, 200, true);
}
BENCHMARK(registration);

// The request without credentials: the other half, and what a scanner costs.
void challenge(benchmark::State& state) {
  served_expecting(state, 401, false);
}
BENCHMARK(challenge);

// Heap of the process per registered phone: bindings, indexes, timers and what the authenticator remembers.
void memory(benchmark::State& state) {
  const auto heap = [] {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
  };
  for (auto _ : state) {
    SeededRng rng{1};
    registrar::Registrar phones{rng, std::make_shared<const model::Settings>()};
    const std::size_t before = heap();
    constexpr std::size_t kMany = 100'000;
    for (std::size_t i = 0; i < kMany; ++i) {
      const auto result =
          phones.process(Office::parsed(i, 1, ""), flow_of(i), model::ExtensionNumber{number_of(i)}, kStart);
      if (result.response.status() != 200) state.SkipWithError("not registered");
    }
    state.counters["bytes_each"] = static_cast<double>(heap() - before) / kMany;
  }
}
BENCHMARK(memory)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
