#pragma once
/// What Container::checkpoint and Container::restore can be told. Both drive CRIU, which must be
/// installed (3.15 or newer); its images are files in one directory, with two of ours:
///
///   <image path>/inventory.img, core-1.img, …  CRIU's
///   <image path>/descriptors.json              what 0, 1 and 2 of the container were: ["pipe:[123]", …]
///   <image path>/images.json                   their sizes; a restore refuses others
///   <work path>/dump.log, restore.log          what CRIU did
///
/// The layout is runc's, so a checkpoint of one can be restored by the other if the root file system and
/// the mounts are the same. Sources: runc-checkpoint(8), runc-restore(8), criu(8).

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "runtime/container.h"

namespace runtime {

/// What CRIU does with the cgroups that the processes were in.
enum class CgroupMode : std::uint8_t { Default, Soft, Full, Strict, Ignore };
/// "", "soft", "full", "strict", "ignore". Errors: InvalidArgument.
base::Result<CgroupMode> parse_cgroup_mode(std::string_view word);

struct CriuOptions {
  std::string criu = "criu";  ///< the program; without a slash it is looked for in PATH and in sbin
  std::string image_path;     ///< absolute
  std::string work_path;      ///< absolute; empty: the image path
  bool tcp_established = false;
  bool ext_unix_sk = false;
  bool shell_job = false;
  bool file_locks = false;
  bool auto_dedup = false;
  bool lazy_pages = false;
  CgroupMode cgroup_mode = CgroupMode::Default;
};

struct CheckpointOptions : CriuOptions {
  std::string parent_path;  ///< an earlier pre-dump, relative to image_path
  bool leave_running = false;
  bool pre_dump = false;  ///< memory only; the container runs on
  bool tcp_skip_in_flight = false;
  bool link_remap = false;
  std::string page_server;      ///< an address; empty: none
  std::uint16_t page_port = 0;  ///< with lazy_pages: where the pages are served
  /// Gets a zero byte when the server of lazy pages is ready; stays the caller's. -1: none.
  int status_fd = -1;
};

struct RestoreOptions : CriuOptions {
  /// What `create` is told; `start_at_once`, `preserve_fds` and `no_pivot` mean nothing here.
  CreateOptions container;
  std::string lsm_profile;        ///< "apparmor:<name>" or "selinux:<label>" in place of the recorded one
  std::string lsm_mount_context;  ///< in place of the recorded one
};

}  // namespace runtime
