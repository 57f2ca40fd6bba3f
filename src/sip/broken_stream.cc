#include "sip/broken_stream.h"

#include "sip/dialog.h"

namespace bw::sip {

std::string answer_to(const StreamFramer::Broken& broken) {
  if (broken.why == FramingError::kNotSip) return {};
  Message salvage;
  const auto whole = parse(broken.head, {}, &salvage);
  const Message& request = whole ? *whole : salvage;
  if (request.is_response() || request.method() == Method::kAck || !request.has(HeaderName::kVia)) return {};
  const int status = broken.why == FramingError::kTooLarge ? 413 : 400;
  // No state is kept, and the connection ends: nobody will ever ask for this tag.
  return to_string(make_response(request, status, "broken", status == 400 ? to_sentence(broken.why) : ""));
}

}  // namespace bw::sip
