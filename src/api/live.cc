#include "api/live.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <vector>

#include "api/areas.h"
#include "api/json.h"
#include "api/webrtc_json.h"
#include "base/ascii.h"
#include "base/core.h"
#include "base/rfc3339.h"
#include "events/description.h"

namespace bw::api {
namespace {

namespace json = boost::json;

constexpr std::string_view kSubprotocol = "bellwire.events.v1";
constexpr std::size_t kMostPatterns = 32;
constexpr Duration kAskAgain = 2s;

http::Bytes in_words(bool web_socket, std::uint64_t seq, std::string_view type, std::string&& envelope) {
  if (web_socket) return std::make_shared<const std::string>(std::move(envelope));
  return std::make_shared<const std::string>(
      fmt::format("id: {}\nevent: {}\ndata: {}\n\n", seq, type, envelope));
}

// Without an id: a page that comes back must say the number of the last event it had.
http::Bytes in_words(bool web_socket, const ports::BrowserPush& push) {
  std::string text = json::serialize(to_json(push));
  if (web_socket) return std::make_shared<const std::string>(std::move(text));
  return std::make_shared<const std::string>(fmt::format("event: {}\ndata: {}\n\n", type_of(push), text));
}

http::Bytes in_words(bool web_socket, const events::StoredEvent& e) {
  return in_words(web_socket, e.seq, e.type, events::envelope(e));
}

}  // namespace

// The texts of one batch, each made when the first reader wants it and shared by all who do.
class LiveStream::Wording {
 public:
  void begin(const events::StoredBatch& batch) {
    batch_ = batch;
    texts_.assign(2 * batch->size(), nullptr);
  }
  void end() {
    batch_.reset();
    texts_.clear();
  }
  http::Bytes of(const events::StoredBatch& batch, std::size_t index, bool web_socket) {
    if (batch != batch_) return in_words(web_socket, (*batch)[index]);  // a page, which is one reader's own
    http::Bytes& text = texts_[2 * index + (web_socket ? 1 : 0)];
    if (!text) text = in_words(web_socket, (*batch)[index]);
    return text;
  }

 private:
  events::StoredBatch batch_;
  std::vector<http::Bytes> texts_;
};

class LiveStream::Reader final : public http::Conversation {
 public:
  Reader(LiveStream& stream, std::uint64_t id, access::Principal who, live::Subscription&& subscription,
         std::optional<Page> page, bool web_socket)
      : stream_(stream),
        id_(id),
        who_(std::move(who)),
        asked_(stream.services_.moment()),
        subscription_(std::move(subscription)),
        page_(std::move(page)),
        web_socket_(web_socket) {
    stream_.enter(id_, *this);
  }
  ~Reader() override { stream_.leave(id_); }

  void opened(http::Channel& channel) override {
    channel_ = &channel;
    act({});
    if (page_ && channel_ != nullptr) stream_.fetch_missed(id_, *page_, who_);
  }
  void received(std::string&&) override {}  // what is wanted was said in the query
  void drained() override { tell(live::Subscription::Drained{}); }
  void ended() override {
    channel_ = nullptr;
    stream_.leave(id_);
  }

  // Before the connection has opened, what is said waits in the subscription.
  void tell(const live::Subscription::Input& input, Wording* wording = nullptr) {
    if (sent_away_) return;
    subscription_.handle(input, {});
    act(wording);
  }

  void show_snapshot(json::object&& data, Instant at) {
    json::object message;
    message["event_type"] = "snapshot";
    message["timestamp"] = rfc3339(at);
    message["seq"] = as_of_;
    data["reason"] = why_;
    message["data"] = std::move(data);
    if (channel_ == nullptr || !is_welcome()) return;
    if (!channel_->tell(in_words(web_socket_, as_of_, "snapshot", json::serialize(message)))) {
      return tell(live::Subscription::Refused{});
    }
    tell(live::Subscription::SnapshotShown{});
  }
  void look_after() {
    if (channel_ != nullptr) is_welcome();
  }
  // What was missed; from now on pushes are shown as they come.
  void catch_up(const ports::BrowserPushes& missed) {
    if (!page_) return;
    page_->after = missed.newest;
    page_is_up_to_date_ = true;
    for (const ports::BrowserPush& push : missed.pushes) show(push, nullptr);
  }
  // A page hears of its session what it has not missed, and users of all sessions of their extension.
  void push(const ports::BrowserPush& push, http::Bytes& text) {
    const bool of_page = page_ && push.session == page_->session;
    if (of_page && (!page_is_up_to_date_ || push.number <= page_->after)) return;
    const bool own =
        who_.role == access::Role::kUser && !who_.extension.empty() && who_.extension == push.extension;
    if (of_page || own) show(push, &text);
  }
  const live::Viewer& viewer() const { return subscription_.viewer(); }
  const access::Principal& who() const { return who_; }

