#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "cgroup/detail/apply.h"
#include "cgroup/detail/systemd_devices.h"
#include "cgroup/systemd.h"

namespace cgroup {

using base::Result;
using codec::Json;

namespace {

// What came when; systemd's NEWS. An unknown property would fail the whole call.
constexpr std::uint64_t kQuotaPeriodSince = 242;
constexpr std::uint64_t kCpusetSince = 244;
constexpr std::uint64_t kIdleSince = 252;
constexpr std::uint64_t kOomPolicySince = 253;

constexpr std::uint64_t kInfinity = UINT64_MAX;
constexpr std::uint64_t kDefaultPeriod = 100'000;
constexpr std::uint64_t kLargestCpu = 8191;

UnitProperty number(std::string name, std::uint64_t value) { return {std::move(name), "t", value}; }
UnitProperty yes(std::string name) { return {std::move(name), "b", true}; }

std::uint64_t or_infinity(std::int64_t value) { return value < 0 ? kInfinity : static_cast<std::uint64_t>(value); }

/// "0-2,5" → the bytes 0x27: AllowedCPUs, lowest first. Errors: InvalidArgument.
Result<Json> bit_mask(std::string_view list) {
  const auto wrong = [&] { return base::invalid("not a list of numbers: " + base::quoted(list)); };
  std::vector<std::uint8_t> bytes;
  for (const auto part : base::split_words(list, ',')) {
    const auto range = base::cut(part, "-");
    const auto first = base::parse_uint(base::trim(range ? range->first : part));
    const auto last = range ? base::parse_uint(base::trim(range->second)) : first;
    if (!first || !last || *first > *last || *last > kLargestCpu) return wrong();
    bytes.resize(std::max<std::size_t>(bytes.size(), *last / 8 + 1));
    for (std::uint64_t bit = *first; bit <= *last; ++bit) {
      bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] | 1U << (bit % 8));
    }
  }
  if (bytes.empty()) return wrong();
  return Json{Json::Array(bytes.begin(), bytes.end())};
}

/// Files of v2 whose contents are a property of the same meaning.
struct Named {
  std::string_view file;
  std::string_view property;
};
constexpr Named kBytes[] = {{"memory.high", "MemoryHigh"},
                            {"memory.low", "MemoryLow"},
                            {"memory.max", "MemoryMax"},
                            {"memory.min", "MemoryMin"},
                            {"memory.swap.max", "MemorySwapMax"}};

class Translation {
 public:
  Translation(Resources& wanted, const SystemdFacts& facts, bool v2) : wanted_{wanted}, facts_{facts}, v2_{v2} {}

  Result<std::vector<UnitProperty>> run() {
    TRY(memory());
    cpu();
    TRY(cpusets(wanted_.cpus, wanted_.mems));
    // TasksMax=0 is refused, and 1 is as good: a process is there already.
    if (wanted_.pids_limit) {
      tasks(*wanted_.pids_limit < 0 ? kInfinity : static_cast<std::uint64_t>(std::max<std::int64_t>(*wanted_.pids_limit, 1)));
    }
    if (wanted_.io_weight.value_or(0) != 0) {
      out_.push_back(v2_ ? number("IOWeight", detail::io_weight_of(*wanted_.io_weight))
                         : number("BlockIOWeight", *wanted_.io_weight));
    }
    if (wanted_.devices) {
      for (auto& one : detail::device_properties(*wanted_.devices, facts_.version, v2_)) out_.push_back(std::move(one));
    }
    for (auto& [file, contents] : wanted_.unified) {
      TRY(unified(file, contents).context(fmt::format("unified resource {}={}", file, base::quoted(contents))));
    }
    return std::move(out_);
  }

