#include "exchange/exchange.h"

#include <utility>

#include "exchange/detail/system.h"

namespace bw::exchange {

Exchange::Exchange(Rng& rng, model::SettingsSnapshot settings, model::DirectorySnapshot directory,
                   Instant now, media::LoopIndex media_loops)
    : impl_(std::make_unique<Impl>(rng, std::move(settings), std::move(directory), now, media_loops)) {}
Exchange::~Exchange() = default;

void Exchange::handle(const Input& input, Instant now) {
  handle(Input{input}, now);
}

void Exchange::handle(Input&& input, Instant now) {
  std::visit([&]<typename T>(T&& in) { impl_->on(std::forward<T>(in), now); }, std::move(input));
  impl_->settle(now);
}

std::optional<Exchange::Output> Exchange::poll() {
  if (impl_->out.empty()) return std::nullopt;
  Output next = std::move(impl_->out.front());
  impl_->out.pop_front();
  return next;
}

Deadline Exchange::deadline() const {
  return impl_->deadline();
}

}  // namespace bw::exchange
