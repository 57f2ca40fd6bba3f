#include "exchange/detail/locator.h"

#include <utility>

namespace bw::exchange {

Locator::Step Locator::start(sip::SendRequest wish) {
  const sip::ClientTransactionId id = wish.id;
  if (requests_.size() >= limits_.requests) {
    return {.failed = sip::RequestFailed{id, sip::ClientFailure::kTransport}};
  }
  sip::Resolution resolution{wish.request.request_uri(), {}, rng_};
  requests_.insert_or_assign(id, Request{std::move(wish), std::move(resolution)});
  return proceed(id);
}

Locator::Step Locator::answered(dns::QueryId id, const dns::Answer& answer) {
  const auto question = questions_.find(id);
  if (question == questions_.end()) return {};
  const Question asked = std::move(question->second);
  questions_.erase(question);
  const auto request = requests_.find(asked.request);
  if (request == requests_.end() || request->second.sent) return {};
  request->second.resolution.answer(asked.question, answer);
  return proceed(asked.request);
}

Locator::Step Locator::proceed(sip::ClientTransactionId id) {
  Request& request = requests_.find(id)->second;
  Step step;
  while (auto question = request.resolution.poll()) {
    const dns::QueryId query{++last_query_};
    step.questions.push_back({query, *question});
    questions_.emplace(query, Question{id, std::move(*question)});
  }
  if (!request.resolution.complete()) return step;
  step.send = towards_next(request);
  if (!step.send) {
    step.failed = sip::RequestFailed{id, sip::ClientFailure::kTransport};
    requests_.erase(id);
  }
  return step;
}

std::optional<sip::SendRequest> Locator::towards_next(Request& request) {
  auto target = request.resolution.next();
  const IpAddress only = request.wish.to.remote.ip;
  while (target && !only.is_unspecified() && target->endpoint.ip != only) target = request.resolution.next();
  if (!target) return std::nullopt;
  request.sent = true;
  sip::SendRequest wish = request.wish;
  wish.to.transport = target->transport;
  wish.to.remote = target->endpoint;
  return wish;
}

std::optional<sip::SendRequest> Locator::next_target(sip::ClientTransactionId id) {
  const auto request = requests_.find(id);
  if (request == requests_.end()) return std::nullopt;
  auto wish = towards_next(request->second);
  if (!wish) requests_.erase(request);
  return wish;
}

bool Locator::forget(sip::ClientTransactionId id) {
  const auto request = requests_.find(id);
  if (request == requests_.end()) return false;
  const bool held = !request->second.sent;
  requests_.erase(request);
  return held;
}

}  // namespace bw::exchange
