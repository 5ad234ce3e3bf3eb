#pragma once
/// Device filters of cgroup v2: programs of type BPF_PROG_TYPE_CGROUP_DEVICE. Source: bpf(2), kernel
/// Documentation/admin-guide/cgroup-v2.rst, "Device controller".

#include <span>

#include <linux/bpf.h>

#include "base/result.h"
#include "sys/fd.h"

namespace sys {

/// Loads the program and makes it the only device filter attached to the cgroup directory itself,
/// without a moment in which none is. Errors: PermissionDenied, InvalidArgument with the verifier's
/// reason, NotImplemented (no CONFIG_CGROUP_BPF).
base::Result<> attach_device_filter(int cgroup_directory, std::span<const ::bpf_insn> program);

}  // namespace sys
