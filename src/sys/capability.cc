#include "sys/capability.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>


namespace sys {

using base::Error;
using base::Result;

namespace {

constexpr std::array<std::string_view, 41> kNames{
    "CAP_CHOWN",           "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER",
    "CAP_FSETID",          "CAP_KILL",         "CAP_SETGID",          "CAP_SETUID",
    "CAP_SETPCAP",         "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",       "CAP_NET_RAW",      "CAP_IPC_LOCK",        "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",      "CAP_SYS_RAWIO",    "CAP_SYS_CHROOT",      "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",       "CAP_SYS_ADMIN",    "CAP_SYS_BOOT",        "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",    "CAP_SYS_TIME",     "CAP_SYS_TTY_CONFIG",  "CAP_MKNOD",
    "CAP_LEASE",           "CAP_AUDIT_WRITE",  "CAP_AUDIT_CONTROL",   "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",    "CAP_MAC_ADMIN",    "CAP_SYSLOG",          "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",   "CAP_AUDIT_READ",   "CAP_PERFMON",         "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE"};

}  // namespace

std::optional<unsigned> capability_number(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<unsigned>(found - kNames.begin());
}

std::string_view capability_name(unsigned number) { return number < kNames.size() ? kNames[number] : ""; }

unsigned last_capability() {
  // Asked of the kernel one by one, from what this program knows: two calls on a kernel of its age.
  unsigned last = kNames.size() - 1;
  while (last > 0 && ::prctl(PR_CAPBSET_READ, last, 0, 0, 0) < 0) --last;
  while (last < 63 && ::prctl(PR_CAPBSET_READ, last + 1, 0, 0, 0) >= 0) ++last;
  return last;
}

std::vector<std::string> known_capabilities() {
  const unsigned last = last_capability();
  std::vector<std::string> names;
  for (unsigned i = 0; i < kNames.size() && i <= last; ++i) names.emplace_back(kNames[i]);
  return names;
}

Result<CapabilityState> current_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> data{};
  if (::syscall(SYS_capget, &header, data.data()) < 0) return Error::from_errno(errno, "capget");
  const auto join = [](std::uint32_t low, std::uint32_t high) {
    return static_cast<CapabilitySet>(low) | static_cast<CapabilitySet>(high) << 32U;
  };
  return CapabilityState{join(data[0].effective, data[1].effective), join(data[0].permitted, data[1].permitted),
                         join(data[0].inheritable, data[1].inheritable)};
}

Result<> set_capabilities(const CapabilityState& wanted) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const auto low = [](CapabilitySet set) { return static_cast<std::uint32_t>(set); };
  const auto high = [](CapabilitySet set) { return static_cast<std::uint32_t>(set >> 32U); };
  const std::array<__user_cap_data_struct, 2> data{{
      {low(wanted.effective), low(wanted.permitted), low(wanted.inheritable)},
      {high(wanted.effective), high(wanted.permitted), high(wanted.inheritable)}}};
  if (::syscall(SYS_capset, &header, data.data()) < 0) return Error::from_errno(errno, "capset");
  return {};
}

}  // namespace sys
