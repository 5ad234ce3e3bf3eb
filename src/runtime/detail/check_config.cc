#include "runtime/detail/check_config.h"

#include <algorithm>
#include <array>
#include <limits>

#include <sched.h>

#include <fmt/format.h>

#include "base/log.h"
#include "base/strings.h"
#include "runtime/detail/init_plan.h"
#include "runtime/detail/intel_rdt.h"
#include "runtime/detail/mount_options.h"
#include "runtime/detail/net_devices.h"
#include "runtime/detail/process_setup.h"
#include "sys/file.h"
#include "sys/limits.h"
#include "sys/mount.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

namespace runtime::detail {

using base::Result;

namespace {

using Row = std::pair<std::string_view, int>;
constexpr std::array<Row, 7> kPolicies{{{"MPOL_DEFAULT", 0}, {"MPOL_PREFERRED", 1}, {"MPOL_BIND", 2}, {"MPOL_INTERLEAVE", 3},
                                        {"MPOL_LOCAL", 4}, {"MPOL_PREFERRED_MANY", 5}, {"MPOL_WEIGHTED_INTERLEAVE", 6}}};
constexpr std::array<Row, 3> kPolicyFlags{
    {{"MPOL_F_STATIC_NODES", 1 << 15}, {"MPOL_F_RELATIVE_NODES", 1 << 14}, {"MPOL_F_NUMA_BALANCING", 1 << 13}}};

std::vector<std::string> names_of(std::span<const Row> rows) {
  std::vector<std::string> out;
  for (const auto& row : rows) out.emplace_back(row.first);
  return out;
}

bool host_has(const char* path) {
  const auto found = sys::exists(sys::kCwd, path);
  return found && *found;
}

Result<> check_hooks(std::string_view kind, const std::vector<spec::oci::Hook>& hooks) {
  for (std::size_t i = 0; i < hooks.size(); ++i) {
    const std::string field = fmt::format("hooks.{}[{}]", kind, i);
    if (!hooks[i].path.starts_with('/')) return base::invalid(field + ".path must be absolute");
    if (hooks[i].timeout && *hooks[i].timeout <= 0) return base::invalid(field + ".timeout must be greater than zero");
  }
  return {};
}

Result<> check_all_hooks(const spec::oci::Hooks& hooks) {
  TRY(check_hooks("prestart", hooks.prestart));
  TRY(check_hooks("createRuntime", hooks.create_runtime));
  TRY(check_hooks("createContainer", hooks.create_container));
  TRY(check_hooks("startContainer", hooks.start_container));
  TRY(check_hooks("poststart", hooks.poststart));
  return check_hooks("poststop", hooks.poststop);
}

Result<> check_mounts(const InitPlan& plan) {
  const auto& mounts = plan.spec->mounts;
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    const auto& mount = mounts[i];
    const std::string field = fmt::format("mounts[{}]", i);
    if (mount.destination.empty()) return base::invalid(field + ".destination must not be empty");
    if (!mount.destination.starts_with('/')) {
      base::log::warn("mount destination {} is not absolute: taken as relative to /", base::quoted(mount.destination));
    }
    if (mount.uid_mappings.empty() != mount.gid_mappings.empty()) {
      return base::invalid(field + ": uidMappings and gidMappings must be given together");
    }
    const MountOptions options = parse_mount_options(mount);
    if (!options.id_map) continue;
    if (!options.bind) return base::invalid(field + ": only bind mounts can be id-mapped");
    if (mount.uid_mappings.empty() && !plan.in_user_namespace()) {
      return base::invalid(field + ": an id-mapped mount needs uidMappings and gidMappings, or a user namespace");
    }
  }
  return {};
}

Result<> check_security_modules(const InitPlan& plan) {
  if (!plan.section->mount_label.empty() && !host_has("/sys/fs/selinux/enforce")) {
    return base::not_implemented("linux.mountLabel: this host has no SELinux");
  }
  return {};
}

Result<> check_mappings(std::string_view field, const std::vector<spec::oci::IdMapping>& mappings) {
  constexpr std::uint64_t kEnd = std::uint64_t{1} << 32U;
  for (std::size_t i = 0; i < mappings.size(); ++i) {
    const auto& one = mappings[i];
    if (one.size == 0) return base::invalid(fmt::format("{}[{}].size must not be 0", field, i));
    if (std::uint64_t{one.container_id} + one.size > kEnd || std::uint64_t{one.host_id} + one.size > kEnd) {
      return base::invalid(fmt::format("{}[{}]: the range ends above the highest id", field, i));
    }
  }
  return {};
}

Result<> check_namespaces(const InitPlan& plan) {
  const auto& spec = *plan.spec;
  const auto& section = *plan.section;
  const auto own = [&](int type) { return plan.has_private(type); };
  if ((!spec.hostname.empty() || !spec.domainname.empty()) && !own(CLONE_NEWUTS)) {
    return base::invalid("unable to set hostname without a private UTS namespace");
  }
  if (!plan.in_user_namespace() && (!section.uid_mappings.empty() || !section.gid_mappings.empty())) {
    return base::invalid("user namespace mappings specified, but user namespace isn't enabled");
  }
  if (plan.makes(CLONE_NEWUSER) && (section.uid_mappings.empty() || section.gid_mappings.empty())) {
    return base::invalid("a new user namespace needs uidMappings and gidMappings");
  }
  TRY(check_mappings("linux.uidMappings", section.uid_mappings));
  TRY(check_mappings("linux.gidMappings", section.gid_mappings));
  if (!section.time_offsets.empty() && !plan.makes(CLONE_NEWTIME)) {
    return base::invalid("time namespace offsets specified, but time namespace isn't enabled");
  }
  for (const auto& [clock, offset] : section.time_offsets) {
    if (clock != "monotonic" && clock != "boottime") {
      return base::invalid(fmt::format("linux.timeOffsets: unknown clock {}", base::quoted(clock)));
    }
    constexpr std::uint32_t kNanosPerSecond = 1'000'000'000;
    if (offset.nanosecs >= kNanosPerSecond) {
      return base::invalid(fmt::format("linux.timeOffsets.{}.nanosecs must be less than a second", clock));
    }
  }
  if (!section.net_devices.empty() && !own(CLONE_NEWNET)) {
    return base::invalid("linux.netDevices: unable to move network devices without a private network namespace");
  }
  TRY(check_net_devices(section.net_devices));
  for (const auto& [key, value] : section.sysctl) TRY(sysctl_path(key, plan));
  return {};
}

Result<> check_memory_policy(const spec::oci::MemoryPolicy& wanted) {
  TRY(memory_policy_of(wanted));
  const auto nodes = sys::parse_number_list(wanted.nodes);
  if (!nodes) return base::invalid("linux.memoryPolicy.nodes: invalid memory policy nodes " + base::quoted(wanted.nodes));
  if (nodes->empty() || (wanted.mode != "MPOL_DEFAULT" && wanted.mode != "MPOL_LOCAL")) return {};
  return base::invalid(fmt::format("linux.memoryPolicy.nodes: {} mode requires 0 nodes but got {}", wanted.mode, nodes->size()));
}

Result<> check_kernel_settings(const spec::oci::Linux& section) {
  bool recursive = false;
  const std::string& word = section.rootfs_propagation;
  if (!word.empty() && propagation_of(word, recursive) == 0) {
    return base::invalid("linux.rootfsPropagation: unknown value " + base::quoted(word));
  }
  if (section.personality) {
    if (!section.personality->flags.empty()) return base::invalid("linux.personality.flags: there are none yet");
    const std::string& domain = section.personality->domain;
    if (domain != "LINUX" && domain != "LINUX32") {
      return base::invalid("linux.personality.domain: unknown value " + base::quoted(domain));
    }
  }
  if (section.memory_policy) TRY(check_memory_policy(*section.memory_policy));
  if (section.intel_rdt) TRY(check_intel_rdt(*section.intel_rdt));
  return {};
}

}  // namespace

