#pragma once
/// What the archive endpoints say about a file of a container.

#include <cstdint>
#include <string>

namespace spec::api {

/// The JSON in the header X-Docker-Container-Path-Stat.
struct PathStat {
  std::string name;
  std::int64_t size = 0;
  std::uint32_t mode = 0;  ///< Go's os.FileMode, see go_mode
  std::string mtime;       ///< RFC 3339
  std::string link_target;
};
void describe(auto& v, PathStat& s) {
  v("name", s.name);
  v("size", s.size);
  v("mode", s.mode);
  v("mtime", s.mtime);
  v("linkTarget", s.link_target);
}

/// Bits of Go's os.FileMode beside the nine of permission. Source: package io/fs.
namespace go_mode {
inline constexpr std::uint32_t kDirectory = 1U << 31U;
inline constexpr std::uint32_t kSymlink = 1U << 27U;
inline constexpr std::uint32_t kDevice = 1U << 26U;
inline constexpr std::uint32_t kNamedPipe = 1U << 25U;
inline constexpr std::uint32_t kSocket = 1U << 24U;
inline constexpr std::uint32_t kSetuid = 1U << 23U;
inline constexpr std::uint32_t kSetgid = 1U << 22U;
inline constexpr std::uint32_t kCharDevice = 1U << 21U;
inline constexpr std::uint32_t kSticky = 1U << 20U;
}  // namespace go_mode

/// One line of `docker diff`.
struct FilesystemChange {
  std::string path;
  std::uint8_t kind = 0;  ///< 0 modified, 1 added, 2 deleted
};
void describe(auto& v, FilesystemChange& c) {
  v("Path", c.path);
  v("Kind", c.kind);
}

}  // namespace spec::api
