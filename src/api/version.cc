#include "api/version.h"

#include <fmt/format.h>

#include "base/strings.h"
#include "engine/system.h"

namespace api {

std::string Version::str() const { return fmt::format("{}.{}", major, minor); }

std::optional<Version> parse_version(std::string_view text) {
  const auto parts = base::cut(text, ".");
  if (!parts) return std::nullopt;
  const auto major = base::parse_uint(parts->first);
  const auto minor = base::parse_uint(parts->second);
  if (!major || !minor || *major > 99 || *minor > 999) return std::nullopt;
  return Version{static_cast<unsigned>(*major), static_cast<unsigned>(*minor)};
}

Version newest_version() { return parse_version(engine::kApiVersion).value_or(Version{}); }
Version oldest_version() { return parse_version(engine::kMinApiVersion).value_or(Version{}); }

base::Result<VersionedPath> split_version(std::string_view path, Version oldest) {
  if (!path.starts_with("/v")) return VersionedPath{newest_version(), path};
  const auto slash = path.find('/', 1);
  const auto version = parse_version(path.substr(2, slash == std::string_view::npos ? slash : slash - 2));
  if (!version) return VersionedPath{newest_version(), path};
  if (*version < oldest) {
    return base::invalid(
        fmt::format("client version {} is too old. Minimum supported API version is {}, please upgrade your "
                    "client to a newer version",
                    version->str(), oldest.str()));
  }
  if (*version > newest_version()) {
    return base::invalid(fmt::format("client version {} is too new. Maximum supported API version is {}",
                                     version->str(), newest_version().str()));
  }
  return VersionedPath{*version, slash == std::string_view::npos ? "/" : path.substr(slash)};
}

base::Result<> check_minimum(std::string_view text) {
  const auto version = parse_version(text);
  if (!version) return base::invalid(fmt::format("invalid minimum API version: {}", base::quoted(text)));
  if (*version < oldest_version()) {
    return base::invalid(fmt::format("minimum supported API version is {}: {}", oldest_version().str(), text));
  }
  if (*version > newest_version()) {
    return base::invalid(fmt::format("maximum supported API version is {}: {}", newest_version().str(), text));
  }
  return {};
}

}  // namespace api
