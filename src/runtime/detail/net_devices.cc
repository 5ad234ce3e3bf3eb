#include "runtime/detail/net_devices.h"

#include <set>

#include <fmt/format.h>

#include "base/log.h"
#include "base/strings.h"
#include "sys/file.h"
#include "sys/link_move.h"

namespace runtime::detail {

using base::Result;

Result<> check_net_devices(const std::map<std::string, spec::oci::NetDevice>& devices) {
  std::set<std::string> names;
  for (const auto& [host, device] : devices) {
    const std::string& name = device.name.empty() ? host : device.name;
    for (const std::string& one : {host, name}) {
      if (!sys::is_link_name(one)) return base::invalid(fmt::format("linux.netDevices: invalid interface name {}", base::quoted(one)));
    }
    if (host.find('%') != std::string::npos) return base::invalid(fmt::format("linux.netDevices: invalid interface name {}", base::quoted(host)));
    const bool pattern = name.find('%') != std::string::npos;
    if (pattern && (!name.ends_with("%d") || name.find('%') != name.size() - 2)) {
      return base::invalid(fmt::format("linux.netDevices.{}.name: only \"%d\" at the end is a pattern", host));
    }
    if (!pattern && !names.insert(name).second) {
      return base::invalid(fmt::format("linux.netDevices: two interfaces are to be called {}", base::quoted(name)));
    }
  }
  return {};
}

Result<> MovedDevices::move_to(pid_t pid, const std::map<std::string, spec::oci::NetDevice>& devices) {
  // An ordinary user has none to move, and may not look at the namespaces of an init that hides from tracing.
  if (devices.empty()) return {};
  own_ = TRY(sys::open_at(sys::kCwd, "/proc/self/ns/net", O_RDONLY));
  container_ = TRY(sys::open_at(sys::kCwd, fmt::format("/proc/{}/ns/net", pid), O_RDONLY));
  for (const auto& [host, device] : devices) {
    auto moved = sys::move_link({own_.get(), container_.get(), host, device.name});
    std::string name = TRY(std::move(moved).context("linux.netDevices." + host));
    moved_.push_back({host, std::move(name)});
  }
  return {};
}

void MovedDevices::bring_back() {
  for (const auto& one : moved_) {
    const auto back = sys::move_link({container_.get(), own_.get(), one.there, one.here});
    if (!back) base::log::warn("interface {} is not brought back: {}", one.here, back.error().message());
  }
  moved_.clear();
}

}  // namespace runtime::detail
