// From a URI to the addresses to try, in order (RFC 3263, with the weights of RFC 2782). Asks its questions
// as values and is told the answers; the caller owns time and the name service.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/rng.h"
#include "sip/dns.h"
#include "sip/flow.h"

namespace bw::sip {

struct Target {
  Transport transport = Transport::kUdp;
  Endpoint endpoint;
  friend bool operator==(const Target&, const Target&) = default;
};

struct ResolverLimits {
  std::size_t services = 8;   // NAPTR records followed
  std::size_t servers = 16;   // SRV records of all services together
  std::size_t addresses = 8;  // of one name
  std::size_t targets = 32;
};

struct ResolverOptions {
  // What this system can send with, the dearest first; never empty.
  std::vector<Transport> transports = {Transport::kUdp, Transport::kTcp, Transport::kTls};
  bool ipv4 = true;
  bool ipv6 = true;
  bool naptr = true;  // off: straight to SRV, for networks whose name service is slow to deny
  ResolverLimits limits = {};
};

enum class ResolveError : std::uint8_t {
  kNotSip,                 // tel: and the like: somebody must choose a gateway first
  kTransportNotSupported,  // the URI demands a transport that is not among ours
  kNothingFound,           // no name, no address
};
std::string_view to_sentence(ResolveError error);

// One look-up, from start to its list of targets. Owned by whoever sends the request, for as long as it may
// have to try again: RFC 3263 §4.3 lets a request go to the next target after a 503, a timeout or a transport
// error.
class Resolution {
 public:
  Resolution(std::string_view uri, ResolverOptions options, Rng& rng);

  // Questions to put to the name service, each once. Answers may bring more.
  std::optional<dns::Question> poll();
  // An empty answer also means failure. Answers to what was not asked are ignored.
  void answer(const dns::Question& question, const dns::Answer& answer);

  bool complete() const { return step_ == Step::kDone; }
  // Set once complete, if there are no targets.
  std::optional<ResolveError> error() const { return error_; }
  const std::vector<Target>& targets() const { return targets_; }
  // The name certificates must show: that of the URI, whatever NAPTR and SRV led to (RFC 5922 §4).
  const std::string& domain() const { return host_; }

  // The next target to try; nullopt when all were tried. Call first when complete.
  std::optional<Target> next();

 private:
  enum class Step : std::uint8_t { kNaptr, kSrv, kAddresses, kDone };
  struct Asked {
    dns::Question question;
    bool polled = false;
    bool answered = false;
    dns::Answer answer;
  };
  struct Service {  // a name for SRV, or with `direct` a host of its own
    Transport transport = Transport::kUdp;
    std::string name;
    bool direct = false;
  };
  struct Server {  // a host whose addresses are wanted
    Transport transport = Transport::kUdp;
    std::string host;
    std::uint16_t port = 0;
  };

  void start(std::string_view uri);
  bool supports(Transport transport) const;
  void fail(ResolveError error);
  void ask(std::string name, dns::RecordType type);
  const dns::Answer* answer_to(std::string_view name, dns::RecordType type) const;
  bool all_answered() const;
  void proceed();
  void use_naptr();
  void ask_srv(std::vector<Service> services);
  void use_srv();
  void ask_addresses(std::vector<Server> servers);
  void use_addresses();
  void order(std::vector<dns::Srv>& records);
  Transport usual_transport() const;

  ResolverOptions options_;
  Rng* rng_;
  std::string host_;
  std::optional<std::uint16_t> port_;
  bool secure_ = false;  // sips
  std::optional<Transport> demanded_;
  Step step_ = Step::kDone;
  std::vector<Asked> asked_;
  std::vector<Service> services_;
  std::vector<Server> servers_;
  std::vector<Target> targets_;
  std::size_t tried_ = 0;
  std::optional<ResolveError> error_;
};

// RFC 3263 §4.3: of all responses only 503 says that another server of the same name may do better.
constexpr bool calls_for_next_target(int status) {
  return status == 503;
}

}  // namespace bw::sip
