#include "runtime/detail/shared_pid.h"

#include <linux/magic.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/log.h"
#include "base/scope_guard.h"
#include "base/strings.h"
#include "runtime/detail/channel.h"
#include "runtime/detail/mount_options.h"
#include "sys/crash_point.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "sys/namespace.h"

namespace runtime::detail {

using base::Result;
using sys::UniqueFd;

namespace {

/// "/proc/123/ns/pid" → 123.
std::optional<std::uint64_t> process_of(const spec::oci::Linux& section) {
  for (const auto& one : section.namespaces) {
    if (one.type != "pid") continue;
    const auto parts = base::split_words(one.path, '/');
    if (parts.size() == 4 && parts[0] == "proc" && parts[2] == "ns" && parts[3] == "pid")
      return base::parse_uint(parts[1]);
  }
  return std::nullopt;
}

Result<UniqueFd> by_option(const InitPlan& plan, const spec::oci::Mount& mount) {
  TRY(sys::inject("runtime.procfs.option"));
  const MountOptions options = parse_mount_options(mount);
  sys::NewMount wanted{.type = mount.type, .source = mount.source.empty() ? mount.type : mount.source};
  wanted.parameters = options.parameters;
  wanted.parameters.push_back({"pidns", sys::proc_path(plan.joined_pid.get()), false});
  wanted.attributes = options.change.set;
  return sys::make_mount(wanted);
}

/// What is on /proc here, a copy of that one mount, if its process 1 is of that namespace, which no other
/// procfs has.
Result<UniqueFd> copy_of_proc(int pid_namespace) {
  const UniqueFd place = TRY(sys::open_at(sys::kCwd, "/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW));
  TRY(sys::require_file_system(place.get(), PROC_SUPER_MAGIC, "/proc in the joined PID namespace"));
  const struct ::stat theirs = TRY(sys::stat_fd(TRY(sys::open_at(place.get(), "1/ns/pid", O_RDONLY)).get()));
  const struct ::stat wanted = TRY(sys::stat_fd(pid_namespace));
  if (theirs.st_ino != wanted.st_ino || theirs.st_dev != wanted.st_dev)
    return base::not_found("another PID namespace's procfs");
  return sys::clone_mount(place.get(), "", false);
}

/// A process of its own goes to the mounts of `process`; it is in no PID namespace but ours, where they don't
/// see it.
Result<UniqueFd> by_copy(const InitPlan& plan, std::uint64_t process) {
  const UniqueFd mounts = TRY(sys::open_at(sys::kCwd, fmt::format("/proc/{}/ns/mnt", process), O_RDONLY));
  auto pair = TRY(Channel::make());
  const sys::Process helper = TRY(sys::clone_process({}));
  if (!helper.valid()) {
    pair.parent.close();
    const auto sent = [&]() -> Result<> {
      TRY(sys::enter_namespaces(mounts.get(), CLONE_NEWNS));
      const UniqueFd copy = TRY(copy_of_proc(plan.joined_pid.get()));
      return pair.child.send(Topic::Ready, {}, {copy.get()});
    }();
    if (!sent) pair.child.send_failure(sent.error());
    ::_exit(0);
  }
  pair.child.close();
  const base::ScopeGuard reap{[&] { base::ignore(helper.wait(), "only to reap it"); }};
  Packet packet = TRY(pair.parent.expect(Topic::Ready));
  if (packet.fds.size() != 1) return base::internal("a malformed message from a helper");
  return std::move(packet.fds.front());
}

Result<UniqueFd> procfs(const InitPlan& plan, const spec::oci::Mount& mount) {
  auto made = by_option(plan, mount);
  const auto process = process_of(*plan.section);
  if (made || !process) return made;
  UniqueFd copy = TRY(by_copy(plan, *process));
  constexpr std::uint64_t kFlags =
      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  const std::uint64_t set = parse_mount_options(mount).change.set & kFlags;
  TRY(sys::change_mount(copy.get(), {.set = set, .clear = kFlags & ~set, .propagation = MS_PRIVATE}, false));
  return copy;
}

}  // namespace

Result<bool> open_procfs(InitPlan& plan) {
  if (!sys::has_mount_api()) return false;
  const auto& mounts = plan.spec->mounts;
  std::vector<UniqueFd> found(mounts.size());
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    if (mounts[i].type != "proc") continue;
    auto opened = procfs(plan, mounts[i]);
    if (!opened) {
      base::log::debug("no procfs of the joined PID namespace from outside: {}", opened.error().message());
      return false;
    }
    found[i] = std::move(*opened);
  }
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    if (found[i]) plan.rootfs.trees[i] = std::move(found[i]);
  }
  return true;
}

}  // namespace runtime::detail
