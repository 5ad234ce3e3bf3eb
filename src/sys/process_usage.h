#pragma once
/// What this process uses. Source: proc(5), getrusage(2).

#include <cstdint>

namespace sys {

struct ProcessUsage {
  double cpu_seconds = 0;
  double start_time = 0;  ///< s since 1970
  std::uint64_t resident_bytes = 0, virtual_bytes = 0;
  std::uint64_t open_files = 0, max_files = 0;
};

/// What can't be read is 0.
[[nodiscard]] ProcessUsage usage_of_this_process();

}  // namespace sys
