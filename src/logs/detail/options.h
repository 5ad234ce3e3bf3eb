#pragma once
/// The options of all drivers and of those that keep files, checked and parsed.

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "logs/driver.h"

namespace logs::detail {

struct RotationOptions {
  std::optional<std::uint64_t> max_size;  ///< bytes; nullopt: never rotate
  unsigned max_files = 1;                 ///< the present one included
  bool compress = false;
};
/// Unlike docker, a log that says nothing about its size is rotated: 20 MB, five files
/// (docs/adr/030-log-rotation.md). Errors: InvalidArgument in docker's words, as for the next two.
base::Result<RotationOptions> json_file_options(const Config& config);
base::Result<RotationOptions> local_options(const Config& config);

/// The copy that makes remote drivers' logs readable: its options, or nullopt with "cache-disabled".
base::Result<std::optional<RotationOptions>> cache_options(const Config& config);

/// Whether lines are sent elsewhere, by caisson-log.
[[nodiscard]] bool is_remote(std::string_view driver);

/// go-units' sizes: "10m", "1.5 GB", "64KiB". `unit` is 1000 (FromHumanSize) or 1024 (RAMInBytes);
/// a suffix with an "i" is always 1024. nullopt if malformed or too large.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text, std::uint64_t unit);

}  // namespace logs::detail