 private:
  // `text`: of the push, once one reader wanted it.
  void show(const ports::BrowserPush& push, http::Bytes* text) {
    if (channel_ == nullptr || !is_welcome()) return;
    const http::Bytes words = text != nullptr && *text && !web_socket_ ? *text : in_words(web_socket_, push);
    if (text != nullptr && !web_socket_) *text = words;
    if (!channel_->tell(words)) tell(live::Subscription::Refused{});
  }
  // Nothing is shown to somebody who was last known longer ago than this.
  bool is_welcome() {
    const Instant now = stream_.services_.moment();
    if (sent_away_ || (now >= asked_ && now < asked_ + kAskAgain)) return !sent_away_;
    asked_ = now;
    sent_away_ = !stream_.services_.access().is_still(who_, *stream_.services_.directory(), now);
    if (sent_away_) channel_->close("You are no longer logged in.");
    return !sent_away_;
  }

  void act(Wording* wording) {
    if (channel_ == nullptr || !is_welcome()) return;
    while (channel_ != nullptr) {
      const auto wish = subscription_.poll();
      if (!wish) return;
      std::visit(Overloaded{
                     [&](const live::Subscription::ReadPage& w) {
                       stream_.read_page(id_, {w.after, w.limit, narrowest()});
                     },
                     [&](const live::Subscription::Show& w) {
                       const bool taken =
                           channel_->tell(wording != nullptr ? wording->of(w.batch, w.index, web_socket_)
                                                             : in_words(web_socket_, (*w.batch)[w.index]));
                       if (!taken) subscription_.handle(live::Subscription::Refused{}, {});
                     },
                     [&](const live::Subscription::TakeSnapshot& w) {
                       as_of_ = w.as_of;
                       why_ = w.why;
                       stream_.take_snapshot(id_);
                     },
                     [&](const live::Subscription::Leave& w) { channel_->close(w.reason); },
                 },
                 *wish);
    }
  }

  // The journal looks for one extension; the subscription checks both.
  live::Filter narrowest() const {
    live::Filter f = subscription_.filter();
    if (!subscription_.viewer().everything) f.extension = subscription_.viewer().extension;
    return f;
  }

