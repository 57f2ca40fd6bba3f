#include "io/detail/link.h"

#include <vector>

namespace bw::io::detail {

void Link::end() {
  if (ended_) return;
  ended_ = true;
  shut();
  links_.ended(flow_);
  if (used_) links_.sink().lost(flow_);
  if (dialled_) links_.sink().lost({flow_.transport, {}, {}, flow_.remote});
  // Perhaps nothing is pending; then no completion would bury it.
  ++pending_;
  links_.post([this] {
    if (--pending_ == 0) bury();
  });
}

void Link::bury() {
  links_.bury(flow_.connection);
}

void Link::give_time(std::chrono::milliseconds to_read) {
  read_by_ = std::chrono::steady_clock::now() + to_read;
}

void Link::limit_write(std::chrono::milliseconds to_write) {
  write_by_ = std::chrono::steady_clock::now() + to_write;
}

Links::Links(const StreamLimits& limits, FrontSink& sink, Post post)
    : limits_(limits), sink_(sink), post_(std::move(post)) {}

bool Links::has_room(const IpAddress& from) {
  const auto it = per_address_.find(from);
  const std::size_t of_address = it == per_address_.end() ? 0 : it->second;
  if (links_.size() < limits_.connections && of_address < limits_.connections_per_address) return true;
  ++refused_;
  return false;
}

void Links::adopt(std::unique_ptr<Link> link) {
  ++accepted_;
  const sip::Flow& flow = link->flow();
  ++per_address_[flow.remote.ip];
  if (link->carries_sip()) by_target_[{flow.transport, flow.remote}] = flow.connection;
  links_.emplace(flow.connection, std::move(link));
}

Link* Links::find(sip::ConnectionId id) {
  const auto it = links_.find(id);
  return it == links_.end() || it->second->ended() ? nullptr : it->second.get();
}

Link* Links::find_sip(sip::Transport transport, const Endpoint& remote) {
  const auto it = by_target_.find({transport, remote});
  return it == by_target_.end() ? nullptr : find(it->second);
}

void Links::sweep(SteadyTime now) {
  std::vector<Link*> overdue;
  for (const auto& [id, link] : links_) {
    if (link->ended()) continue;
    if (link->overdue(now)) {
      overdue.push_back(link.get());
    } else {
      link->look_after(now);
    }
  }
  timed_out_ += overdue.size();
  for (Link* link : overdue) link->end();
}

void Links::clear() {
  links_.clear();
  per_address_.clear();
  by_target_.clear();
}

void Links::ended(const sip::Flow& flow) {
  const auto it = by_target_.find({flow.transport, flow.remote});
  if (it != by_target_.end() && it->second == flow.connection) by_target_.erase(it);
}

void Links::bury(sip::ConnectionId id) {
  const auto it = links_.find(id);
  if (it == links_.end()) return;
  const auto address = per_address_.find(it->second->flow().remote.ip);
  if (address != per_address_.end() && --address->second == 0) per_address_.erase(address);
  links_.erase(it);
}

}  // namespace bw::io::detail
