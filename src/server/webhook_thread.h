// The thread of the webhooks: the core, its HTTP client, and the ways to database and API.
#pragma once

#include <functional>
#include <memory>

#include "config/config.h"
#include "io/clock.h"
#include "server/log.h"
#include "store/store_thread.h"
#include "webhooks/wishes.h"

namespace bw::server {

// Runs from construction to destruction; what is under way at the end gets a moment to finish, and how far
// everyone has come is stored. The store outlives it.
class WebhookThread {
 public:
  struct Surroundings {
    store::StoreThread& store;
    const io::Clock& clock;
    Log& log;
  };
  // Takes in the subscriptions of the configuration that the database does not know.
  WebhookThread(Surroundings surroundings, const config::Webhooks& config);
  ~WebhookThread();
  WebhookThread(const WebhookThread&) = delete;
  WebhookThread& operator=(const WebhookThread&) = delete;

  // Any thread. The answer comes in the thread of the webhooks; a callback that is destroyed without a call
  // means that the server ends, or that too many wait.
  using OnAnswer = std::move_only_function<void(webhooks::Answer&&)>;
  void ask(webhooks::Wish wish, OnAnswer on_answer);
  void configure(const config::Webhooks& config);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bw::server
