// Name service: questions of the exchange, answered by c-ares on a thread of its own.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "sip/dns.h"

namespace bw::io {

struct NameServiceLimits {
  std::size_t questions = 1'000;             // at the same time; beyond: answered as if nothing was found
  std::chrono::milliseconds timeout{1'500};  // of one try with one server
  int tries = 2;
  std::size_t records = 32;  // of one answer
};

// Runs from construction to destruction. Addresses in /etc/hosts are found too. Every question is answered
// exactly once, unless the service is destroyed first.
class NameService {
 public:
  // Called on the thread of this service, or on the caller's of ask() when there are too many questions.
  using OnAnswer = std::function<void(dns::QueryId, dns::Answer&&)>;

  // `servers`: "127.0.0.1:5353"; empty: those of the system. Throws std::runtime_error at start-up only.
  explicit NameService(OnAnswer on_answer, const NameServiceLimits& limits = {},
                       const std::string& servers = {});
  ~NameService();
  NameService(const NameService&) = delete;
  NameService& operator=(const NameService&) = delete;

  void ask(dns::QueryId id, dns::Question&& question);  // any thread

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bw::io
