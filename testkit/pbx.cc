#include "testkit/pbx.h"

#include <algorithm>

#include "testkit/stage.h"

namespace bw::testkit {
namespace {

constexpr Duration kQueueTime = 1ms;  // between threads
constexpr Duration kNameTime = 10ms;
constexpr std::size_t kNotesKept = 1'000;

}  // namespace

Pbx::Pbx(Stage& stage, std::uint64_t seed, model::Settings settings)
    : stage_(stage),
      rng_(seed ^ 0x5eedULL),
      settings_(std::make_shared<const model::Settings>(std::move(settings))),
      directory_(std::make_shared<const model::Directory>()) {
  stage_.network().attach(*this);
  stage_.time().join(*this);
  starts();
}

Pbx::~Pbx() {
  stage_.time().leave(*this);
  stage_.network().detach(*this);
}

// ---- configuration ----

void Pbx::configure(const std::function<void(model::Settings&)>& change) {
  model::Settings changed = *settings_;
  change(changed);
  settings_ = std::make_shared<const model::Settings>(std::move(changed));
  feed(exchange::SettingsChanged{settings_});
}

void Pbx::change_directory(const std::function<void(model::Directory&)>& change) {
  model::Directory changed = *directory_;
  change(changed);
  directory_ = std::make_shared<const model::Directory>(std::move(changed));
  feed(exchange::DirectoryChanged{directory_});
}

// ---- what befalls it ----

void Pbx::crashes() {
  stage_.remark("the server crashes");
  ++lives_;
  exchange_.reset();
  std::ranges::copy(media_->violations(), std::back_inserter(old_violations_));
  connections_.clear();
  pushes_.clear();
  stage_.network().cuts_streams_of(*this);
}

void Pbx::starts() {
  stage_.remark("the server starts");
  store_.close_open_records(stage_.now());
  media_ = std::make_unique<MediaPlane>(stage_.network(), ip_);
  exchange_ = std::make_unique<exchange::Exchange>(rng_, settings_, directory_, stage_.now());
  drain();
  feed(exchange::BindingsRestored{store_.bindings()});
}

void Pbx::hears_no_more_of(std::string_view ufrag) {
  media_->loses_session_of(ufrag);
  drain_media();
}

void Pbx::shuts_down() {
  stage_.remark("the server shuts down");
  feed(exchange::ShutDown{});
}

// ---- what one can see ----

std::optional<ports::Reply> Pbx::asks(ports::Request request) {
  if (!exchange_) return std::nullopt;
  const ports::RequestId id{++next_request_};
  feed(exchange::Asked{id, std::move(request)});
  if (!replies_.contains(id.value)) stage_.until([&] { return replies_.contains(id.value); }, 1s);
  const auto it = replies_.find(id.value);
  if (it == replies_.end()) return std::nullopt;
  ports::Reply reply = std::move(it->second);
  replies_.erase(it);
  return reply;
}

ports::Status Pbx::status() {
  const auto reply = asks(ports::GetStatus{});
  return reply && std::holds_alternative<ports::Status>(*reply) ? std::get<ports::Status>(*reply)
                                                                : ports::Status{};
}

std::vector<ports::CallView> Pbx::calls() {
  const auto reply = asks(ports::ListCalls{});
  if (!reply || !std::holds_alternative<ports::Calls>(*reply)) return {};
  return std::get<ports::Calls>(*reply).calls;
}

std::vector<model::Binding> Pbx::phones(std::string_view extension) {
  const auto reply = asks(ports::ListPhones{std::string{extension}});
  if (!reply || !std::holds_alternative<ports::Phones>(*reply)) return {};
  return std::get<ports::Phones>(*reply).bindings;
}

std::vector<std::string> Pbx::violations() const {
  std::vector<std::string> all = store_.violations();
  std::ranges::copy(old_violations_, std::back_inserter(all));
  std::ranges::copy(media_->violations(), std::back_inserter(all));
  return all;
}

// ---- between the exchange and the world ----

void Pbx::on_datagram(Endpoint local, Endpoint remote, const Bytes& bytes) {
  if (!exchange_) return;
  if (local.port != endpoint().port) {
    media_->packet(local, remote, bytes, stage_.now());
    return drain_media();
  }
  feed(exchange::Received{{sip::Transport::kUdp, {}, local, remote}, *bytes});
}

void Pbx::on_stream(sip::ConnectionId id, Endpoint local, Endpoint remote, const Bytes& bytes) {
  if (!exchange_) return;
  connections_[remote] = id;
  const auto transport = local.port == settings_->sip_tls_port ? sip::Transport::kTls : sip::Transport::kTcp;
  feed(exchange::Received{{transport, id, local, remote}, *bytes});
}

void Pbx::on_stream_closed(sip::ConnectionId id, Endpoint local, Endpoint remote) {
  std::erase_if(connections_, [&](const auto& c) { return c.second == id; });
  const auto transport = local.port == settings_->sip_tls_port ? sip::Transport::kTls : sip::Transport::kTcp;
  feed(exchange::ConnectionLost{{transport, id, local, remote}});
}

Deadline Pbx::deadline() const {
  if (!exchange_) return Deadline::never();
  return exchange_->deadline().earliest(media_->deadline());
}

void Pbx::wake() {
  if (media_->deadline().at <= stage_.now()) {
    media_->tick(stage_.now());
    drain_media();
  }
  if (exchange_->deadline().at <= stage_.now()) feed(Tick{});
}

void Pbx::feed(exchange::Exchange::Input input) {
  if (!exchange_) return;
  exchange_->handle(std::move(input), stage_.now());
  drain();
}

void Pbx::feed_later(Duration d, exchange::Exchange::Input input) {
  stage_.time().after(d, [this, life = lives_, input = std::move(input)] {
    if (life == lives_) feed(input);
  });
}

void Pbx::drain() {
  while (auto out = exchange_->poll()) {
    std::visit(Overloaded{
                   [&](const sip::Transmit& o) { transmit(o); },
                   [&](const exchange::Resolve& o) { resolve(o); },
                   [&](const ports::Persist& o) { persist(o); },
                   [&](const media::TellMedia& o) { media_->handle(o.command, stage_.now()); },
                   [&](const exchange::CloseConnection& o) { stage_.network().close(o.connection); },
                   [&](const ports::Answered& o) { replies_.insert_or_assign(o.id.value, o.reply); },
                   [&](const ports::Note& o) {
                     if (notes_.size() < kNotesKept) notes_.push_back(o.text);
                   },
                   [&](const ports::BrowserPush& o) { pushes_.push_back(o); },
               },
               *out);
  }
  drain_media();
}

void Pbx::drain_media() {
  while (auto event = media_->poll()) feed_later(kQueueTime, exchange::MediaReported{std::move(*event)});
}

void Pbx::transmit(const sip::Transmit& out) {
  VirtualNetwork& network = stage_.network();
  if (!sip::is_stream(out.to.transport)) return network.send(endpoint(), out.to.remote, out.bytes);
  const Endpoint local{ip_,
                       out.to.transport == sip::Transport::kTls ? settings_->sip_tls_port : endpoint().port};
  sip::ConnectionId id = out.to.connection;
  if (!id) {
    if (const auto it = connections_.find(out.to.remote); it != connections_.end()) id = it->second;
  }
  if (!id) id = connections_[out.to.remote] = network.connect(local, out.to.remote);
  if (!network.send_stream(id, local, out.bytes)) {
    connections_.erase(out.to.remote);
    feed_later(kQueueTime, exchange::ConnectionLost{out.to});
  }
}

void Pbx::persist(const ports::Persist& out) {
  stage_.time().after(commit_time_, [this, life = lives_, out] {
    if (life != lives_) return;  // the power went before the commit
    if (!store_refuses_) {
      for (const auto& change : out.changes) store_.apply(change);
    }
    if (out.ticket) feed(ports::Stored{out.ticket, !store_refuses_});
  });
}

void Pbx::resolve(const exchange::Resolve& out) {
  const auto it = names_.find(out.question.name);
  feed_later(kNameTime, exchange::NameResolved{out.id, it == names_.end() ? dns::Answer{} : it->second});
}

}  // namespace bw::testkit
