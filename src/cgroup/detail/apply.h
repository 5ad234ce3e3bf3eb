#pragma once
/// Writing limits, one controller at a time. `v2` says which file names hold.

#include <string>

#include "base/function_ref.h"
#include "base/result.h"
#include "cgroup/resources.h"

namespace cgroup::detail {

base::Result<> apply_memory_v1(const std::string& directory, const Resources& wanted);
base::Result<> apply_memory_v2(const std::string& directory, const Resources& wanted);
base::Result<> apply_cpu_v1(const std::string& directory, const Resources& wanted);
base::Result<> apply_cpu_v2(const std::string& directory, const Resources& wanted);
/// Sets the burst and the bandwidth (`set_bandwidth`) in the order that the kernel takes: a burst is never above the quota.
base::Result<> with_burst(const std::string& directory, std::string_view file, const Resources& wanted,
                          base::FunctionRef<base::Result<>()> set_bandwidth);
base::Result<> apply_cpuset(const std::string& directory, const Resources& wanted);
base::Result<> apply_pids(const std::string& directory, const Resources& wanted);
base::Result<> apply_io_v1(const std::string& directory, const Resources& wanted);
base::Result<> apply_io_v2(const std::string& directory, const Resources& wanted);
base::Result<> apply_hugepages(const std::string& directory, const Resources& wanted, bool v2);
base::Result<> apply_net_class(const std::string& directory, const Resources& wanted);
base::Result<> apply_net_priority(const std::string& directory, const Resources& wanted);
base::Result<> apply_rdma(const std::string& directory, const Resources& wanted);
base::Result<> apply_devices_v1(const std::string& directory, const Resources& wanted);
base::Result<> apply_devices_v2(const std::string& directory, const Resources& wanted);
base::Result<> apply_unified(const std::string& directory, const Resources& wanted);

/// A value that must agree with another one, present or about to be written: true when the kernel refused it (EINVAL)
/// and it is to be written again after the other one, which `follows`.
base::Result<bool> write_early(const std::string& directory, std::string_view file, const std::optional<std::uint64_t>& value,
                               bool follows);
/// With check_before_update: whether a limit would be below what is used now. Errors: Conflict.
base::Result<> check_memory_in_use(const std::string& directory, const Resources& wanted, bool v2);
/// v2 counts swap alone: what remains of memory and swap; -1 for "no limit". Errors: InvalidArgument.
base::Result<std::int64_t> swap_without_memory(const Resources& wanted);
/// v1's 2…262144 onto v2's 1…10000 so that the defaults, 1024 and 100, meet.
[[nodiscard]] std::uint64_t weight_of_shares(std::uint64_t shares);
/// blkio's 10…1000 onto io.weight's 1…10000.
[[nodiscard]] std::uint64_t io_weight_of(std::uint16_t weight);

}  // namespace cgroup::detail