Result<int> memory_policy_of(const spec::oci::MemoryPolicy& wanted) {
  const auto* mode = std::ranges::find(kPolicies, std::string_view{wanted.mode}, &Row::first);
  if (mode == kPolicies.end()) return base::invalid("linux.memoryPolicy.mode: invalid memory policy mode " + base::quoted(wanted.mode));
  int out = mode->second;
  for (const auto& flag : wanted.flags) {
    const auto* found = std::ranges::find(kPolicyFlags, std::string_view{flag}, &Row::first);
    if (found == kPolicyFlags.end()) return base::invalid("linux.memoryPolicy.flags: invalid memory policy flag " + base::quoted(flag));
    out |= found->second;
  }
  return out;
}

std::vector<std::string> known_memory_policies() { return names_of(kPolicies); }
std::vector<std::string> known_memory_policy_flags() { return names_of(kPolicyFlags); }

Result<> check_process(const spec::oci::Process& process) {
  if (process.args.empty()) return base::invalid("process.args must have at least one argument");
  if (!process.cwd.starts_with('/')) return base::invalid("Cwd must be an absolute path");
  constexpr std::uint32_t kMostPermissions = 0777;
  if (process.user.umask.value_or(0) > kMostPermissions) return base::invalid("process.user.umask is more than 0777");
  if (process.terminal && process.console_size) {
    constexpr std::uint32_t kMost = std::numeric_limits<std::uint16_t>::max();
    if (process.console_size->height > kMost || process.console_size->width > kMost) {
      return base::invalid("process.consoleSize is more than a terminal can have");
    }
  }
  if (process.io_priority && (process.io_priority->priority < 0 || process.io_priority->priority > 7)) {
    return base::invalid("process.ioPriority.priority must be from 0 to 7");
  }
  if (process.scheduler && (process.scheduler->nice < -20 || process.scheduler->nice > 19)) {
    return base::invalid("process.scheduler.nice must be from -20 to 19");
  }
  if (process.oom_score_adj && (*process.oom_score_adj < -1000 || *process.oom_score_adj > 1000)) {
    return base::invalid("process.oomScoreAdj must be from -1000 to 1000");
  }
  if (!process.apparmor_profile.empty() && !host_has("/sys/kernel/security/apparmor") &&
      !host_has("/sys/module/apparmor/parameters/enabled")) {
    return base::not_implemented("process.apparmorProfile: this host has no AppArmor");
  }
  if (!process.selinux_label.empty() && !host_has("/sys/fs/selinux/enforce")) {
    return base::not_implemented("process.selinuxLabel: this host has no SELinux");
  }
  return check_limits(process);
}

Result<> check_config(const InitPlan& plan) {
  const auto& version = plan.spec->oci_version;
  if (!version.empty() && !version.starts_with("1.")) {
    return base::invalid(fmt::format("ociVersion: {} is not supported, only 1.x is", base::quoted(version)));
  }
  TRY(check_process(*plan.process));
  if (!plan.makes(CLONE_NEWNS)) {
    if (!plan.spec->root || plan.spec->root->path.empty()) return base::invalid("root.path is needed without a new mount namespace");
    if (!sys::has_mount_api()) return base::not_implemented("linux.namespaces: a mount namespace that is not new needs Linux 5.12");
  }
  if (plan.unprivileged && !plan.in_user_namespace()) {
    return base::invalid("rootless container requires user namespaces: add one to linux.namespaces, or run this as root");
  }
  TRY(check_namespaces(plan));
  TRY(check_mounts(plan));
  if (plan.spec->hooks) TRY(check_all_hooks(*plan.spec->hooks));
  TRY(check_kernel_settings(*plan.section));
  return check_security_modules(plan);
}

}  // namespace runtime::detail
