#include "net/detail/ports.h"

#include <cerrno>

#include <fmt/format.h>

#include "base/scope_guard.h"
#include "base/strings.h"
#include "sys/file.h"
#include "sys/port_guard.h"

namespace net::detail {
namespace {

constexpr std::uint16_t kFirstEphemeral = 32768;
constexpr std::uint16_t kLastEphemeral = 60999;

base::Error allocated(const PortBinding& binding) {
  return base::conflict(fmt::format("Bind for {}:{} failed: port is already allocated", binding.host_ip.str(),
                                    binding.host_port));
}

}  // namespace

PortAllocator::Range PortAllocator::host_range() {
  if (const auto text = sys::read_file(sys::kCwd, "/proc/sys/net/ipv4/ip_local_port_range")) {
    if (const auto parts = base::cut(base::trim(*text), "\t")) {
      const auto first = base::parse_uint(base::trim(parts->first));
      const auto last = base::parse_uint(base::trim(parts->second));
      if (first && last && *first > 0 && *first <= *last && *last <= UINT16_MAX) {
        return {static_cast<std::uint16_t>(*first), static_cast<std::uint16_t>(*last)};
      }
    }
  }
  return {kFirstEphemeral, kLastEphemeral};
}

bool PortAllocator::taken(const PortBinding& binding) const {
  const auto begin = held_.lower_bound({binding.protocol, binding.host_port, Ipv4{}});
  for (auto it = begin; it != held_.end(); ++it) {
    const auto& [protocol, port, address] = it->first;
    if (protocol != binding.protocol || port != binding.host_port) return false;
    if (address == binding.host_ip || address.is_any() || binding.host_ip.is_any()) return true;
  }
  return false;
}

base::Result<> PortAllocator::hold(const EndpointId& owner, const PortBinding& binding) {
  if (taken(binding)) return allocated(binding);
  auto guard = sys::guard_port(static_cast<std::uint8_t>(binding.protocol), binding.host_ip.value(),
                               binding.host_port);
  if (!guard) {
    return std::move(guard).error().context(
        fmt::format("listen {}4 {}:{}", name_of(binding.protocol), binding.host_ip.str(), binding.host_port));
  }
  held_.emplace(key_of(binding), Held{owner, *std::move(guard)});
  return {};
}

base::Result<> PortAllocator::hold_any(const EndpointId& owner, PortBinding& binding) {
  const bool given = binding.host_port != 0;
  const std::uint32_t first = given ? binding.host_port : first_;
  const std::uint32_t last = given ? binding.host_port_end : last_;
  const std::uint32_t start = given ? first : next_;
  const std::uint32_t count = last - first + 1;
  for (std::uint32_t i = 0; i < count; ++i) {
    PortBinding candidate = binding;
    candidate.host_port = static_cast<std::uint16_t>(first + (start - first + i) % count);
    candidate.host_port_end = 0;
    auto result = hold(owner, candidate);
    if (!result && !result.failed_as(base::ErrorKind::Conflict)) return result;
    if (!result) continue;
    binding = candidate;
    if (!given)
      next_ = candidate.host_port == last_ ? first_ : static_cast<std::uint16_t>(candidate.host_port + 1);
    return {};
  }
  return base::conflict(
      fmt::format("Bind for {}:{}-{} failed: all ports are allocated", binding.host_ip.str(), first, last));
}

void PortAllocator::drop(const EndpointId& owner, const PortBinding& binding) {
  const auto it = held_.find(key_of(binding));
  if (it != held_.end() && it->second.owner == owner) held_.erase(it);
}

base::Result<> PortAllocator::reserve(const EndpointId& owner, std::vector<PortBinding>& bindings) {
  const std::scoped_lock lock{mutex_};
  std::size_t done = 0;
  auto undo = base::ScopeGuard{[&] {
    for (std::size_t i = 0; i < done; ++i) drop(owner, bindings[i]);
  }};
  for (PortBinding& binding : bindings) {
    if (binding.host_port == 0 || binding.host_port_end > binding.host_port) {
      TRY(hold_any(owner, binding));
    } else {
      TRY(hold(owner, binding));
      binding.host_port_end = 0;
    }
    ++done;
  }
  undo.release();
  return {};
}

void PortAllocator::adopt(const EndpointId& owner, const std::vector<PortBinding>& bindings) {
  const std::scoped_lock lock{mutex_};
  for (const PortBinding& binding : bindings) {
    // It fails while the container's shim holds a duplicate of the guard: then it is guarded.
    auto guard = sys::guard_port(static_cast<std::uint8_t>(binding.protocol), binding.host_ip.value(),
                                 binding.host_port);
    held_.insert_or_assign(key_of(binding), Held{owner, guard ? *std::move(guard) : sys::UniqueFd{}});
  }
}

void PortAllocator::release(const EndpointId& owner, const std::vector<PortBinding>& bindings) {
  const std::scoped_lock lock{mutex_};
  for (const PortBinding& binding : bindings) drop(owner, binding);
}

base::Result<std::vector<sys::UniqueFd>> PortAllocator::guards(const EndpointId& owner,
                                                               const std::vector<PortBinding>& bindings) {
  std::vector<sys::UniqueFd> copies;
  const std::scoped_lock lock{mutex_};
  for (const PortBinding& binding : bindings) {
    const auto it = held_.find(key_of(binding));
    if (it == held_.end() || it->second.owner != owner || !it->second.guard) continue;
    copies.push_back(TRY(sys::duplicate(it->second.guard.get())));
  }
  return copies;
}

}  // namespace net::detail
