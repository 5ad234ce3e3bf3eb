#pragma once
/// The project's version, from CMakeLists.txt.

#include <string_view>

namespace base {

inline constexpr std::string_view kVersion = CAISSON_VERSION;

}  // namespace base
