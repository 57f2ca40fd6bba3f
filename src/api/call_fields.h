// Calls and their records as the table of routes describes them (api/json.h writes them).
#pragma once

#include <array>

#include "api/schema.h"

namespace bw::api {

inline constexpr std::array kQualityFields{
    Field{.name = "mos",
          .type = Type::kDecimal,
          .about = "1 to 4.5, by ITU-T G.107",
          .required = true,
          .nullable = true},
    Field{.name = "loss_percent", .type = Type::kDecimal, .required = true},
    Field{.name = "jitter_ms", .type = Type::kDecimal, .required = true},
};
inline constexpr Field kHeardField{.name = "heard",
                                   .type = Type::kObject,
                                   .about = "of what came to a browser, by its own measure",
                                   .required = true,
                                   .nullable = true,
                                   .fields = kQualityFields};
inline constexpr std::array kLegFields{
    Field{.name = "party", .required = true},
    Field{.name = "device", .about = "the phone's own name", .required = true, .most = 8'192},
    Field{.name = "state", .about = "trying, ringing, up, held or ended", .required = true},
    Field{.name = "codec", .required = true},
    Field{.name = "secured", .type = Type::kFlag, .about = "the media is encrypted", .required = true},
    Field{.name = "quality",
          .type = Type::kObject,
          .about = "of what came from the phone, so far; null: nothing yet",
          .required = true,
          .nullable = true,
          .fields = kQualityFields},
    kHeardField,
    Field{.name = "packets_refused",
          .type = Type::kInteger,
          .about = "of media, not from where the phone should send; null: not known, or the leg has ended",
          .required = true,
          .nullable = true,
          .most = 9'007'199'254'740'991},
};
inline constexpr std::array kCallFields{
    Field{.name = "call_id", .required = true},
    Field{.name = "state", .type = Type::kText, .about = "ringing, up or held", .required = true},
    Field{.name = "from", .required = true},
    Field{.name = "to", .required = true},
    Field{.name = "legs", .type = Type::kObjects, .required = true, .most = 64, .fields = kLegFields},
    Field{.name = "started_at", .type = Type::kTime, .required = true},
    Field{.name = "answered_at", .type = Type::kTime, .required = true, .nullable = true},
};

}  // namespace bw::api
