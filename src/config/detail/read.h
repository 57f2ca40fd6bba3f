// Reads the sections of config.yml into their structures: one function per mapping of the key table.
#pragma once

#include "config/config.h"
#include "config/detail/section.h"

namespace bw::config::detail {

void read_features(Section& s, Features& out);
void read_recording(Section& s, Recording& out);
void read_voicemail(Section& s, Voicemail& out);
void read_conference(Section& s, Conference& out);
void read_queue(Section& s, Queue& out);
void read_parking(Section& s, Parking& out);
void read_presence(Section& s, Presence& out);
void read_prompts(Section& s, Prompts& out);
void read_music_on_hold(Section& s, MusicOnHold& out);
void read_auto_attendant(Section& s, AutoAttendant& out);
void read_security(Section& s, Security& out);
void read_trunk(Section& s, Trunk& out);
void read_emergency(Section& s, Emergency& out);
void read_active_directory(Section& s, ActiveDirectory& out);
void read_provisioning(Section& s, Provisioning& out);

// The whole file.
void read_config(Section& root, Config& out);

// What only several keys together can tell: ports that collide, numbers given twice, passwords that are weak.
void check(Reading& reading, const Config& config);

// A warning for each key that asks for something this version does not do.
void warn_unsupported(Reading& reading, const Config& config);

}  // namespace bw::config::detail
