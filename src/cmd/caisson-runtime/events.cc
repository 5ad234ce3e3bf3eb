#include <chrono>

#include <fmt/format.h>

#include "base/time.h"
#include "cmd/caisson-runtime/commands.h"
#include "runtime/container.h"
#include "sys/epoll.h"

namespace caisson_runtime {

using base::Result;
using codec::Json;

namespace {

Json memory_entry(std::uint64_t usage, std::uint64_t max, std::uint64_t limit, std::uint64_t failures) {
  return Json::object({{"usage", usage}, {"max", max}, {"limit", limit}, {"failcnt", failures}});
}

Json io_table(const std::vector<cgroup::IoEntry>& entries) {
  Json::Array out;
  for (const auto& one : entries) {
    out.push_back(Json::object({{"major", one.major}, {"minor", one.minor}, {"op", one.operation}, {"value", one.value}}));
  }
  return Json{std::move(out)};
}

/// As runc words it: types.Stats.
Json stats_document(const std::string& id, const cgroup::Stats& stats) {
  Json::Array per_cpu;
  for (const auto one : stats.cpu.per_cpu_ns) per_cpu.emplace_back(one);
  const Json usage = Json::object({{"total", stats.cpu.total_ns},
                                   {"percpu", Json{std::move(per_cpu)}},
                                   {"kernel", stats.cpu.system_ns},
                                   {"user", stats.cpu.user_ns}});
  const Json throttling = Json::object({{"periods", stats.cpu.periods},
                                        {"throttledPeriods", stats.cpu.throttled_periods},
                                        {"throttledTime", stats.cpu.throttled_ns}});
  Json raw = Json::object({});
  for (const auto& [name, value] : stats.memory.details) raw.set(name, value);
  const auto cache = stats.memory.details.find(stats.v2 ? "file" : "cache");
  Json memory = Json::object({{"cache", cache == stats.memory.details.end() ? 0 : cache->second}});
  memory.set("usage", memory_entry(stats.memory.usage, stats.memory.max_usage, stats.memory.limit, stats.memory.fail_count));
  memory.set("raw", std::move(raw));
  const Json io = Json::object({{"ioServiceBytesRecursive", io_table(stats.io.bytes)},
                                {"ioServicedRecursive", io_table(stats.io.operations)}});
  const Json pids = Json::object({{"current", stats.pids.current}, {"limit", stats.pids.limit}});
  const Json cpu = Json::object({{"usage", usage}, {"throttling", throttling}});
  const Json data = Json::object({{"cpu", cpu}, {"memory", memory}, {"pids", pids}, {"blkio", io}});
  return Json::object({{"type", "stats"}, {"id", id}, {"data", data}});
}

Result<> report(runtime::Container& container) {
  const auto* cgroup = TRY(container.cgroup());
  if (cgroup->directories().empty()) return base::conflict("container " + container.id() + " has no cgroup, so there are no statistics of it");
  const auto stats = TRY(cgroup->stats());
  return print(stats_document(container.id(), stats).dump() + "\n");
}

}  // namespace

Result<int> run_events(const Globals& globals, const Arguments& arguments) {
  auto container = TRY(runtime::Container::load(globals.root, arguments.rest()[0]));
  if (container.pidfd() < 0) return base::conflict(fmt::format("container with id {} is not running", container.id()));
  if (arguments.has("stats")) {
    TRY(report(container));
    return 0;
  }
  auto interval = std::chrono::milliseconds{5000};
  if (const auto text = arguments.value("interval")) {
    interval = std::chrono::duration_cast<std::chrono::milliseconds>(TRY(base::parse_duration(*text)));
    if (interval.count() <= 0) return base::invalid("duration interval must be greater than 0");
  }
  enum Source : std::uint64_t { kEnded, kOom };
  sys::Epoll epoll = TRY(sys::Epoll::create());
  TRY(epoll.add(container.pidfd(), EPOLLIN, kEnded));
  auto watch = TRY(container.cgroup())->watch_oom();
  if (watch) TRY(epoll.add(watch->fd(), EPOLLIN, kOom));
  while (true) {
    const auto ready = TRY(epoll.wait(interval));
    if (ready.empty()) TRY(report(container));
    for (const auto& one : ready) {
      if (one.token == kEnded) return 0;
      const auto kills = watch->kills();
      if (kills) TRY(print(Json::object({{"type", "oom"}, {"id", container.id()}}).dump() + "\n"));
    }
  }
}

}  // namespace caisson_runtime