  LiveStream& stream_;
  std::uint64_t id_;
  access::Principal who_;
  Instant asked_;  // whether it still is
  bool sent_away_ = false;
  live::Subscription subscription_;
  std::optional<Page> page_;
  bool page_is_up_to_date_ = false;
  bool web_socket_;
  http::Channel* channel_ = nullptr;
  std::uint64_t as_of_ = 0;
  std::string why_;
};

LiveStream::LiveStream(Services& services, Journal journal)
    : services_(services), journal_(std::move(journal)) {}

LiveStream::~LiveStream() = default;

LiveStream::Reader* LiveStream::find(std::uint64_t reader) {
  const auto it = readers_.find(reader);
  return it == readers_.end() ? nullptr : it->second;
}

void LiveStream::enter(std::uint64_t id, Reader& reader) {
  readers_.emplace(id, &reader);
}

void LiveStream::leave(std::uint64_t id) {
  if (readers_.erase(id) > 0 && readers_.empty()) journal_.follow(false);
}

void LiveStream::committed(const events::StoredBatch& batch, std::uint64_t newest) {
  Wording wording;
  if (batch) wording.begin(batch);
  each([&](Reader& reader) { reader.tell(live::Subscription::Committed{batch, newest}, &wording); });
}

void LiveStream::look_after() {
  each([](Reader& reader) { reader.look_after(); });
}

// By number: who is refused may leave while we go through them.
template <typename F>
void LiveStream::each(F&& visit) {
  std::vector<std::uint64_t> ids;
  ids.reserve(readers_.size());
  for (const auto& [id, reader] : readers_) ids.push_back(id);
  for (const std::uint64_t id : ids) {
    if (Reader* reader = find(id)) visit(*reader);
  }
}

void LiveStream::push(const ports::BrowserPush& push) {
  const auto* changed = std::get_if<ports::BrowserPush::SessionChanged>(&push.what);
  if (changed != nullptr && changed->state == "closed") browser_logins_.closed(push.session);
  http::Bytes text;
  each([&](Reader& reader) { reader.push(push, text); });
}

// Answers come by the same way as pushes: what was pushed before the answer is in it, the rest follows it.
void LiveStream::fetch_missed(std::uint64_t id, const Page& page, const access::Principal& who) {
  std::optional<std::string> only;
  if (who.role == access::Role::kUser) only = who.extension;
  services_.ask(ports::AskBrowser{page.session, ports::MissedPushes{page.after}, only},
                [this, id](ports::Reply&& reply) {
                  const auto* missed = ports::browser_reply<ports::BrowserPushes>(reply);
                  if (Reader* reader = find(id); reader != nullptr && missed != nullptr)
                    reader->catch_up(*missed);
                });
}

bool LiveStream::has_room_for(const access::Principal& who) const {
  const bool by_key = who.way == access::Way::kKey;
  return kMostOfOne > static_cast<std::size_t>(std::ranges::count_if(readers_, [&](const auto& entry) {
           const access::Principal& other = entry.second->who();
           if (by_key != (other.way == access::Way::kKey)) return false;
           return by_key ? other.session == who.session : other.name == who.name;
         }));
}

http::Response LiveStream::open(live::Filter filter, const access::Principal& who, std::uint64_t since,
                                std::optional<Page> page, bool web_socket) {
  if (readers_.empty()) journal_.follow(true);  // before the newest number is asked for
  live::Viewer viewer{who.role != access::Role::kUser, who.extension};
  http::Response response;
  response.content_type = "text/event-stream";
  response.headers.emplace_back("X-Accel-Buffering", "no");  // or nginx keeps events to itself
  response.subprotocol = kSubprotocol;
  response.stays = std::make_unique<Reader>(
      *this, ++last_reader_, who, live::Subscription{std::move(filter), std::move(viewer), since, newest()},
      std::move(page), web_socket);
  return response;
}

void LiveStream::read_page(std::uint64_t id, Query&& query) {
  // If the callback is dropped without being called, `asked` says so by its end.
  struct Asked {
    Asked(LiveStream& s, std::uint64_t r) : stream(&s), reader(r) {}
    Asked(Asked&& other) noexcept : stream(std::exchange(other.stream, nullptr)), reader(other.reader) {}
    Asked& operator=(Asked&&) = delete;
    ~Asked() {
      if (stream != nullptr) answer(live::Subscription::ReadFailed{});
    }
    void answer(const live::Subscription::Input& input) {
      LiveStream* s = std::exchange(stream, nullptr);
      if (Reader* r = s->find(reader)) r->tell(input);
    }
    LiveStream* stream;
    std::uint64_t reader;
  };
  journal_.read(std::move(query),
                [asked = Asked{*this, id}](std::optional<live::Subscription::PageRead>&& page) mutable {
                  if (page) return asked.answer(*page);
                  asked.answer(live::Subscription::ReadFailed{});
                });
}

// First calls, then phones, each as the exchange has it; both are at least as new as the number that is told.
void LiveStream::take_snapshot(std::uint64_t id) {
  services_.ask(ports::ListCalls{}, [this, id](ports::Reply&& first) {
    services_.ask(ports::ListPhones{}, [this, id, calls = std::move(first)](ports::Reply&& phones) {
      Reader* reader = find(id);
      if (reader == nullptr) return;
      const auto* c = std::get_if<ports::Calls>(&calls);
      const auto* p = std::get_if<ports::Phones>(&phones);
      if (c == nullptr || p == nullptr) return reader->tell(live::Subscription::ReadFailed{});
      const live::Viewer& who = reader->viewer();
      json::object data;
      json::array& call_list = data["calls"].emplace_array();
      for (const ports::CallView& call : c->calls) {
        if (who.everything || concerns(call, who.extension)) call_list.push_back(to_json(call));
      }
      json::array& phone_list = data["phones"].emplace_array();
      for (const model::Binding& b : p->bindings) {
        if (who.everything || b.extension.value == who.extension) phone_list.push_back(to_json(b));
      }
      reader->show_snapshot(std::move(data), services_.moment());
    });
  });
}

namespace {

constexpr std::array kStreamQuery{
    Field{.name = "since",
          .type = Type::kInteger,
          .about = "the last seq you have: what came after it is shown first (also as Last-Event-ID)",
          .most = 9'007'199'254'740'991},
    Field{.name = "type",
          .type = Type::kText,
          .about = "types or patterns, separated by commas: call.*,extension.registered",
          .most = 1'024},
    Field{.name = "extension", .type = Type::kText, .about = "only what concerns it", .most = 32},
    Field{.name = "call", .type = Type::kText, .about = "only this call_id", .most = 64},
    Field{.name = "session",
          .type = Type::kText,
          .about = "a browser's session: its pushes too, first those of the last minute that were missed",
          .most = 64},
    Field{.name = "push",
          .type = Type::kInteger,
          .about = "the last push of that session you have",
          .most = 9'007'199'254'740'991},
};
constexpr Shape kStream{.name = "EventStream", .fields = {}, .media = "text/event-stream"};

std::optional<Problem> read_types(std::string_view text, std::vector<std::string>& into) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    const std::string_view one = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!events::is_pattern(one)) {
      return Problem{fmt::format("There is no event type {}.", one), "bad_request", "type"};
    }
    if (into.size() == kMostPatterns) return Problem{"That is too many types.", "bad_request", "type"};
    into.emplace_back(one);
  }
  return std::nullopt;
}

// A browser that comes back says Last-Event-ID by itself; that is newer than what its page once asked for.
std::optional<Problem> read_since(const Exchange& e, std::uint64_t& since) {
  const std::string asked = e.query("since");
  const std::string_view last = e.request().header("last-event-id");
  const std::string_view text = last.empty() ? std::string_view{asked} : last;
  if (text.empty()) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), since);
  if (error == std::errc{} && end == text.data() + text.size()) return std::nullopt;
  return Problem{"Last-Event-ID must be the number of an event.", "bad_request", "since"};
}

