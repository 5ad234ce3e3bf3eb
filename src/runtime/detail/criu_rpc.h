#pragma once
/// CRIU's RPC: the requests and responses that this runtime has a use for, and their wire format.
///
/// The format is protobuf; the field numbers stand in criu_rpc.cc. Names follow CRIU's rpc.proto, where a
/// person who reads CRIU's log finds them again. Source: criu's images/rpc.proto, https://criu.org/RPC.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "base/result.h"

namespace runtime::detail::criu {

enum class RequestType : std::int32_t {
  Empty = 0,
  Dump = 1,
  Restore = 2,
  PreDump = 4,
  Notify = 6,
  FeatureCheck = 9,
  Version = 10,
};
[[nodiscard]] std::string_view name_of(RequestType type);

enum class CgroupManagement : std::int32_t { Ignore = 0, Soft = 3, Full = 4, Strict = 5, Default = 6 };
enum class NetworkLock : std::int32_t { Iptables = 1, Nftables = 2 };

/// ext_mnt. For a dump: a mount point and the name to record for it. For a restore: such a name and the
/// path of what stands for it now.
struct ExternalMount {
  std::string key;
  std::string value;
};
struct CgroupRoot {
  std::string controller;  ///< empty on v2
  std::string path;
};
struct InheritedFd {
  std::string key;
  int fd = -1;  ///< a number in CRIU's table
};
struct JoinedNamespace {
  std::string type;  ///< "ipc", "uts", …
  std::string path;
};

/// criu_opts. Flags that are false are not sent. Descriptors are ours unless said otherwise: CRIU opens
/// them by /proc/<our pid>/fd.
struct Options {
  int images_dir_fd = -1;
  int work_dir_fd = -1;
  pid_t pid = 0;
  std::int32_t log_level = 4;
  std::string log_file;
  std::string root;
  std::string parent_img;
  std::string freeze_cgroup;
  std::string config_file;
  std::string lsm_profile;
  std::string lsm_mount_context;
  std::string page_server_address;
  std::int32_t page_server_port = 0;
  std::uint32_t empty_ns = 0;  ///< CLONE_NEWNET
  std::optional<CgroupManagement> manage_cgroups_mode;
  std::optional<NetworkLock> network_lock;
  bool leave_running = false;
  bool ext_unix_sk = false;
  bool tcp_established = false;
  bool tcp_skip_in_flight = false;
  bool evasive_devices = false;
  bool shell_job = false;
  bool file_locks = false;
  bool notify_scripts = false;
  bool track_mem = false;
  bool auto_dedup = false;
  bool link_remap = false;
  bool rst_sibling = false;
  bool lazy_pages = false;
  bool orphan_pts_master = false;
  std::vector<ExternalMount> ext_mnt;
  std::vector<CgroupRoot> cg_root;
  std::vector<InheritedFd> inherit_fd;
  std::vector<std::string> external;
  std::vector<JoinedNamespace> join_ns;
};

struct Features {
  bool mem_track = false;
  bool lazy_pages = false;
};

struct Request {
  RequestType type = RequestType::Empty;
  std::optional<Options> opts;
  std::optional<bool> notify_success;
  bool keep_open = false;
  std::optional<Features> features;
};
[[nodiscard]] std::string encode(const Request& request);

struct Version {
  std::int32_t major = 0;
  std::int32_t minor = 0;
  std::int32_t sublevel = 0;
  /// 3.17.1 → 31701.
  [[nodiscard]] std::int32_t number() const { return major * 10000 + minor * 100 + sublevel; }
};

struct Notification {
  std::string script;
  pid_t pid = 0;  ///< of the restored init, in our PID namespace; 0 where it says nothing
};

struct Response {
  RequestType type = RequestType::Empty;
  bool success = false;
  std::int32_t cr_errno = 0;
  std::string cr_errmsg;
  std::optional<Notification> notify;
  std::optional<Features> features;
  std::optional<Version> version;
  std::optional<pid_t> restored_pid;
};
/// Errors: InvalidArgument for what is no response; unknown fields are passed over.
base::Result<Response> decode(std::string_view packet);

}  // namespace runtime::detail::criu
