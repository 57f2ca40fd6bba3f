// What a REGISTER asks for, or why it is refused before any binding is looked at (RFC 3261 §10.3 steps 1-6).
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/extension.h"
#include "model/settings.h"
#include "registrar/registrar.h"
#include "sip/header_name.h"
#include "sip/message.h"
#include "sip/uri.h"

namespace bw::registrar {

struct ContactWish {
  std::string_view uri_text;
  sip::Uri uri;
  std::string_view instance;  // without quotes and <>
  std::uint32_t reg_id = 0;   // 0 also where the outbound extension is not in use
  std::uint16_t q_thousandths = 1000;
  std::uint32_t expires_s = 0;  // within the bounds; 0: remove
};

// Views into the message it was read from.
struct RegisterRequest {
  std::string_view call_id;
  std::uint32_t cseq = 0;
  bool remove_all = false;  // Contact: *
  std::vector<ContactWish> contacts;
  std::vector<std::string_view> path;
  std::string_view user_agent;
  std::string_view aor_scheme = "sip";
  std::string_view aor_host;  // of To: the domain of GRUUs
  std::optional<std::uint16_t> aor_port;
  bool wants_path = false;  // Supported: path
  bool wants_gruu = false;  // Supported: gruu
  bool uses_outbound = false;
};

// The refusal's response is a bare one with this header, if any.
struct Refusal {
  int status = 400;
  std::string_view reason;  // empty: the standard phrase
  sip::HeaderName header = sip::HeaderName::kUnknown;
  std::string value;
};

std::expected<RegisterRequest, Refusal> read_register(const sip::Message& message,
                                                      const model::ExtensionNumber& authenticated,
                                                      const model::Settings& settings,
                                                      const RegistrarLimits& limits);

}  // namespace bw::registrar
