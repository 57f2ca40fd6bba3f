#include "sip/transaction.h"

#include <utility>

#include "sip/detail/client_side.h"
#include "sip/detail/server_side.h"
#include "sip/detail/turn.h"

namespace bw::sip {

struct TransactionLayer::Impl {
  detail::Turn turn;
  detail::ClientSide client{turn};
  detail::ServerSide server{turn};

  Impl(Rng& rng, TransactionTimers timers, TransactionLimits limits) : turn(rng, timers, limits) {}

  void tick(Instant now) {
    while (const auto key = turn.due.pop_due(now)) {
      if (key->server) {
        server.timer(*key, now);
      } else {
        client.timer(*key, now);
      }
    }
  }
};

TransactionLayer::TransactionLayer(Rng& rng, TransactionTimers timers, TransactionLimits limits)
    : impl_(std::make_unique<Impl>(rng, timers, limits)) {}
TransactionLayer::~TransactionLayer() = default;

void TransactionLayer::handle(const Input& input, Instant now) {
  handle(Input{input}, now);
}

void TransactionLayer::handle(Input&& input, Instant now) {
  Impl& impl = *impl_;
  impl.tick(now);  // what was due comes before what happened now
  std::visit(Overloaded{
                 [](Tick) {},
                 [&](MessageArrived&& in) {
                   if (in.message.is_request()) {
                     impl.server.request(std::move(in), now);
                   } else {
                     impl.client.response(std::move(in), now);
                   }
                 },
                 [&](SendRequest&& in) { impl.client.send(std::move(in), now); },
                 [&](SendResponse&& in) { impl.server.send(std::move(in), now); },
                 [&](SendStateless&& in) { impl.client.send_stateless(std::move(in)); },
                 [&](TransportFailed&& in) { impl.client.transport_failed(in.flow, now); },
                 [&](AbandonClient&& in) { impl.client.abandon(in.id, now); },
                 [&](AbandonServer&& in) { impl.server.abandon(in.id); },
                 [&](CancelRequest&& in) { impl.client.cancel(std::move(in), now); },
             },
             std::move(input));
}

std::optional<TransactionLayer::Output> TransactionLayer::poll() {
  return impl_->turn.out.take();
}

Deadline TransactionLayer::deadline() const {
  const auto next = impl_->turn.due.next();
  return next ? Deadline{*next, "a transaction timer (RFC 3261 table 4)"} : Deadline::never();
}

void TransactionLayer::ack_received(ServerTransactionId invite) {
  impl_->server.ack_received(invite);
}

std::size_t TransactionLayer::server_count() const {
  return impl_->server.count();
}
std::size_t TransactionLayer::client_count() const {
  return impl_->client.count();
}
std::size_t TransactionLayer::memory_bytes() const {
  return impl_->server.memory_bytes() + impl_->client.memory_bytes();
}

}  // namespace bw::sip
