#include "testkit/stage.h"

#include <fmt/format.h>

namespace bw::testkit {
namespace {

constexpr Instant kMorning{std::chrono::seconds{1'700'000'000}};
constexpr std::uint32_t kOfficeNetwork = 0x0a000000;  // 10.0.0.0

}  // namespace

Stage::Stage(Seed seed)
    : seed_(seed), rng_(seed.value), time_(kMorning), tape_(kMorning), network_(time_, rng_, tape_) {}

Stage::~Stage() = default;

void Stage::run_for(Duration d) {
  const Instant end = now() + d;
  while (time_.step(end)) {
  }
}

bool Stage::until(const std::function<bool()>& holds, Duration limit) {
  const Instant end = now() + limit;
  while (!holds()) {
    if (!time_.step(end)) return holds();
  }
  return true;
}

IpAddress Stage::next_address() {
  return IpAddress::v4(kOfficeNetwork + ++addresses_);
}

Phone& Stage::bare_phone(std::string_view name, std::string_view number, Habits habits) {
  phones_.push_back(std::make_unique<Phone>(*this, std::string{name}, std::string{number}, next_address(),
                                            std::move(habits)));
  return *phones_.back();
}

Phone* Stage::phone_at(IpAddress ip) const {
  for (const auto& phone : phones_) {
    if (phone->ip() == ip) return phone.get();
  }
  return nullptr;
}

std::string Stage::ladder(std::size_t lines) const {
  std::string out = fmt::format("\nseed {}{}", seed_.value, tape_.print(lines));
  if (!time_.stuck().empty()) out += "STUCK: " + time_.stuck() + '\n';
  return out;
}

}  // namespace bw::testkit
