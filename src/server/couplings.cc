#include "server/couplings.h"

namespace bw::server {

bool Arrivals::received(const sip::Flow& flow, std::string&& bytes) {
  figures_.stream_messages_in.fetch_add(1, std::memory_order_relaxed);
  return inbox_.push(exchange::Received{flow, std::move(bytes)});
}

void Arrivals::lost(const sip::Flow& flow) {
  inbox_.push_always(exchange::ConnectionLost{flow});
}

void Departures::to_streams(std::vector<sip::Transmit>&& messages) {
  ways_.figures.stream_messages_out.fetch_add(messages.size(), std::memory_order_relaxed);
  ways_.front.transmit(std::move(messages));
}

void Departures::close_connection(sip::ConnectionId connection) {
  ways_.front.close(connection);
}

void Departures::resolve(exchange::Resolve&& r) {
  ways_.names.ask(r.id, std::move(r.question));
}

void Departures::persist(ports::Persist&& changes) {
  for (const ports::Change& change : changes.changes) {
    if (const auto* close = std::get_if<ports::CloseCallRecord>(&change))
      ways_.figures.ended_calls.at(static_cast<std::size_t>(close->record.disposition))
          .fetch_add(1, std::memory_order_relaxed);
  }
  waiting_.push_back(std::move(changes));
}

void Departures::tell_media(exchange::TellMedia&& command) {
  if (command.loop < commands_.size()) commands_[command.loop].push_back(std::move(command.command));
}

void Departures::answered(exchange::Answered&& answer) {
  for_front_.emplace_back(std::move(answer));
}

void Departures::push(exchange::BrowserPush&& push) {
  for_front_.emplace_back(std::move(push));
}

void Departures::note(exchange::Note&& n) {
  switch (n.level) {
    case exchange::Note::Level::kDebug:
      return ways_.log.debug("{}", n.text);
    case exchange::Note::Level::kInfo:
      return ways_.log.info("{}", n.text);
    case exchange::Note::Level::kWarning:
      return ways_.log.warning("{}", n.text);
  }
}

void Departures::counted(std::size_t datagrams_in, std::size_t datagrams_out) {
  ways_.figures.datagrams_in.fetch_add(datagrams_in, std::memory_order_relaxed);
  ways_.figures.datagrams_out.fetch_add(datagrams_out, std::memory_order_relaxed);
}

void Departures::turn_ended() {
  for (std::size_t loop = 0; loop < commands_.size(); ++loop) {
    if (ways_.media[loop]->push_all(commands_[loop])) continue;
    ways_.log.warning("media loop {} does not take commands", loop);
    commands_[loop].clear();
  }
  for (auto& one : std::exchange(for_front_, {})) {
    std::visit(Overloaded{[&](ports::Answered& answer) { ways_.answered(std::move(answer)); },
                          [&](ports::BrowserPush& push) { ways_.push(std::move(push)); }},
               one);
  }
  while (!waiting_.empty() && ways_.store.persist(std::move(waiting_.front())) != store::Admission::kFull) {
    waiting_.pop_front();
  }
  if (!waiting_.empty() && !said_full_)
    ways_.log.warning("the database does not keep up; changes wait in memory");
  said_full_ = !waiting_.empty();
}

}  // namespace bw::server
