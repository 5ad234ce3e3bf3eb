#include "engine/host_facts.h"

#include <algorithm>

#include "base/strings.h"
#include "cgroup/cgroup.h"
#include "engine/oci/capabilities.h"
#include "sys/file.h"

namespace engine {
namespace {

std::string text_of(const std::string& path) {
  auto text = sys::read_file(sys::kCwd, path);
  return text ? std::string{base::trim(*text)} : std::string{};
}

bool exists(const std::string& path) { return sys::exists(sys::kCwd, path).value_or(false); }

std::string own_machine() {
#if defined(__x86_64__)
  return "x86_64";
#elif defined(__aarch64__)
  return "aarch64";
#else
  return text_of("/proc/sys/kernel/arch");
#endif
}

void read_kernel(HostFacts& facts) {
  facts.machine = own_machine();
  facts.kernel_release = text_of("/proc/sys/kernel/osrelease");
  facts.hostname = text_of("/proc/sys/kernel/hostname");
  const auto parts = base::split(facts.kernel_release, '.');
  if (parts.size() >= 2) {
    facts.kernel_major = static_cast<unsigned>(base::parse_uint(parts[0]).value_or(0));
    const auto digits = parts[1].substr(0, parts[1].find_first_not_of("0123456789"));
    facts.kernel_minor = static_cast<unsigned>(base::parse_uint(digits).value_or(0));
  }
  facts.apparmor = text_of("/sys/module/apparmor/parameters/enabled") == "Y";
  facts.selinux = exists("/sys/fs/selinux/enforce");
  facts.seccomp = exists("/proc/sys/kernel/seccomp/actions_avail");
  facts.cgroup_namespaces = exists("/proc/self/ns/cgroup");
  facts.look_at_forwarding();
  facts.oom_score_adj = base::parse_int(text_of("/proc/self/oom_score_adj")).value_or(0);
}

std::string unquoted(std::string_view value) {
  if (value.size() >= 2 && value.front() == value.back() && (value.front() == '"' || value.front() == '\'')) {
    value = value.substr(1, value.size() - 2);
  }
  return std::string{value};
}

void read_system(HostFacts& facts) {
  std::string release = text_of("/etc/os-release");
  if (release.empty()) release = text_of("/usr/lib/os-release");
  facts.operating_system = "Linux";
  for (const std::string_view line : base::split(release, '\n')) {
    const auto parts = base::cut(line, "=");
    if (parts && parts->first == "PRETTY_NAME") facts.operating_system = unquoted(parts->second);
    if (parts && parts->first == "VERSION_ID") facts.os_version = unquoted(parts->second);
  }
  facts.online_cpus = text_of("/sys/devices/system/cpu/online");
  facts.online_memory_nodes = text_of("/sys/devices/system/node/online");
  if (facts.online_memory_nodes.empty()) facts.online_memory_nodes = "0";
  unsigned cpus = 0;
  for (const std::string_view part : base::split_words(facts.online_cpus, ',')) {
    const auto range = base::cut(part, "-");
    const auto first = base::parse_uint(range ? range->first : part);
    const auto last = range ? base::parse_uint(range->second) : first;
    if (first && last && *last >= *first) cpus += static_cast<unsigned>(*last - *first + 1);
  }
  facts.cpus = std::max(cpus, 1U);
  const std::string meminfo = text_of("/proc/meminfo");
  for (const std::string_view line : base::split(meminfo, '\n')) {
    const auto words = base::split_words(line);
    if (words.size() >= 2 && words[0] == "MemTotal:") {
      facts.memory_bytes = base::parse_uint(words[1]).value_or(0) * 1024;
    }
  }
}

void read_own_rights(HostFacts& facts) {
  const std::string status = text_of("/proc/self/status");
  for (const std::string_view line : base::split(status, '\n')) {
    const auto parts = base::cut(line, ":");
    if (!parts) continue;
    const auto bytes = base::from_hex(base::trim(parts->second));
    if (!bytes || (parts->first != "CapBnd" && parts->first != "CapEff")) continue;
    std::uint64_t mask = 0;
    for (const char byte : *bytes) mask = mask << 8U | static_cast<unsigned char>(byte);
    const auto names = oci::capabilities_in(mask);
    if (parts->first == "CapBnd") facts.capabilities = names;
    if (parts->first == "CapEff") {
      facts.can_raise_limits = std::ranges::find(names, "CAP_SYS_RESOURCE") != names.end();
    }
  }
  // proc_pid_limits: fixed columns, of which the name is 26 wide.
  constexpr std::pair<std::string_view, std::string_view> kinds[] = {
      {"Max cpu time", "RLIMIT_CPU"},          {"Max file size", "RLIMIT_FSIZE"},
      {"Max data size", "RLIMIT_DATA"},        {"Max stack size", "RLIMIT_STACK"},
      {"Max core file size", "RLIMIT_CORE"},   {"Max resident set", "RLIMIT_RSS"},
      {"Max processes", "RLIMIT_NPROC"},       {"Max open files", "RLIMIT_NOFILE"},
      {"Max locked memory", "RLIMIT_MEMLOCK"}, {"Max address space", "RLIMIT_AS"},
      {"Max file locks", "RLIMIT_LOCKS"},      {"Max pending signals", "RLIMIT_SIGPENDING"},
      {"Max msgqueue size", "RLIMIT_MSGQUEUE"}, {"Max nice priority", "RLIMIT_NICE"},
      {"Max realtime priority", "RLIMIT_RTPRIO"}, {"Max realtime timeout", "RLIMIT_RTTIME"}};
  const std::string limits = text_of("/proc/self/limits");
  for (const std::string_view line : base::split(limits, '\n')) {
    for (const auto& [label, type] : kinds) {
      if (!line.starts_with(label) || line.size() < 26) continue;
      const auto words = base::split_words(line.substr(26));
      if (words.size() < 2) continue;
      facts.hard_limits[std::string{type}] = base::parse_uint(words[1]).value_or(UINT64_MAX);
    }
  }
}

void read_cgroups(HostFacts& facts) {
  facts.systemd = cgroup::SystemdManager::booted().value_or(false);
  const auto host = cgroup::Host::detect();
  if (!host) return;
  facts.cgroup_v2 = host->v2_only();
  if (facts.cgroup_v2) {
    const std::string root = host->v2()->mount_point;
    const std::string controllers_text = text_of(root + "/cgroup.controllers");
    const auto controllers = base::split_words(controllers_text);
    const auto has = [&](std::string_view name) {
      return std::ranges::find(controllers, name) != controllers.end();
    };
    facts.memory_limit = facts.memory_reservation = facts.swap_limit = has("memory");
    facts.cpu_cfs = facts.cpu_shares = has("cpu");
    facts.cpuset = has("cpuset");
    facts.pids = has("pids");
    facts.blkio_weight = facts.blkio_weight_device = facts.blkio_throttle = has("io");
    return;
  }
  const auto has = [&](std::string_view controller, const char* file) {
    const cgroup::Hierarchy* hierarchy = host->v1(controller);
    return hierarchy != nullptr && exists(hierarchy->mount_point + "/" + file);
  };
  facts.memory_limit = has("memory", "memory.limit_in_bytes");
  facts.memory_reservation = has("memory", "memory.soft_limit_in_bytes");
  facts.swap_limit = has("memory", "memory.memsw.limit_in_bytes");
  facts.memory_swappiness = has("memory", "memory.swappiness");
  facts.oom_kill_disable = has("memory", "memory.oom_control");
  facts.cpu_cfs = has("cpu", "cpu.cfs_quota_us");
  facts.cpu_shares = has("cpu", "cpu.shares");
  facts.cpu_realtime = has("cpu", "cpu.rt_runtime_us");
  facts.cpuset = has("cpuset", "cpuset.cpus");
  facts.pids = host->v1("pids") != nullptr;
  facts.blkio_weight = has("blkio", "blkio.weight") || has("blkio", "blkio.bfq.weight");
  facts.blkio_weight_device = has("blkio", "blkio.weight_device") || has("blkio", "blkio.bfq.weight_device");
  facts.blkio_throttle = has("blkio", "blkio.throttle.read_bps_device");
}

void read_thermal_throttles(HostFacts& facts) {
  const auto entries = sys::list_dir(sys::kCwd, "/sys/devices/system/cpu");
  if (!entries) return;
  for (const sys::DirEntry& entry : *entries) {
    const std::string path = "/sys/devices/system/cpu/" + entry.name + "/thermal_throttle";
    if (entry.name.starts_with("cpu") && exists(path)) facts.thermal_throttle_paths.push_back(path);
  }
  std::ranges::sort(facts.thermal_throttle_paths);
}

}  // namespace

void HostFacts::look_at_forwarding() { ipv4_forwarding = text_of("/proc/sys/net/ipv4/ip_forward") == "1"; }

HostFacts HostFacts::detect() {
  HostFacts facts;
  read_kernel(facts);
  read_system(facts);
  read_own_rights(facts);
  read_cgroups(facts);
  read_thermal_throttles(facts);
  return facts;
}

}  // namespace engine
