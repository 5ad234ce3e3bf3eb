#include "engine/oci/spec_builder.h"
#include "sys/file.h"

#include <sys/sysmacros.h>

namespace engine::oci {
namespace {

constexpr std::int64_t kCpuPeriod = 100'000;  // µs, in which NanoCpus is expressed

struct DeviceNumbers {
  std::int64_t major = 0, minor = 0;
};
base::Result<DeviceNumbers> device_numbers(const std::string& path) {
  const struct ::stat info = TRY(sys::stat_at(sys::kCwd, path));
  return DeviceNumbers{static_cast<std::int64_t>(major(info.st_rdev)), static_cast<std::int64_t>(minor(info.st_rdev))};
}

std::optional<spec::oci::MemoryResources> memory(const spec::api::Resources& r) {
  spec::oci::MemoryResources memory;
  bool any = false;
  const auto set = [&](auto& field, auto value) {
    field = value;
    any = true;
  };
  if (r.memory > 0) set(memory.limit, r.memory);
  if (r.memory_reservation > 0) set(memory.reservation, r.memory_reservation);
  if (r.memory_swap != 0) set(memory.swap, r.memory_swap);
  if (r.memory_swappiness && *r.memory_swappiness >= 0) {
    set(memory.swappiness, static_cast<std::uint64_t>(*r.memory_swappiness));
  }
  if (r.oom_kill_disable) set(memory.disable_oom_killer, *r.oom_kill_disable);
  return any ? std::optional{memory} : std::nullopt;
}

std::optional<spec::oci::CpuResources> cpu(const spec::api::Resources& r) {
  spec::oci::CpuResources cpu;
  bool any = false;
  if (r.cpu_shares > 0) cpu.shares = static_cast<std::uint64_t>(r.cpu_shares), any = true;
  if (r.nano_cpus > 0) {
    cpu.period = static_cast<std::uint64_t>(kCpuPeriod);
    cpu.quota = r.nano_cpus * kCpuPeriod / 1'000'000'000;
    any = true;
  }
  if (r.cpu_period != 0) cpu.period = static_cast<std::uint64_t>(r.cpu_period), any = true;
  if (r.cpu_quota != 0) cpu.quota = r.cpu_quota, any = true;
  if (r.cpu_realtime_runtime != 0) cpu.realtime_runtime = r.cpu_realtime_runtime, any = true;
  if (r.cpu_realtime_period != 0) {
    cpu.realtime_period = static_cast<std::uint64_t>(r.cpu_realtime_period);
    any = true;
  }
  if (!r.cpuset_cpus.empty()) cpu.cpus = r.cpuset_cpus, any = true;
  if (!r.cpuset_mems.empty()) cpu.mems = r.cpuset_mems, any = true;
  return any ? std::optional{cpu} : std::nullopt;
}

base::Result<> add_throttles(const std::optional<std::vector<spec::api::ThrottleDevice>>& asked,
                             std::vector<spec::oci::ThrottleDevice>& limits) {
  if (!asked) return {};
  for (const spec::api::ThrottleDevice& device : *asked) {
    const DeviceNumbers numbers = TRY(device_numbers(device.path));
    limits.push_back({numbers.major, numbers.minor, device.rate});
  }
  return {};
}

base::Result<std::optional<spec::oci::BlockIoResources>> block_io(const spec::api::Resources& r) {
  spec::oci::BlockIoResources io;
  if (r.blkio_weight > 0) io.weight = r.blkio_weight;
  if (r.blkio_weight_device) {
    for (const spec::api::WeightDevice& device : *r.blkio_weight_device) {
      const DeviceNumbers numbers = TRY(device_numbers(device.path));
      io.weight_device.push_back({numbers.major, numbers.minor, device.weight, std::nullopt});
    }
  }
  TRY(add_throttles(r.blkio_device_read_bps, io.throttle_read_bps));
  TRY(add_throttles(r.blkio_device_write_bps, io.throttle_write_bps));
  TRY(add_throttles(r.blkio_device_read_iops, io.throttle_read_iops));
  TRY(add_throttles(r.blkio_device_write_iops, io.throttle_write_iops));
  const bool any = io.weight || !io.weight_device.empty() || !io.throttle_read_bps.empty() ||
                   !io.throttle_write_bps.empty() || !io.throttle_read_iops.empty() ||
                   !io.throttle_write_iops.empty();
  return any ? std::optional{io} : std::optional<spec::oci::BlockIoResources>{};
}

}  // namespace

base::Result<spec::oci::Resources> limits_of(const spec::api::Resources& resources, const HostFacts& /*facts*/) {
  spec::oci::Resources limits;
  limits.memory = memory(resources);
  limits.cpu = cpu(resources);
  limits.block_io = TRY(block_io(resources));
  if (resources.pids_limit) {
    limits.pids = spec::oci::PidsResources{*resources.pids_limit > 0 ? *resources.pids_limit : -1};
  }
  return limits;
}

base::Result<> add_resources(const Input& input, spec::oci::Spec& spec) {
  spec.linux_section->resources = TRY(limits_of(input.host.resources, input.facts));
  return {};
}

}  // namespace engine::oci
