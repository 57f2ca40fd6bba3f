#include "browser/browsers.h"

#include <utility>

#include "browser/detail/switchboard.h"

namespace bw::browser {

Browsers::Browsers(Rng& rng, model::SettingsSnapshot settings, model::DirectorySnapshot directory,
                   Limits limits)
    : impl_(std::make_unique<Impl>(rng, std::move(settings), std::move(directory), limits)) {}
Browsers::~Browsers() = default;

void Browsers::handle(const Input& input, Instant now) {
  handle(Input{input}, now);
}

void Browsers::handle(Input&& input, Instant now) {
  std::visit([&]<typename T>(T&& in) { impl_->on(std::forward<T>(in), now); }, std::move(input));
  impl_->settle(now);
}

std::optional<Browsers::Output> Browsers::poll() {
  if (impl_->out.empty()) return std::nullopt;
  Output next = std::move(impl_->out.front());
  impl_->out.pop_front();
  return next;
}

Deadline Browsers::deadline() const {
  return impl_->deadline();
}

const model::ExtensionNumber* Browsers::extension_of(sip::ConnectionId session) const {
  return impl_->extension_of(session);
}

std::vector<const model::Binding*> Browsers::contacts(std::string_view extension) const {
  return impl_->contacts(extension, true);
}

std::vector<const model::Binding*> Browsers::bindings(std::string_view extension) const {
  return impl_->contacts(extension, false);
}

std::size_t Browsers::sessions() const {
  return impl_->sessions();
}

std::size_t Browsers::transactions() const {
  return impl_->transactions();
}

std::size_t Browsers::legs() const {
  return impl_->legs();
}

}  // namespace bw::browser
