// What we tell browsers of our end of a media connection.
#pragma once

#include "base/rng.h"
#include "model/settings.h"
#include "webrtc/description.h"

namespace bw::calls {

webrtc::IceCredentials fresh_credentials(Rng& rng);
// Where we can be reached and what our certificate is.
webrtc::OwnParameters own_parameters(const model::Settings& settings, const webrtc::IceCredentials& ice);

}  // namespace bw::calls
