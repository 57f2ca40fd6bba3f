#include "calls/calls.h"

#include <utility>

#include "calls/detail/engine.h"

namespace bw::calls {

Calls::Calls(Rng& rng, model::SettingsSnapshot settings, model::DirectorySnapshot directory,
             const ports::Contacts& contacts, media::LoopIndex loops, CallLimits limits)
    : impl_(std::make_unique<Impl>(rng, std::move(settings), std::move(directory), contacts, loops, limits)) {
}
Calls::~Calls() = default;

void Calls::handle(const Input& input, Instant now) {
  handle(Input{input}, now);
}

void Calls::handle(Input&& input, Instant now) {
  std::visit([&]<typename T>(T&& in) { impl_->on(std::forward<T>(in), now); }, std::move(input));
  impl_->settle(now);
}

std::optional<Calls::Output> Calls::poll() {
  if (impl_->out.empty()) return std::nullopt;
  Output next = std::move(impl_->out.front());
  impl_->out.pop_front();
  return next;
}

Deadline Calls::deadline() const {
  return impl_->deadline();
}
std::size_t Calls::active() const {
  return impl_->active();
}
std::uint64_t Calls::total() const {
  return impl_->total();
}
bool Calls::has_dialog(const sip::Message& request) const {
  return impl_->addressee(request) != nullptr;
}

std::size_t Calls::leg_count() const {
  return impl_->leg_count();
}

}  // namespace bw::calls
