// The server of a story: one Exchange, with a media plane, a database, a name service and a bad power supply.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "exchange/exchange.h"
#include "testkit/media_plane.h"
#include "testkit/network.h"
#include "testkit/store.h"

namespace bw::testkit {

class Stage;

class Pbx final : public Host, public Actor {
 public:
  Pbx(Stage& stage, std::uint64_t seed, model::Settings settings);
  ~Pbx() override;

  Endpoint endpoint() const { return {ip(), 5060}; }
  std::string domain() const { return ip().to_string(); }

  // ---- configuration ----
  const model::Settings& settings() const { return *settings_; }
  void configure(const std::function<void(model::Settings&)>& change);
  void change_directory(const std::function<void(model::Directory&)>& change);
  void answers_names(std::string name, dns::Answer answer) { names_[std::move(name)] = std::move(answer); }

  // ---- what befalls it ----
  void crashes();     // the exchange is destroyed without warning; rows that were committed stay
  void starts();      // records are closed, bindings come back
  void shuts_down();  // politely
  bool is_on() const { return exchange_ != nullptr; }
  void hears_no_more_of(std::string_view ufrag);  // the browser whose page said this a=ice-ufrag
  void store_is_slow(Duration d) { commit_time_ = d; }
  void store_refuses(bool refuses) { store_refuses_ = refuses; }

  // ---- what one can see ----
  std::optional<ports::Reply> asks(ports::Request request);  // waits up to 1 s of virtual time
  ports::Status status();
  std::vector<ports::CallView> calls();
  std::vector<model::Binding> phones(std::string_view extension = {});
  FakeStore& store() { return store_; }
  const MediaPlane& media() const { return *media_; }
  const std::vector<std::string>& notes() const { return notes_; }
  // To pages, since this life of the server began.
  const std::vector<ports::BrowserPush>& pushes() const { return pushes_; }
  std::vector<std::string> violations() const;

  const std::string& name() const override { return name_; }
  IpAddress ip() const override { return ip_; }
  void on_datagram(Endpoint local, Endpoint remote, const Bytes& bytes) override;
  void on_stream(sip::ConnectionId id, Endpoint local, Endpoint remote, const Bytes& bytes) override;
  void on_stream_closed(sip::ConnectionId id, Endpoint local, Endpoint remote) override;
  Deadline deadline() const override;
  void wake() override;

 private:
  void feed(exchange::Exchange::Input input);
  void feed_later(Duration d, exchange::Exchange::Input input);
  void drain();
  void drain_media();
  void transmit(const sip::Transmit& out);
  void persist(const ports::Persist& out);
  void resolve(const exchange::Resolve& out);

  Stage& stage_;
  std::string name_ = "pbx";
  IpAddress ip_ = IpAddress::v4(0x0a000001);
  SeededRng rng_;
  model::SettingsSnapshot settings_;
  model::DirectorySnapshot directory_;
  std::unique_ptr<exchange::Exchange> exchange_;
  std::unique_ptr<MediaPlane> media_;
  FakeStore store_;
  std::map<std::string, dns::Answer> names_;
  std::map<std::uint64_t, ports::Reply> replies_;
  std::map<Endpoint, sip::ConnectionId> connections_;
  std::vector<std::string> notes_;
  std::vector<ports::BrowserPush> pushes_;
  std::vector<std::string> old_violations_;  // of media planes of earlier lives
  std::uint64_t next_request_ = 0;
  std::uint32_t lives_ = 0;
  Duration commit_time_ = 3ms;
  bool store_refuses_ = false;
};

}  // namespace bw::testkit
