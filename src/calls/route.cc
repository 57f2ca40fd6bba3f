#include "calls/route.h"

#include <re2/re2.h>

#include <algorithm>
#include <string>

namespace bw::calls {

struct Dialplan::Patterns {
  explicit Patterns(const model::Settings& settings) : internal(settings.dialplan.internal, RE2::Quiet) {}
  RE2 internal;
};

Dialplan::Dialplan(const model::Settings& settings) : patterns_(std::make_unique<Patterns>(settings)) {}
Dialplan::~Dialplan() = default;
Dialplan::Dialplan(Dialplan&&) noexcept = default;
Dialplan& Dialplan::operator=(Dialplan&&) noexcept = default;

bool Dialplan::is_internal(std::string_view number) const {
  return patterns_->internal.ok() &&
         RE2::FullMatch(re2::StringPiece(number.data(), number.size()), patterns_->internal);
}

namespace {

const std::string& forward_target(const model::Extension& extension, ForwardCause cause) {
  switch (cause) {
    case ForwardCause::kBusy:
      return extension.forward.busy;
    case ForwardCause::kNoAnswer:
      return extension.forward.no_answer;
    case ForwardCause::kUnreachable:
      return extension.forward.unreachable;
    case ForwardCause::kNone:
      break;
  }
  return extension.forward.always;
}

bool visited_before(const std::vector<std::string>& visited, std::string_view number) {
  return std::ranges::find(visited, number) != visited.end();
}

Decision unknown(std::string_view dialled, const Dialplan& dialplan) {
  // Nothing outbound is open (calls.md §4): without trunks an outside number leads nowhere, and says so.
  const std::string number{dialled};
  if (dialplan.is_internal(dialled)) return RefuseCall{404, "there is no extension " + number};
  return RefuseCall{404, "nothing answers to " + number};
}

}  // namespace

Decision route(const Attempt& attempt, const model::Directory& directory, const Dialplan& dialplan,
               const model::Settings& settings) {
  if (attempt.dialled == "*43") return EchoTest{};

  std::vector<std::string> visited = attempt.visited;
  std::string number = attempt.dialled;
  ForwardCause cause = attempt.cause;
  for (;;) {
    const model::Extension* extension = directory.find(number);
    if (extension == nullptr) return unknown(number, dialplan);

    // With a cause the extension itself was tried already and only its forward is of interest.
    const std::string& onward = forward_target(*extension, cause);
    if (cause == ForwardCause::kNone) {
      if (visited_before(visited, number))
        return RefuseCall{482, "forwarding of " + number + " leads in a circle"};
      visited.push_back(number);
      if (onward.empty()) {
        if (extension->do_not_disturb) return RefuseCall{486, number + " does not want to be disturbed"};
        const Duration own = std::chrono::seconds(extension->ring_seconds);
        return RingExtension{extension->number, own > 0s ? own : settings.no_answer_timeout,
                             std::move(visited)};
      }
    }
    if (onward.empty()) return RefuseCall{480, number + " has no forward for this"};
    if (visited.size() > kMaxForwards) return RefuseCall{482, "too many forwards, last from " + number};
    number = onward;
    cause = ForwardCause::kNone;
  }
}

}  // namespace bw::calls
