#pragma once
/// The options of the drivers, checked and parsed.

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "logs/driver.h"

namespace logs::detail {

struct JsonFileOptions {
  std::optional<std::uint64_t> max_size;  ///< bytes; nullopt: never rotate
  unsigned max_files = 1;                 ///< the present one included
  bool compress = false;
};
/// Errors: InvalidArgument in docker's words.
base::Result<JsonFileOptions> json_file_options(const Config& config);

/// go-units' sizes: "10m", "1.5 GB", "64KiB". `unit` is 1000 (FromHumanSize) or 1024 (RAMInBytes);
/// a suffix with an "i" is always 1024. nullopt if malformed or too large.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text, std::uint64_t unit);

}  // namespace logs::detail
