#include "audio/codec.h"

#include <algorithm>
#include <array>

#include "audio/detail/coders.h"
#include "base/ascii.h"

namespace bw::audio {
namespace {

struct Known {
  std::string_view name;
  CodecKind kind;
  std::uint32_t clock;
  unsigned channels;
};
constexpr std::array kKnown{
    Known{"PCMU", CodecKind::kPcmu, 8'000, 1}, Known{"PCMA", CodecKind::kPcma, 8'000, 1},
    Known{"G722", CodecKind::kG722, 8'000, 1}, Known{"opus", CodecKind::kOpus, 48'000, 2},
    Known{"GSM", CodecKind::kGsm, 8'000, 1},
};

}  // namespace

std::optional<CodecKind> codec_kind(std::string_view name, std::uint32_t clock_rate, unsigned channels) {
  for (const Known& k : kKnown) {
    if (!iequals(k.name, name) || k.channels != channels) continue;
    // G722/16000 is the well-known slip for 8000.
    if (k.clock == clock_rate || (k.kind == CodecKind::kG722 && clock_rate == 16'000)) return k.kind;
  }
  return std::nullopt;
}

std::uint32_t rtp_clock(CodecKind kind) {
  return kind == CodecKind::kOpus ? 48'000 : 8'000;
}

std::uint32_t native_rate(CodecKind kind) {
  switch (kind) {
    case CodecKind::kPcmu:
    case CodecKind::kPcma:
    case CodecKind::kGsm:
      return 8'000;
    case CodecKind::kG722:
      return 16'000;
    case CodecKind::kOpus:
      return 48'000;
  }
  return 8'000;
}

std::uint32_t best_rate(CodecKind kind, std::uint32_t wanted) {
  return kind == CodecKind::kOpus ? wanted : native_rate(kind);
}

int sound_rank(CodecKind kind) {
  switch (kind) {
    case CodecKind::kOpus:
      return 4;
    case CodecKind::kG722:
      return 3;
    case CodecKind::kPcmu:
    case CodecKind::kPcma:
      return 2;
    case CodecKind::kGsm:
      return 1;
  }
  return 0;
}

std::unique_ptr<Decoder> make_decoder(CodecKind kind, std::uint32_t rate) {
  switch (kind) {
    case CodecKind::kPcmu:
      return detail::make_mu_law_decoder();
    case CodecKind::kPcma:
      return detail::make_a_law_decoder();
    case CodecKind::kG722:
      return detail::make_g722_decoder();
    case CodecKind::kOpus:
      return detail::make_opus_decoder(rate);
    case CodecKind::kGsm:
      return detail::make_gsm_decoder();
  }
  return nullptr;
}

std::unique_ptr<Encoder> make_encoder(CodecKind kind, std::uint32_t rate, std::string_view peer_fmtp) {
  switch (kind) {
    case CodecKind::kPcmu:
      return detail::make_mu_law_encoder();
    case CodecKind::kPcma:
      return detail::make_a_law_encoder();
    case CodecKind::kG722:
      return detail::make_g722_encoder();
    case CodecKind::kOpus:
      return detail::make_opus_encoder(rate, peer_fmtp);
    case CodecKind::kGsm:
      return detail::make_gsm_encoder();
  }
  return nullptr;
}

}  // namespace bw::audio
