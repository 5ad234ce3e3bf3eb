#include "runtime/detail/cgroup_owner.h"

#include <algorithm>
#include <optional>

#include <fcntl.h>

#include "base/strings.h"
#include "runtime/detail/mount_options.h"
#include "sys/file.h"
#include "sys/node.h"

namespace runtime::detail {

using base::Result;

namespace {

constexpr std::uint32_t kLeave = static_cast<std::uint32_t>(-1);

bool mounts_for_writing(const spec::oci::Spec& spec) {
  return std::ranges::any_of(spec.mounts, [](const spec::oci::Mount& one) {
    return one.type == "cgroup" && !parse_mount_options(one).read_only;
  });
}

/// Who root of the container is on the host.
std::optional<std::uint32_t> root_of(const std::vector<spec::oci::IdMapping>& mappings) {
  for (const auto& one : mappings) {
    if (one.container_id == 0 && one.size > 0) return one.host_id;
  }
  return {};
}

}  // namespace

Result<> give_cgroup_away(const cgroup::Host& host, const cgroup::Cgroup& cgroup, const spec::oci::Spec& spec,
                          bool new_user_namespace, bool new_cgroup_namespace) {
  if (!host.v2_only() || !new_user_namespace || !new_cgroup_namespace || !mounts_for_writing(spec)) return {};
  const auto owner = root_of(spec.linux_section->uid_mappings);
  const std::string directory = cgroup.directory_of("");
  if (!owner || directory.empty()) return {};
  // Absent before Linux 4.15; these three are what it said first.
  const auto listed = sys::read_file(sys::kCwd, "/sys/kernel/cgroup/delegate");
  const std::string names = listed ? *listed : "cgroup.procs\ncgroup.threads\ncgroup.subtree_control\n";
  const sys::UniqueFd folder = TRY(sys::open_dir(sys::kCwd, directory));
  for (const auto name : base::split_words(names, '\n')) {
    // Listed for all controllers, present for those of this cgroup.
    auto given = sys::set_owner_at(folder.get(), std::string{name}, *owner, kLeave);
    if (!given && !given.failed_as(base::ErrorKind::NotFound)) return std::move(given).context("hand the cgroup over");
  }
  return sys::set_owner(folder.get(), *owner, kLeave).context("hand the cgroup over");
}

}  // namespace runtime::detail
