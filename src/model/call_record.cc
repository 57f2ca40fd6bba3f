#include "model/call_record.h"

namespace bw::model {

std::string_view name_of(Disposition d) {
  switch (d) {
    case Disposition::kAnswered:
      return "answered";
    case Disposition::kNoAnswer:
      return "no_answer";
    case Disposition::kBusy:
      return "busy";
    case Disposition::kFailed:
      return "failed";
    case Disposition::kCancelled:
      return "cancelled";
  }
  return "failed";
}

}  // namespace bw::model
