#include "runtime/detail/criu_options.h"

#include <sched.h>

#include "base/strings.h"
#include "runtime/detail/criu_session.h"
#include "runtime/detail/image_manifest.h"
#include "sys/file.h"
#include "sys/node.h"

namespace runtime::detail::criu {

using base::Result;
using sys::UniqueFd;

namespace {

CgroupManagement management_of(CgroupMode mode) {
  switch (mode) {
    case CgroupMode::Default: return CgroupManagement::Default;
    case CgroupMode::Soft: return CgroupManagement::Soft;
    case CgroupMode::Full: return CgroupManagement::Full;
    case CgroupMode::Strict: return CgroupManagement::Strict;
    case CgroupMode::Ignore: return CgroupManagement::Ignore;
  }
  return CgroupManagement::Default;
}

/// CRIU blocks the network of what it dumps by iptables(8) unless told otherwise. A host that has only
/// nftables lacks that program; CRIU speaks nftables without one since 3.17.
Result<std::optional<NetworkLock>> network_lock(const Version& version) {
  constexpr std::int32_t kFirst = 31700;
  if (version.number() < kFirst || find_criu("iptables-restore")) return std::optional<NetworkLock>{};
  return std::optional{NetworkLock::Nftables};
}

}  // namespace

Result<UniqueFd> open_images(const std::string& path) {
  UniqueFd opened = TRY(sys::open_dir(sys::kCwd, path).context("open the checkpoint"));
  if (!TRY(sys::exists(opened.get(), "inventory.img"))) {
    return base::not_found("no checkpoint in " + base::quoted(path) + ": it has no inventory.img");
  }
  TRY(check_manifest(opened.get()).context(path));
  return opened;
}

Result<> let_others_search(int images) {
  const struct ::stat status = TRY(sys::stat_fd(images));
  return sys::set_mode(images, (status.st_mode & 07777U) | 0011U).context("open the directory of the checkpoint to the container's root");
}

Result<UniqueFd> open_work_directory(const std::string& path) {
  if (path.empty()) return UniqueFd{};
  TRY(sys::make_dirs(sys::kCwd, path, 0700).context("make the work directory"));
  return sys::open_dir(sys::kCwd, path);
}

std::string log_path(const CriuOptions& options, std::string_view name) {
  std::string out = options.work_path.empty() ? options.image_path : options.work_path;
  return out.append("/").append(name);
}

Result<Options> common_options(const CriuOptions& wanted, const UniqueFd& images, const UniqueFd& work, std::string_view log,
                               const Version& version) {
  Options out;
  out.images_dir_fd = images.get();
  out.work_dir_fd = work.get();
  out.log_file = log;
  out.notify_scripts = true;
  out.orphan_pts_master = true;
  out.tcp_established = wanted.tcp_established;
  out.ext_unix_sk = wanted.ext_unix_sk;
  out.shell_job = wanted.shell_job;
  out.file_locks = wanted.file_locks;
  out.auto_dedup = wanted.auto_dedup;
  out.lazy_pages = wanted.lazy_pages;
  out.manage_cgroups_mode = management_of(wanted.cgroup_mode);
  // Interfaces and addresses are made by whoever made them the first time: a hook, or an engine.
  out.empty_ns = CLONE_NEWNET;
  out.network_lock = TRY(network_lock(version));
  return out;
}

std::string config_file(const std::map<std::string, std::string>& annotations) {
  if (const auto own = annotations.find("org.criu.config"); own != annotations.end()) return own->second;
  const std::string path = "/etc/criu/caisson-runtime.conf";
  const auto found = sys::exists(sys::kCwd, path);
  return found && *found ? path : "/etc/criu/runc.conf";
}

std::string external_namespace_key(std::string_view type) {
  if (type == "network") return "extRootNetNS";
  if (type == "pid") return "extRootPidNS";
  return {};
}

}  // namespace runtime::detail::criu
