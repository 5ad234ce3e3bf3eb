#include <set>
#include <string_view>

#include <sys/mount.h>
#include <sys/sysmacros.h>

#include "runtime/detail/rootfs.h"
#include "sys/file.h"
#include "sys/mount.h"

namespace runtime::detail {

using base::Result;
using sys::UniqueFd;

namespace {

/// What covers masked things: for files the host's /dev/null, for directories one empty tmpfs. Both
/// are cloned once per path.
class Covers {
 public:
  Result<> cover(int target) {
    const bool directory = S_ISDIR(TRY(sys::stat_fd(target)).st_mode);
    if (directory && !empty_) {
      sys::NewMount wanted{.type = "tmpfs", .source = "tmpfs", .parameters = {{"size", "0"}, {"nr_inodes", "1"}}};
      wanted.attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
      empty_ = TRY(sys::make_mount(wanted));
      return sys::attach_mount(empty_.get(), target);
    }
    if (!directory && !null_) null_ = TRY(open_null());
    const UniqueFd tree = TRY(sys::clone_mount(directory ? empty_.get() : null_.get(), "", false));
    if (!directory) TRY(sys::change_mount(tree.get(), {.propagation = MS_PRIVATE}, false));
    return sys::attach_mount(tree.get(), target);
  }

 private:
  static Result<UniqueFd> open_null() {
    UniqueFd null = TRY(sys::open_at(sys::kCwd, "/dev/null", O_PATH));
    const struct ::stat status = TRY(sys::stat_fd(null.get()));
    if (!S_ISCHR(status.st_mode) || status.st_rdev != makedev(1, 3)) {
      return base::invalid("/dev/null of the host is not the null device");
    }
    return null;
  }

  UniqueFd null_;
  UniqueFd empty_;
};

/// From the file system itself where it can be, so that nothing on the way to it can be exchanged.
Result<UniqueFd> find(const RootfsPlan& plan, const KernelMounts& kernel, std::string_view path) {
  constexpr std::string_view kProc = "/proc/";
  constexpr std::string_view kSys = "/sys/";
  if (kernel.proc && path.starts_with(kProc)) {
    return sys::open_in_root(kernel.proc.get(), std::string{path.substr(kProc.size())}, O_PATH);
  }
  if (kernel.sys && path.starts_with(kSys)) {
    return sys::open_in_root(kernel.sys.get(), std::string{path.substr(kSys.size())}, O_PATH);
  }
  return sys::open_in_root(plan.root.get(), std::string{path}, O_PATH);
}

}  // namespace

Result<> hide_paths(const RootfsPlan& plan, const KernelMounts& kernel) {
  const auto& section = *plan.spec->linux_section;
  for (const auto& path : section.readonly_paths) {
    auto target = find(plan, kernel, path);
    if (target.failed_as(base::ErrorKind::NotFound)) continue;
    const UniqueFd found = TRY(std::move(target).context("make " + path + " read-only"));
    const UniqueFd tree = TRY(sys::clone_mount(found.get(), "", true).context("make " + path + " read-only"));
    TRY(sys::change_mount(tree.get(), {.set = MOUNT_ATTR_RDONLY}, true).context("make " + path + " read-only"));
    TRY(sys::attach_mount(tree.get(), found.get()).context("make " + path + " read-only"));
  }
  Covers covers;
  std::set<std::string_view> masked;
  for (const auto& path : section.masked_paths) {
    if (!masked.insert(path).second) continue;
    auto target = find(plan, kernel, path);
    if (target.failed_as(base::ErrorKind::NotFound)) continue;
    const UniqueFd found = TRY(std::move(target).context("mask " + path));
    TRY(covers.cover(found.get()).context("mask " + path));
  }
  return {};
}

}  // namespace runtime::detail
