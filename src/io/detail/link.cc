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

// RFC 3261 §10.3: a 2xx to a REGISTER. Ours are written with long header names.
void Link::look_for_registration(std::string_view message) {
  if (!is_stranger() || !message.starts_with("SIP/2.0 2")) return;
  const std::string_view head = message.substr(0, message.find("\r\n\r\n"));
  const std::size_t cseq = head.find("\r\nCSeq: ");
  if (cseq == std::string_view::npos) return;
  const std::string_view line = head.substr(cseq + 2, head.find("\r\n", cseq + 2) - cseq - 2);
  if (!line.ends_with(" REGISTER")) return;
  kind_ = Kind::kTrusted;
  links_.trusted(flow_);
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
  if (link->is_stranger()) {
    ++strangers_;
    ++strangers_per_address_[flow.remote.ip];
  }
  if (link->carries_sip()) by_target_[{flow.transport, flow.remote}] = flow.connection;
  links_.emplace(flow.connection, std::move(link));
}

bool Links::has_room_for_stranger(const IpAddress& from) {
  const auto it = strangers_per_address_.find(from);
  const std::size_t of_address = it == strangers_per_address_.end() ? 0 : it->second;
  if (strangers_ < limits_.strangers && of_address < limits_.strangers_per_address) return true;
  ++refused_;
  return false;
}

void Links::trusted(const sip::Flow& flow) {
  --strangers_;
  const auto it = strangers_per_address_.find(flow.remote.ip);
  if (it != strangers_per_address_.end() && --it->second == 0) strangers_per_address_.erase(it);
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
  strangers_per_address_.clear();
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
  if (it->second->is_stranger()) trusted(it->second->flow());
  links_.erase(it);
}

}  // namespace bw::io::detail
