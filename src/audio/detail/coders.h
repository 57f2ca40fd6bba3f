// The coders, one file per codec.
#pragma once

#include <memory>
#include <string_view>

#include "audio/codec.h"

namespace bw::audio::detail {

std::unique_ptr<Decoder> make_mu_law_decoder();
std::unique_ptr<Decoder> make_a_law_decoder();
std::unique_ptr<Encoder> make_mu_law_encoder();
std::unique_ptr<Encoder> make_a_law_encoder();
std::unique_ptr<Decoder> make_g722_decoder();
std::unique_ptr<Encoder> make_g722_encoder();
std::unique_ptr<Decoder> make_gsm_decoder();
std::unique_ptr<Encoder> make_gsm_encoder();
std::unique_ptr<Decoder> make_opus_decoder(std::uint32_t rate);
std::unique_ptr<Encoder> make_opus_encoder(std::uint32_t rate, std::string_view peer_fmtp);

}  // namespace bw::audio::detail
