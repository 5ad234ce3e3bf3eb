#pragma once
/// What a shim and caisson-log, which sends lines elsewhere for it, say to each other, over a stream socket:
///
///   shim → caisson-log   frames: a Header, then `length` bytes
///                        first one Config: JSON of logs::Config
///                        then Stdout and Stderr: bytes as they were read from the process; `time`: when
///                        StdoutEnd, StderrEnd: what stands there without a newline is all there is
///                        the end of the stream: send what is left, within a while, and leave
///   caisson-log → shim   once: "ok\n", or why the driver can't begin and the end of the stream
///
/// Both are of one build and one host, so numbers are as the processor has them.

#include <cstdint>

namespace logs::feed {

inline constexpr int kDescriptor = 3;
inline constexpr char kReady[] = "ok\n";

enum class Kind : std::uint32_t { Config, Stdout, Stderr, StdoutEnd, StderrEnd };

struct Header {
  std::uint32_t length = 0;
  Kind kind = Kind::Config;
  std::int64_t time = 0;  ///< ns since 1970
};

/// No frame is longer.
inline constexpr std::size_t kLongest = std::size_t{1} << 20U;

}  // namespace logs::feed
