#include <array>

#include <unistd.h>

#include "base/strings.h"
#include "cgroup/cgroup.h"
#include "cmd/caisson-runtime/commands.h"
#include "runtime/features.h"
#include "spec/runtime_config.h"
#include "sys/file.h"

namespace caisson_runtime {

using base::Result;

namespace {

spec::oci::Spec example() {
  spec::oci::Spec spec;
  spec.oci_version = std::string{spec::oci::kRuntimeSpecVersion};
  spec.root = spec::oci::Root{"rootfs", true};
  spec.hostname = "caisson";
  auto& process = spec.process.emplace();
  process.terminal = true;
  process.args = {"sh"};
  process.env = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"};
  process.no_new_privileges = true;
  process.rlimits = {{"RLIMIT_NOFILE", 1024, 1024}};
  const std::vector<std::string> capabilities{"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"};
  process.capabilities = spec::oci::Capabilities{capabilities, capabilities, {}, capabilities, {}};
  spec.mounts = {
      {"/proc", "proc", "proc", {}, {}, {}},
      {"/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}, {}, {}},
      {"/dev/pts", "devpts", "devpts", {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}, {}, {}},
      {"/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}, {}, {}},
      {"/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}, {}, {}},
      {"/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}, {}, {}},
      {"/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "relatime", "ro"}, {}, {}},
  };
  auto& section = spec.linux_section.emplace();
  section.masked_paths = {"/proc/acpi",          "/proc/asound",     "/proc/kcore",        "/proc/keys",
                          "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",  "/proc/sched_debug",
                          "/sys/firmware",       "/proc/scsi",       "/proc/interrupts",   "/sys/devices/virtual/powercap"};
  section.readonly_paths = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};
  section.resources.emplace().devices = {{false, "", {}, {}, "rwm"}};
  for (const char* type : {"pid", "network", "ipc", "uts", "mount"}) section.namespaces.push_back({type, {}});
  const auto host = cgroup::Host::detect();
  if (host && host->v2_only()) section.namespaces.push_back({"cgroup", {}});
  return spec;
}

/// For a user who is not root: ids of that user, no network of its own, no limits, no gid 5.
void make_rootless(spec::oci::Spec& spec) {
  auto& section = *spec.linux_section;
  std::erase_if(section.namespaces, [](const auto& one) { return one.type == "network"; });
  section.namespaces.push_back({"user", {}});
  section.uid_mappings = {{0, ::geteuid(), 1}};
  section.gid_mappings = {{0, ::getegid(), 1}};
  section.resources.reset();
  for (auto& mount : spec.mounts) {
    std::erase(mount.options, "gid=5");
    if (mount.destination != "/sys") continue;
    mount = {"/sys", "none", "/sys", {"rbind", "nosuid", "noexec", "nodev", "ro"}, {}, {}};
  }
}

}  // namespace

Result<int> run_spec(const Globals& /*globals*/, const Arguments& arguments) {
  const std::string file = arguments.value_or("bundle", ".") + "/config.json";
  if (TRY(sys::exists(sys::kCwd, file))) {
    return base::conflict("File config.json exists. Remove it first");
  }
  auto spec = example();
  if (arguments.has("rootless")) make_rootless(spec);
  TRY(sys::write_file_atomic(sys::kCwd, file, codec::to_json(spec).dump_pretty() + "\n", 0666));
  return 0;
}

Result<int> run_features(const Globals& /*globals*/, const Arguments& /*arguments*/) {
  TRY(print(runtime::features().dump_pretty() + "\n"));
  return 0;
}

}  // namespace caisson_runtime
