#pragma once
/// Engine API versions: "1.44". Nothing below `api` knows them (docs/adr/005-api-versions.md).

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "codec/json.h"

namespace api {

struct Version {
  unsigned major = 1;
  unsigned minor = 0;
  auto operator<=>(const Version&) const = default;
  [[nodiscard]] std::string str() const;
};

/// nullopt if malformed.
[[nodiscard]] std::optional<Version> parse_version(std::string_view text);
[[nodiscard]] Version newest_version();
[[nodiscard]] Version oldest_version();

struct VersionedPath {
  Version version;
  std::string_view path;
};
/// "/v1.44/info" → {1.44, "/info"}; without a version: the newest.
/// Errors: InvalidArgument outside of the range, with docker's wording.
base::Result<VersionedPath> split_version(std::string_view path, Version oldest = oldest_version());

/// Whether `text` may be daemon.json's "min-api-version". Errors: InvalidArgument, with docker's wording.
base::Result<> check_minimum(std::string_view text);

}  // namespace api
