#include "server/live_feed.h"

#include <optional>
#include <utility>

#include "store/journal.h"

namespace bw::server {
namespace {

using Page = live::Subscription::PageRead;

std::optional<Page> read_page(store::Store& store, api::LiveStream::Query&& query) {
  store::Journal journal{store};
  store::JournalFilter filter;
  filter.after = query.after;
  filter.limit = query.limit;
  filter.types = std::move(query.filter.types);
  filter.call = std::move(query.filter.call);
  filter.extension = std::move(query.filter.extension);
  auto page = journal.read(filter);
  const auto oldest = journal.oldest_seq();
  const auto newest = journal.newest_seq();
  if (!page || !oldest || !newest) return std::nullopt;
  return Page{std::make_shared<const std::vector<events::StoredEvent>>(std::move(page->events)),
              page->reached, *oldest, *newest, page->complete};
}

}  // namespace

api::LiveStream::Journal journal_of(io::Front& front, store::StoreThread& store,
                                    store::Listening& listening) {
  const auto read = [&front, &store](api::LiveStream::Query&& query, api::LiveStream::OnPage on_page) {
    // A refused question is destroyed together with its callback, which then says that it failed.
    store.ask([&front, query = std::move(query), on_page = std::move(on_page)](store::Store& s) mutable {
      front.post([page = read_page(s, std::move(query)), on_page = std::move(on_page)]() mutable {
        on_page(std::move(page));
      });
    });
  };
  return {.read = read,
          .newest = [&store] { return store.newest_event(); },
          .follow = [&listening](bool wanted) { listening.hear(wanted); }};
}

store::Listening feed(api::LiveStream& stream, io::Front& front, store::StoreThread& store) {
  store::Listening listening =
      store.listen([&stream, &front](const events::StoredBatch& batch, std::uint64_t newest) {
        front.post([&stream, batch, newest] { stream.committed(batch, newest); });
      });
  listening.hear(false);  // until somebody reads
  return listening;
}

}  // namespace bw::server
