#include "access/repeats.h"

namespace bw::access {

void Repeats::forget(Order::iterator entry) {
  entries_.erase(entry->key);
  order_.erase(entry);
}

Repeats::Verdict Repeats::begin(const std::string& key, const std::string& request, Instant now) {
  while (!order_.empty() && order_.front().at + limits_.kept <= now) forget(order_.begin());
  if (const auto it = entries_.find(key); it != entries_.end()) {
    const Entry& known = *it->second;
    if (known.request != request) return Different{};
    if (!known.answer) return Pending{};
    return *known.answer;
  }
  if (order_.size() >= limits_.entries) forget(order_.begin());
  order_.push_back({key, request, now, std::nullopt});
  entries_.emplace(key, std::prev(order_.end()));
  return Fresh{};
}

void Repeats::ended(const std::string& key, int status, const std::string& body) {
  const auto it = entries_.find(key);
  if (it == entries_.end()) return;
  if (status == 429 || status >= 500 || body.size() > limits_.answer_bytes) return forget(it->second);
  it->second->answer = Answered{status, Secret{body}};
}

}  // namespace bw::access
