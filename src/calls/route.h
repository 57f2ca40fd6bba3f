// Where a call goes: one pure decision from who calls, what was dialled and who there is.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "model/directory.h"
#include "model/settings.h"

namespace bw::calls {

// Why a call leaves the extension it was meant for (calls.md §3, forward).
enum class ForwardCause : std::uint8_t { kNone, kBusy, kNoAnswer, kUnreachable };

struct Attempt {
  std::string caller;   // extension that authenticated; decides permissions
  std::string dialled;  // user part of the Request-URI, Refer-To or forward target, unescaped
  ForwardCause cause = ForwardCause::kNone;
  std::vector<std::string> visited;  // extensions this call already tried, oldest first: no forward loops
};

struct RingExtension {
  model::ExtensionNumber extension;
  Duration ring_for{0};
  std::vector<std::string> visited;  // with every extension passed on the way
};
struct EchoTest {};  // *43
struct RefuseCall {
  int status = 404;  // RFC 3261 §21
  std::string sentence;
};
using Decision = std::variant<RingExtension, EchoTest, RefuseCall>;

// The compiled patterns of the configuration; built once per settings snapshot.
class Dialplan {
 public:
  explicit Dialplan(const model::Settings& settings);
  ~Dialplan();
  Dialplan(Dialplan&&) noexcept;
  Dialplan& operator=(Dialplan&&) noexcept;

  bool is_internal(std::string_view number) const;

 private:
  struct Patterns;
  std::unique_ptr<Patterns> patterns_;
};

inline constexpr std::size_t kMaxForwards = 5;  // hops of one call between extensions

Decision route(const Attempt& attempt, const model::Directory& directory, const Dialplan& dialplan,
               const model::Settings& settings);

}  // namespace bw::calls
