#pragma once
/// A device list in systemd's words.

#include <cstdint>
#include <vector>

#include "cgroup/systemd.h"

namespace cgroup::detail {

/// Whether a list takes back a part of what one of its entries allows ("all character devices, but not this one").
/// Neither systemd nor the device cgroup of v1 knows that; the latter ignores it without a word.
[[nodiscard]] bool has_holes(const std::vector<DeviceRule>& rules);

/// DevicePolicy and DeviceAllow. systemd knows lists of what is allowed; where a list of ours denies something
/// within what it allows, or names a minor of any major, there are no words for it. Then, on v2, systemd is told to
/// allow everything, and only the eBPF program of detail/device_filter.h decides (both would have to agree); on v1,
/// where the same files are written and systemd may write them again, it is told the nearest stricter list.
std::vector<UnitProperty> device_properties(const std::vector<DeviceRule>& rules, std::uint64_t version, bool v2);

}  // namespace cgroup::detail
