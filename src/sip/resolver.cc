#include "sip/resolver.h"

#include <algorithm>
#include <utility>

#include "sip/grammar.h"
#include "sip/uri.h"

namespace bw::sip {
namespace {

using dns::RecordType;

constexpr std::uint16_t usual_port(Transport transport) {
  return is_secure(transport) ? 5061 : 5060;
}

std::optional<Transport> transport_from(std::string_view token) {
  for (const auto t : {Transport::kUdp, Transport::kTcp, Transport::kTls, Transport::kWs, Transport::kWss}) {
    if (iequals(token, uri_token(t))) return t;
  }
  return std::nullopt;
}

// RFC 3263 §4.1 and RFC 7118 §10: NAPTR service fields.
std::optional<Transport> transport_of_service(std::string_view service) {
  if (iequals(service, "SIP+D2U")) return Transport::kUdp;
  if (iequals(service, "SIP+D2T")) return Transport::kTcp;
  if (iequals(service, "SIPS+D2T")) return Transport::kTls;
  if (iequals(service, "SIP+D2W")) return Transport::kWs;
  if (iequals(service, "SIPS+D2W")) return Transport::kWss;
  return std::nullopt;
}

std::string_view srv_prefix(Transport transport) {
  switch (transport) {
    case Transport::kUdp:
      return "_sip._udp.";
    case Transport::kTcp:
      return "_sip._tcp.";
    case Transport::kTls:
      return "_sips._tcp.";
    case Transport::kWs:
      return "_sip._ws.";
    case Transport::kWss:
      return "_sips._ws.";
    case Transport::kBrowser:  // never looked up
      break;
  }
  return {};
}

Transport secured(Transport transport) {
  return is_web_socket(transport) ? Transport::kWss : Transport::kTls;
}

std::string without_final_dot(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return std::string{name};
}

}  // namespace

std::string_view to_sentence(ResolveError error) {
  switch (error) {
    case ResolveError::kNotSip:
      return "The address is not a SIP address";
    case ResolveError::kTransportNotSupported:
      return "The address demands a transport that this system does not send with";
    case ResolveError::kNothingFound:
      return "The name service knows no server for the address";
  }
  return {};
}

Resolution::Resolution(std::string_view text, ResolverOptions options, Rng& rng)
    : options_(std::move(options)), rng_(&rng) {
  start(text);
}

void Resolution::start(std::string_view text) {
  const auto uri = Uri::parse(text);
  if (!uri || !uri->is_sip()) return fail(ResolveError::kNotSip);
  // §4: TARGET is maddr if there is one, else the host.
  host_ = without_final_dot(uri->params.get("maddr").value_or(uri->host));
  port_ = uri->port;
  secure_ = uri->scheme == Scheme::kSips;
  if (const auto token = uri->params.get("transport")) {
    demanded_ = transport_from(*token);
    if (demanded_ && secure_) demanded_ = secured(*demanded_);
    if (!demanded_ || !supports(*demanded_)) return fail(ResolveError::kTransportNotSupported);
  }
  if (!supports(usual_transport())) return fail(ResolveError::kTransportNotSupported);
  const bool numeric = IpAddress::parse(host_).has_value();
  if (numeric || port_) {  // §4.2: neither NAPTR nor SRV
    const Transport transport = usual_transport();
    ask_addresses({{transport, host_, port_.value_or(usual_port(transport))}});
  } else if (demanded_) {
    ask_srv({{*demanded_, std::string{srv_prefix(*demanded_)} + host_}});
  } else if (options_.naptr) {
    step_ = Step::kNaptr;
    ask(host_, RecordType::kNaptr);
  } else {
    use_naptr();
  }
}

bool Resolution::supports(Transport transport) const {
  return std::ranges::find(options_.transports, transport) != options_.transports.end();
}

// §4.1: without any other sign UDP for sip and TLS for sips.
Transport Resolution::usual_transport() const {
  if (demanded_) return *demanded_;
  if (secure_) return Transport::kTls;
  return supports(Transport::kUdp) || options_.transports.empty() ? Transport::kUdp
                                                                  : options_.transports.front();
}

void Resolution::fail(ResolveError error) {
  error_ = error;
  step_ = Step::kDone;
}

void Resolution::ask(std::string name, RecordType type) {
  dns::Question question{std::move(name), type};
  if (std::ranges::find(asked_, question, &Asked::question) != asked_.end()) return;
  asked_.push_back({std::move(question), false, false, {}});
}

std::optional<dns::Question> Resolution::poll() {
  for (Asked& asked : asked_) {
    if (std::exchange(asked.polled, true)) continue;
    return asked.question;
  }
  return std::nullopt;
}

void Resolution::answer(const dns::Question& question, const dns::Answer& answer) {
  const auto asked = std::ranges::find(asked_, question, &Asked::question);
  if (asked == asked_.end() || asked->answered) return;
  asked->answered = true;
  asked->answer = answer;
  if (step_ != Step::kDone && all_answered()) proceed();
}

const dns::Answer* Resolution::answer_to(std::string_view name, RecordType type) const {
  for (const Asked& asked : asked_) {
    if (asked.question.type == type && asked.question.name == name) return &asked.answer;
  }
  return nullptr;
}

bool Resolution::all_answered() const {
  return std::ranges::all_of(asked_, &Asked::answered);
}

void Resolution::proceed() {
  switch (step_) {
    case Step::kNaptr:
      return use_naptr();
    case Step::kSrv:
      return use_srv();
    case Step::kAddresses:
      return use_addresses();
    case Step::kDone:
      return;
  }
}

void Resolution::use_naptr() {
  std::vector<Service> services;
  if (const dns::Answer* answer = answer_to(host_, RecordType::kNaptr)) {
    std::vector<dns::Naptr> records = answer->naptr;
    std::ranges::sort(records, {}, [](const dns::Naptr& r) { return std::pair{r.order, r.preference}; });
    for (const dns::Naptr& record : records) {
      const auto transport = transport_of_service(record.service);
      const bool usable = transport && supports(*transport) && (!secure_ || is_secure(*transport));
      const bool known = iequals(record.flags, "s") || iequals(record.flags, "a");
      if (!usable || !known || services.size() == options_.limits.services) continue;
      services.push_back({*transport, without_final_dot(record.replacement), iequals(record.flags, "a")});
    }
  }
  if (services.empty()) {  // §4.1: no NAPTR: an SRV question for each transport of ours
    for (const Transport transport : options_.transports) {
      if (secure_ && !is_secure(transport)) continue;
      services.push_back({transport, std::string{srv_prefix(transport)} + host_});
    }
  }
  ask_srv(std::move(services));
}

void Resolution::ask_srv(std::vector<Service> services) {
  step_ = Step::kSrv;
  services_ = std::move(services);
  for (const Service& service : services_) {
    if (!service.direct) ask(service.name, RecordType::kSrv);
  }
  if (all_answered()) proceed();
}

void Resolution::use_srv() {
  std::vector<Server> servers;
  bool denied = false;  // RFC 2782: a target of "." says that the service is decidedly not here
  for (const Service& service : services_) {
    if (service.direct) {
      servers.push_back({service.transport, service.name, usual_port(service.transport)});
      continue;
    }
    std::vector<dns::Srv> records = answer_to(service.name, RecordType::kSrv)->srv;
    order(records);
    for (const dns::Srv& record : records) {
      const std::string host = without_final_dot(record.target);
      if (host.empty() || record.port == 0) {
        denied = true;
      } else if (servers.size() < options_.limits.servers) {
        servers.push_back({service.transport, host, record.port});
      }
    }
  }
  if (servers.empty() && denied) return fail(ResolveError::kNothingFound);
  if (servers.empty()) {  // §4.2: the host itself, at the usual port
    const Transport transport = usual_transport();
    servers.push_back({transport, host_, usual_port(transport)});
  }
  ask_addresses(std::move(servers));
}

void Resolution::ask_addresses(std::vector<Server> servers) {
  step_ = Step::kAddresses;
  servers_ = std::move(servers);
  for (const Server& server : servers_) {
    if (IpAddress::parse(server.host)) continue;
    if (options_.ipv4) ask(server.host, RecordType::kA);
    if (options_.ipv6) ask(server.host, RecordType::kAaaa);
  }
  if (all_answered()) proceed();
}

void Resolution::use_addresses() {
  const auto add = [&](const Server& server, const IpAddress& ip) {
    const Target target{server.transport, {ip, server.port}};
    const bool wanted = ip.is_v4() ? options_.ipv4 : options_.ipv6;
    const bool room = targets_.size() < options_.limits.targets;
    if (wanted && room && std::ranges::find(targets_, target) == targets_.end()) targets_.push_back(target);
  };
  for (const Server& server : servers_) {
    if (const auto ip = IpAddress::parse(server.host)) {
      add(server, *ip);
      continue;
    }
    for (const RecordType type : {RecordType::kA, RecordType::kAaaa}) {
      const dns::Answer* answer = answer_to(server.host, type);
      if (answer == nullptr) continue;
      const std::size_t most = std::min(answer->addresses.size(), options_.limits.addresses);
      for (std::size_t i = 0; i < most; ++i) add(server, answer->addresses[i]);
    }
  }
  step_ = Step::kDone;
  if (targets_.empty()) fail(ResolveError::kNothingFound);
}

// RFC 2782 "Weight": among those of one priority, the running sum first to reach a random number wins;
// records of weight 0 stand in front, so that they have a small chance as well.
void Resolution::order(std::vector<dns::Srv>& records) {
  std::ranges::sort(records, {}, [](const dns::Srv& r) { return std::pair{r.priority, r.weight != 0}; });
  // More than that many never come into the list; a zone of thousands must not cost a squared time.
  if (records.size() > 4 * options_.limits.servers)
    records.erase(records.begin() + static_cast<std::ptrdiff_t>(4 * options_.limits.servers), records.end());
  for (auto first = records.begin(); first != records.end(); ++first) {
    const auto end =
        std::find_if(first, records.end(), [&](const dns::Srv& r) { return r.priority != first->priority; });
    std::uint64_t sum = 0;
    for (auto it = first; it != end; ++it) sum += it->weight;
    const std::uint64_t chosen = rng_->below(sum + 1);
    std::uint64_t running = 0;
    auto winner = first;
    for (; winner != end; ++winner) {
      running += winner->weight;
      if (running >= chosen) break;
    }
    std::rotate(first, winner, std::next(winner));
  }
}

std::optional<Target> Resolution::next() {
  if (tried_ >= targets_.size()) return std::nullopt;
  return targets_[tried_++];
}

}  // namespace bw::sip