// RFC 6455 §4.2.2: what a client offers it must get, or nothing at all.
// Each is a whole word of a list, which may stand in several headers.
struct Offered {
  bool any = false;
  bool ours = false;
};
Offered offered_protocols(const http::Request& request) {
  Offered offered;
  for (const auto& [name, value] : request.headers) {
    if (name != "sec-websocket-protocol") continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(','), rest.size());
      const std::string_view word = trimmed(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      offered.any = offered.any || !word.empty();
      offered.ours = offered.ours || word == kSubprotocol;
    }
  }
  return offered;
}

void follow_events(Services& s, Exchange&& e) {
  LiveStream* stream = s.live();
  if (stream == nullptr || !stream->has_room()) {
    return e.refuse({"Too many are listening already.", "busy", {}, 503});
  }
  if (!stream->has_room_for(e.principal())) {
    return e.refuse({"You are listening too often already; please end one of those first.", "busy", {}, 429});
  }
  live::Filter filter{{}, e.query("extension"), e.query("call")};
  if (!filter.extension.empty() && !e.principal().sees(filter.extension)) {
    return e.refuse({"This is not yours to see or change.", "forbidden", "extension", 403});
  }
  if (const auto problem = read_types(e.query("type"), filter.types)) return e.refuse(*problem);
  std::uint64_t since = stream->newest();
  if (const auto problem = read_since(e, since)) return e.refuse(*problem);
  const bool web_socket = e.request().web_socket;
  const Offered offered = offered_protocols(e.request());
  if (web_socket && offered.any && !offered.ours) {
    return e.refuse({fmt::format("The subprotocol here is {}.", kSubprotocol), "bad_request", {}});
  }
  std::optional<LiveStream::Page> page;
  if (std::string session = e.query("session"); !session.empty())
    page.emplace(ports::BrowserSessionId{std::move(session)}, e.query_number("push", 0));
  http::Response response =
      stream->open(std::move(filter), e.principal(), since, std::move(page), web_socket);
  if (!offered.ours) response.subprotocol.clear();
  e.answer(std::move(response));
}

constexpr std::array kRoutes{
    Route{.method = "GET",
          .pattern = "/api/events",
          .id = "followEvents",
          .summary = "What happens, as it happens (WebSocket or Server-Sent Events); a user sees what "
                     "concerns its extension",
          .tag = "events",
          .who = Who::kUser,
          .scope = "events:read",
          .handle = follow_events,
          .query = kStreamQuery,
          .answer = &kStream},
};

}  // namespace

std::span<const Route> live_routes() {
  return kRoutes;
}

}  // namespace bw::api
