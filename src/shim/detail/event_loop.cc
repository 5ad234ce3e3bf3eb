#include "shim/detail/event_loop.h"

#include <algorithm>

namespace shim::detail {
namespace {

std::uint64_t token_of(std::size_t slot, std::uint32_t generation) {
  return (static_cast<std::uint64_t>(generation) << 32U) | slot;
}

}  // namespace

using base::Result;

Result<EventLoop> EventLoop::create() { return EventLoop{TRY(sys::Epoll::create())}; }

EventLoop::Watched* EventLoop::find(int fd) {
  const auto found = std::ranges::find(slots_, fd, &Watched::fd);
  return found == slots_.end() ? nullptr : &*found;
}

Result<> EventLoop::add(int fd, std::uint32_t events, Handler& handler) {
  Watched* slot = find(-1);
  if (slot == nullptr) slot = &slots_.emplace_back();
  ++slot->generation;
  TRY(epoll_.add(fd, events, token_of(static_cast<std::size_t>(slot - slots_.data()), slot->generation)));
  slot->fd = fd;
  slot->handler = &handler;
  return {};
}

void EventLoop::modify(int fd, std::uint32_t events) {
  const Watched* slot = find(fd);
  CAISSON_INVARIANT(slot != nullptr);
  const auto changed =
      epoll_.modify(fd, events, token_of(static_cast<std::size_t>(slot - slots_.data()), slot->generation));
  CAISSON_INVARIANT(changed.has_value());
}

void EventLoop::remove(int fd) {
  if (fd < 0) return;
  if (Watched* slot = find(fd)) {
    epoll_.remove(fd);
    slot->fd = -1;
    slot->handler = nullptr;
  }
}

Result<bool> EventLoop::run_once(std::optional<Clock::time_point> deadline) {
  std::optional<std::chrono::milliseconds> timeout;
  if (deadline) {
    timeout = std::max(std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now()),
                       std::chrono::milliseconds{0});
  }
  const auto events = TRY(epoll_.wait(timeout));
  for (const auto& event : events) {
    const auto index = static_cast<std::size_t>(event.token & 0xffffffffU);
    const Watched slot = slots_[index];
    if (slot.fd < 0 || slot.generation != event.token >> 32U) continue;
    slot.handler->on_ready(slot.fd, event.events);
  }
  return !events.empty();
}

}  // namespace shim::detail
