// What this program calls itself.
#pragma once

namespace bw::api {

inline constexpr const char* kVersion = BW_VERSION;  // project(VERSION) of CMakeLists.txt

}  // namespace bw::api