 private:
  Result<> memory() {
    if (wanted_.memory_limit) out_.push_back(number(v2_ ? "MemoryMax" : "MemoryLimit", or_infinity(*wanted_.memory_limit)));
    if (!v2_) return {};
    if (wanted_.memory_reservation) out_.push_back(number("MemoryLow", or_infinity(*wanted_.memory_reservation)));
    // A swap limit alone refers to the memory limit in force, which only the files tell: it is written there.
    if (wanted_.memory_and_swap && (wanted_.memory_limit || *wanted_.memory_and_swap < 0)) {
      out_.push_back(number("MemorySwapMax", or_infinity(TRY(detail::swap_without_memory(wanted_)))));
    } else if (wanted_.memory_limit == -1) {
      out_.push_back(number("MemorySwapMax", kInfinity));
    }
    return {};
  }

  void cpu() {
    if (v2_) {
      weight(wanted_.cpu_idle == 1, wanted_.cpu_shares.value_or(0) == 0 ? 0 : detail::weight_of_shares(*wanted_.cpu_shares));
    } else if (wanted_.cpu_shares.value_or(0) != 0) {
      out_.push_back(number("CPUShares", *wanted_.cpu_shares));
    }
    std::int64_t quota = wanted_.cpu_quota.value_or(0);
    const std::uint64_t period = wanted_.cpu_period.value_or(0);
    // A period alone changes only the period: the quota of a running container is not known here.
    if (quota == 0 && period != 0 && facts_.version >= kQuotaPeriodSince) out_.push_back(number("CPUQuotaPeriodUSec", period));
    if (quota == 0) return;
    bandwidth(quota, period);
    wanted_.cpu_quota = quota;
  }

  void weight(bool idle, std::uint64_t weight) {
    // A weight of 0 is "CPUWeight=idle".
    if (idle && facts_.version >= kIdleSince) {
      out_.push_back(number("CPUWeight", 0));
    } else if (weight != 0) {
      out_.push_back(number("CPUWeight", weight));
    }
  }

  /// systemd keeps µs per second and rounds them to whole percents of a CPU.
  void bandwidth(std::int64_t& quota, std::uint64_t period) {
    if (period != 0 && facts_.version >= kQuotaPeriodSince) out_.push_back(number("CPUQuotaPeriodUSec", period));
    if (quota <= 0) {
      out_.push_back(number("CPUQuotaPerSecUSec", kInfinity));
      return;
    }
    if (period == 0) period = kDefaultPeriod;
    constexpr std::uint64_t kSecond = 1'000'000;
    constexpr std::uint64_t kPercent = 10'000;
    // The kernel takes neither a longer period nor such a quota, and says so when the files are written.
    if (period > kSecond || quota > INT64_MAX / static_cast<std::int64_t>(kSecond)) return;
    std::uint64_t per_second = static_cast<std::uint64_t>(quota) * kSecond / period;
    if (per_second % kPercent != 0) {
      per_second = (per_second / kPercent + 1) * kPercent;
      // In this order it neither overflows nor loses anything: whole percents are whole µs of each period.
      quota = static_cast<std::int64_t>(per_second / kPercent * period / (kSecond / kPercent));
    }
    out_.push_back(number("CPUQuotaPerSecUSec", per_second));
  }

  Result<> cpusets(const std::string& cpus, const std::string& mems) {
    // Checked even where systemd is too old to be told.
    for (const auto& [list, property] : {std::pair{&cpus, "AllowedCPUs"}, std::pair{&mems, "AllowedMemoryNodes"}}) {
      if (list->empty()) continue;
      Json mask = TRY(bit_mask(*list));
      if (facts_.version >= kCpusetSince) out_.push_back({property, "ay", std::move(mask)});
    }
    return {};
  }

  /// systemd refuses a TasksMax of 0.
  void tasks(std::uint64_t most) { out_.push_back(number("TasksMax", std::max<std::uint64_t>(most, 1))); }

