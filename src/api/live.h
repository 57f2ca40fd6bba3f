// The live stream: readers of GET /api/events, as WebSocket or Server-Sent Events (docs/live-stream.md).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "access/principal.h"
#include "api/browser_logins.h"
#include "events/stored.h"
#include "live/subscription.h"
#include "ports/control.h"
#include "ports/http.h"

namespace bw::api {

class Services;

// Everybody who reads at this moment. Of the thread of the API; outlives every connection.
class LiveStream {
 public:
  struct Query {
    std::uint64_t after = 0;
    std::size_t limit = 0;
    live::Filter filter;  // what cannot be shown need not be read
  };
  using OnPage = std::move_only_function<void(std::optional<live::Subscription::PageRead>&&)>;
  struct Journal {
    // None: it cannot be read. Dropping the callback says the same.
    std::function<void(Query&&, OnPage)> read;
    std::function<std::uint64_t()> newest;  // the number of its last event
    // Whether anybody reads the stream. While nobody does, committed() need not be called; what is beyond
    // newest() when somebody began to will be told.
    std::function<void(bool)> follow;
  };

  static constexpr std::size_t kMostReaders = 1'000;
  static constexpr std::size_t kMostOfOne = 20;  // of one user, extension or key

  LiveStream(Services& services, Journal journal);
  ~LiveStream();
  LiveStream(const LiveStream&) = delete;
  LiveStream& operator=(const LiveStream&) = delete;

  // What a commit stored, in order; null: it can only be read, up to `newest`.
  void committed(const events::StoredBatch& batch, std::uint64_t newest);

  // Every second or so: streams end with their logins also while nothing happens.
  void look_after();
  // To the pages of an extension that listen to it. Not of the journal: it has no number there.
  void push(const ports::BrowserPush& push);
  BrowserLogins& browser_logins() { return browser_logins_; }

  bool has_room() const { return readers_.size() < kMostReaders; }
  bool has_room_for(const access::Principal& who) const;
  std::uint64_t newest() const { return journal_.newest(); }
  // The answer that stays open as long as `who` is still logged in.
  // `page`: a browser's session; its pushes are told, first those that were missed.
  struct Page {
    ports::BrowserSessionId session;
    std::uint64_t after = 0;
  };
  http::Response open(live::Filter filter, const access::Principal& who, std::uint64_t since,
                      std::optional<Page> page, bool web_socket);

 private:
  class Reader;
  class Wording;

  void read_page(std::uint64_t reader, Query&& query);
  void take_snapshot(std::uint64_t reader);
  template <typename F>
  void each(F&& visit);
  void fetch_missed(std::uint64_t reader, const Page& page, const access::Principal& who);
  Reader* find(std::uint64_t reader);
  void enter(std::uint64_t id, Reader& reader);
  void leave(std::uint64_t id);

  Services& services_;
  Journal journal_;
  BrowserLogins browser_logins_;
  std::uint64_t last_reader_ = 0;
  std::unordered_map<std::uint64_t, Reader*> readers_;  // owned by their connections
};

}  // namespace bw::api
