#pragma once
/// The options of one mount, sorted by what they act on. Source: OCI config.md "Linux mount options",
/// mount(8), mount_setattr(2).

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "spec/runtime_config.h"
#include "sys/mount.h"

namespace runtime::detail {

struct MountOptions {
  bool bind = false;
  bool recursive_bind = false;
  bool copy_up = false;  ///< tmpcopyup
  bool read_only = false;
  bool id_map = false;
  bool id_map_recursive = false;
  bool names_flags = false;           ///< of the mount itself: set or cleared
  sys::MountChange change;            ///< those
  std::optional<std::uint64_t> access_time;  ///< MOUNT_ATTR_NOATIME, _RELATIME, _STRICTATIME, if one is asked for
  sys::MountChange recursive_change;  ///< "rro", "rnoexec", …: of it and all below
  std::uint64_t propagation = 0;      ///< MS_PRIVATE, … or 0
  bool propagation_recursive = false;
  std::vector<sys::MountParameter> parameters;  ///< the file system's own
};

#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif

/// Unknown words are parameters of the file system, for it to judge.
[[nodiscard]] MountOptions parse_mount_options(const spec::oci::Mount& mount);

/// "shared", "rprivate", … → MS_*. 0 for another word. `recursive` says whether it had the "r".
[[nodiscard]] std::uint64_t propagation_of(std::string_view word, bool& recursive);

/// All words that are not passed on, for `features`.
[[nodiscard]] std::vector<std::string> known_mount_options();

}  // namespace runtime::detail
