#include "webhooks/letter.h"

#include "webhooks/signature.h"

namespace bw::webhooks {

Letter letter_of(const events::StoredEvent& event) {
  return {event.event_id, event.type, events::envelope(event)};
}

std::string order_key(const events::StoredEvent& event) {
  if (!event.call_id.empty()) return "c:" + event.call_id;
  if (!event.extensions.empty()) return "x:" + event.extensions.front();
  return "e:" + event.event_id;
}

http::Call call_of(const Letter& letter, const Subscription& s, const Posting& posting, Instant now) {
  std::vector<std::string> headers;
  headers.reserve(8 + s.headers.size());
  headers.push_back("Content-Type: application/json");
  headers.push_back("User-Agent: " + posting.user_agent);
  headers.push_back("X-Webhook-Event: " + letter.type);
  headers.push_back("X-Webhook-ID: " + letter.event_id);
  const std::string& secret = s.secret.reveal();
  if (!secret.empty()) {
    const std::string timestamp = std::to_string(now.unix_s());
    std::string standard = standard_signature(secret, letter.event_id, timestamp, letter.body);
    if (const std::string& former = s.former.reveal(); !former.empty() && now < s.former_until) {
      standard += ' ' + standard_signature(former, letter.event_id, timestamp, letter.body);
      headers.push_back("X-Webhook-Signature-Former: " + body_signature(former, letter.body));
    }
    headers.push_back("X-Webhook-Signature: " + body_signature(secret, letter.body));
    headers.push_back("webhook-id: " + letter.event_id);
    headers.push_back("webhook-timestamp: " + timestamp);
    headers.push_back("webhook-signature: " + standard);
  }
  for (const auto& [name, value] : s.headers) headers.push_back(name + ": " + value.reveal());
  http::Call call;
  call.id = posting.id;
  call.url = s.url;
  call.headers = Secret(std::move(headers));
  call.body = letter.body;
  call.timeout = posting.timeout;
  return call;
}

}  // namespace bw::webhooks