  Result<> unified(const std::string& file, std::string& contents) {
    if (file.find('/') != std::string::npos) return base::invalid("must be a file name (no slashes)");
    if (file.find('.') == std::string::npos || file.starts_with('.')) {
      return base::invalid("must be in the form CONTROLLER.PARAMETER");
    }
    const std::string_view text = base::trim(contents);
    for (const auto& [name, property] : kBytes) {
      if (file == name) out_.push_back(number(std::string{property}, TRY(number_or_max(text))));
    }
    if (file == "pids.max") tasks(TRY(number_or_max(text)));
    if (file == "cpuset.cpus") TRY(cpusets(std::string{text}, {}));
    if (file == "cpuset.mems") TRY(cpusets({}, std::string{text}));
    if (file == "cpu.idle") weight(text == "1", 0);
    if (file == "cpu.weight" && !(idle_in_unified() && facts_.version >= kIdleSince)) weight(false, TRY(number_of(text)));
    if (file == "io.weight") {
      const auto parts = base::split_words(text);
      const bool whole = parts.size() == 1 || (parts.size() == 2 && parts[0] == "default");
      if (whole) out_.push_back(number("IOWeight", TRY(number_of(parts.back()))));
    }
    if (file == "cpu.max") TRY(cpu_max(contents));
    if (file == "memory.oom.group" && facts_.version >= kOomPolicySince && creating_) {
      out_.push_back({"OOMPolicy", "s", text == "1" ? "kill" : "continue"});
    }
    return {};
  }

  [[nodiscard]] bool idle_in_unified() const {
    const auto found = wanted_.unified.find("cpu.idle");
    return found != wanted_.unified.end() && base::trim(found->second) == "1";
  }

  Result<> cpu_max(std::string& contents) {
    const auto parts = base::split_words(base::trim(contents));
    if (parts.empty() || parts.size() > 2) return base::invalid("invalid value");
    std::int64_t quota = -1;
    if (parts[0] != "max") quota = static_cast<std::int64_t>(std::min<std::uint64_t>(TRY(number_of(parts[0])), INT64_MAX));
    const std::uint64_t period = parts.size() == 2 ? TRY(number_of(parts[1])) : kDefaultPeriod;
    if (period == 0 || quota == 0) return base::invalid("invalid value");
    bandwidth(quota, period);
    if (quota > 0) contents = fmt::format("{} {}", quota, period);
    return {};
  }

  static Result<std::uint64_t> number_of(std::string_view text) {
    const auto value = base::parse_uint(text);
    if (!value) return base::invalid("not a number");
    return *value;
  }
  static Result<std::uint64_t> number_or_max(std::string_view text) {
    return text == "max" ? Result<std::uint64_t>{kInfinity} : number_of(text);
  }

  Resources& wanted_;
  const SystemdFacts& facts_;
  bool v2_;
  /// Only a new unit's list of devices is complete, and only a new unit's OOMPolicy can be set.
  bool creating_ = wanted_.devices.has_value();
  std::vector<UnitProperty> out_;
};

}  // namespace

Result<std::vector<UnitProperty>> resource_properties(Resources& wanted, const SystemdFacts& facts, bool v2) {
  return Translation{wanted, facts, v2}.run();
}

std::vector<UnitProperty> creation_properties(const SystemdUnit& unit, std::string_view description, std::int64_t pid,
                                              const SystemdFacts& facts, bool v2) {
  std::vector<UnitProperty> out;
  out.push_back({"Description", "s", description});
  if (unit.is_slice()) {
    // Its place follows from its name, and processes enter it by its files.
    out.push_back({"Wants", "as", Json::array({unit.slice})});
  } else {
    out.push_back({"Slice", "s", unit.slice});
    out.push_back(yes("Delegate"));
    out.push_back({"PIDs", "au", Json::array({pid})});
  }
  for (const char* controller : {"CPU", "Memory", "Tasks"}) out.push_back(yes(fmt::format("{}Accounting", controller)));
  out.push_back(yes(v2 ? "IOAccounting" : "BlockIOAccounting"));
  // Stopped only by its runtime, not by what the host shuts down first.
  out.push_back({"DefaultDependencies", "b", false});
  if (facts.version >= kCollectModeSince) out.push_back({"CollectMode", "s", "inactive-or-failed"});
  return out;
}

}  // namespace cgroup
