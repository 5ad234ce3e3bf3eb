#pragma once
/// A device list as the eBPF program that cgroup v2 wants.

#include <vector>

#include <linux/bpf.h>

#include "cgroup/resources.h"

namespace cgroup::detail {

/// Later rules win, bit by bit of the access: an access is allowed when for each of read, write and
/// mknod the last rule that names the device and that bit allows it; what no rule names is denied.
[[nodiscard]] std::vector<::bpf_insn> device_filter(const std::vector<DeviceRule>& rules);

}  // namespace cgroup::detail
