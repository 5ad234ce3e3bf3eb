#pragma once
/// The media type of a container's raw streams.

#include <string_view>

#include "api/version.h"

namespace api {

/// Multiplexed streams have a type of their own from API 1.42 on.
[[nodiscard]] inline std::string_view stream_type(Version version, bool tty) {
  return tty || version < Version{1, 42} ? "application/vnd.docker.raw-stream"
                                         : "application/vnd.docker.multiplexed-stream";
}

}  // namespace api
