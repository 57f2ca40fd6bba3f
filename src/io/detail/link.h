// One stream connection, and all of them together. No Asio here.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "io/front.h"
#include "ports/http.h"

namespace bw::io::detail {

using SteadyTime = std::chrono::steady_clock::time_point;
using http::Bytes;

class Links;

// Lives in Links from admission until it ended and its last asynchronous operation has completed: an
// operation refers to the link and its buffers, so the link must outlive it.
class Link {
 public:
  enum class Kind : std::uint8_t {
    kHttp,
    kStranger,  // SIP from somebody who has yet to register over it
    kTrusted,   // SIP to somebody we called, or who has registered
  };
  Link(Links& links, const sip::Flow& flow, Kind kind) : links_(links), flow_(flow), kind_(kind) {}
  virtual ~Link() = default;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  const sip::Flow& flow() const { return flow_; }
  bool carries_sip() const { return kind_ != Kind::kHttp; }
  bool is_stranger() const { return kind_ == Kind::kStranger; }
  // What we send says that somebody has registered over this link: it is no stranger's any more.
  void look_for_registration(std::string_view message);
  bool ended() const { return ended_; }
  bool overdue(SteadyTime now) const { return now > read_by_ || now > write_by_; }

  virtual void send(const Bytes& bytes) = 0;  // of SIP
  virtual void look_after(SteadyTime) {}      // at every sweep
  // Safe anywhere; the link is destroyed later. Nothing of it runs any more.
  void end();

 protected:
  // The socket goes; pending operations complete with an error.
  virtual void shut() = 0;
  // Every completion handler goes through here: nothing runs on an ended link, and its last one buries it.
  template <typename F>
  auto tracked(F f) {
    ++pending_;
    return [this, g = std::move(f)]<typename... Args>(Args&&... args) mutable {
      --pending_;
      if (!ended_) g(std::forward<Args>(args)...);
      if (ended_ && pending_ == 0) bury();
    };
  }
  void give_time(std::chrono::milliseconds to_read);
  void limit_write(std::chrono::milliseconds to_write);
  void write_done() { write_by_ = SteadyTime::max(); }
  Links& links() { return links_; }
  sip::Flow& mutable_flow() { return flow_; }
  // SIP went over this link: its end is news.
  void used() { used_ = true; }
  // We connected: whoever sent to the address without naming a connection hears of its end too.
  void dialled() { used_ = dialled_ = true; }

 private:
  void bury();

  Links& links_;
  sip::Flow flow_;
  Kind kind_;
  bool ended_ = false;
  bool used_ = false;
  bool dialled_ = false;
  unsigned pending_ = 0;
  SteadyTime read_by_ = SteadyTime::max();
  SteadyTime write_by_ = SteadyTime::max();
};

// Owner of all links; the limits on their number. Front thread only.
class Links {
 public:
  using Post = std::function<void(std::function<void()>)>;
  Links(const StreamLimits& limits, FrontSink& sink, Post post);

  const StreamLimits& limits() const { return limits_; }
  FrontSink& sink() { return sink_; }

  sip::ConnectionId next_id() { return sip::ConnectionId{++last_id_}; }
  // Room for one more from this address? Counts the refusal if not.
  bool has_room(const IpAddress& from);
  bool has_room_for_stranger(const IpAddress& from);
  void trusted(const sip::Flow& flow);  // from Link: no stranger any more
  // `L` is made with (links, args…) and started.
  template <typename L, typename... Args>
  L& admit(Args&&... args) {
    auto link = std::make_unique<L>(*this, std::forward<Args>(args)...);
    L& ref = *link;
    adopt(std::move(link));
    ref.start();
    return ref;
  }

  Link* find(sip::ConnectionId id);
  Link* find_sip(sip::Transport transport, const Endpoint& remote);
  void sweep(SteadyTime now);
  void clear();
  bool empty() const { return links_.empty(); }
  std::size_t size() const { return links_.size(); }
  std::uint64_t accepted() const { return accepted_; }
  std::uint64_t refused() const { return refused_; }
  std::uint64_t timed_out() const { return timed_out_; }

  void post(std::function<void()> work) { post_(std::move(work)); }
  void ended(const sip::Flow& flow);  // from Link
  void bury(sip::ConnectionId id);    // from Link: it may be destroyed

 private:
  using Target = std::pair<sip::Transport, Endpoint>;
  void adopt(std::unique_ptr<Link> link);

  StreamLimits limits_;
  FrontSink& sink_;
  Post post_;
  std::uint64_t last_id_ = 0;
  std::unordered_map<sip::ConnectionId, std::unique_ptr<Link>> links_;
  std::unordered_map<IpAddress, std::size_t> per_address_;
  std::map<Target, sip::ConnectionId> by_target_;
  std::unordered_map<IpAddress, std::size_t> strangers_per_address_;
  std::size_t strangers_ = 0;
  std::uint64_t accepted_ = 0, refused_ = 0, timed_out_ = 0;
};

}  // namespace bw::io::detail
