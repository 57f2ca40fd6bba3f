// The answers to a REGISTER (RFC 3261 §10.3 step 8).
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/time.h"
#include "model/binding.h"
#include "registrar/detail/gruu.h"
#include "registrar/detail/register_request.h"
#include "sip/message.h"

namespace bw::registrar {

sip::Message make_refusal(const sip::Message& request, const Refusal& refusal, std::string_view tag);

// 200 with all current bindings, and GRUUs for those with an instance if the phone wants them.
sip::Message make_ok(const sip::Message& message, const RegisterRequest& request, std::string_view tag,
                     std::span<const model::Binding* const> bindings, GruuMint& gruus, bool over_stream,
                     Instant now);

// "Sat, 13 Nov 2010 23:29:00 GMT" (RFC 3261 §20.17).
std::string sip_date(Instant now);

}  // namespace bw::registrar
