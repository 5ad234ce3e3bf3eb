#include <algorithm>
#include <chrono>
#include <csignal>
#include <set>
#include <thread>

#include <dirent.h>
#include <poll.h>

#include <fmt/format.h>

#include "base/strings.h"
#include "cgroup/cgroup.h"
#include "cgroup/detail/files.h"
#include "sys/file.h"
#include "sys/process.h"

namespace cgroup {

using base::Result;
using std::chrono::milliseconds;

namespace {

Result<std::vector<std::string>> children(const std::string& directory) {
  std::vector<std::string> out;
  auto entries = sys::list_dir(sys::kCwd, directory);
  if (entries.failed_as(base::ErrorKind::NotFound)) return out;
  for (const auto& entry : TRY(std::move(entries))) {
    if (entry.type == DT_DIR) out.push_back(directory + "/" + entry.name);
  }
  return out;
}

/// A threaded cgroup lists threads only.
Result<> collect_threads(const std::string& directory, std::set<pid_t>& pids) {
  const std::string text = TRY(detail::read(directory, "cgroup.threads"));
  for (const auto thread : base::split_words(text, '\n')) {
    const auto status = sys::read_file(sys::kCwd, fmt::format("/proc/{}/status", thread));
    if (!status) continue;
    for (const auto line : base::split_words(*status, '\n')) {
      if (!line.starts_with("Tgid:")) continue;
      if (const auto pid = base::parse_int(base::trim(line.substr(5)))) pids.insert(static_cast<pid_t>(*pid));
      break;
    }
  }
  return {};
}

Result<> collect(const std::string& directory, std::set<pid_t>& pids) {
  // ENODEV: the cgroup is being removed; EOPNOTSUPP: it is threaded.
  const auto text = detail::read(directory, "cgroup.procs");
  if (text) {
    for (const auto line : base::split_words(*text, '\n')) {
      if (const auto pid = base::parse_int(line); pid && *pid > 0) pids.insert(static_cast<pid_t>(*pid));
    }
  } else if (text.error().errno_value() == EOPNOTSUPP) {
    TRY(collect_threads(directory, pids));
  } else if (!text.failed_as(base::ErrorKind::NotFound)) {
    return base::Error{text.error()};
  }
  for (const auto& child : TRY(children(directory))) TRY(collect(child, pids));
  return {};
}

/// The freezer of v1 has no event: it is asked again, with a wait that grows to a millisecond.
template <class Done>
Result<bool> ask_until(milliseconds patience, Done done) {
  const auto end = std::chrono::steady_clock::now() + patience;
  auto pause = std::chrono::microseconds{10};
  while (true) {
    if (TRY(done())) return true;
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(pause);  // lint: allow(sleep) the v1 freezer has no event
    pause = std::min(pause * 2, std::chrono::microseconds{1000});
  }
}

Result<> freeze_v1(const std::string& directory) {
  const auto frozen = TRY(ask_until(milliseconds{2000}, [&]() -> Result<bool> {
    // A process that forks while it is being frozen needs the order again.
    TRY(detail::write(directory, "freezer.state", "FROZEN"));
    const std::string state = TRY(detail::read(directory, "freezer.state"));
    return base::trim(state) == "FROZEN";
  }));
  if (frozen) return {};
  TRY(detail::write(directory, "freezer.state", "THAWED"));
  return base::unavailable("unable to freeze: a process of the container does not stop");
}

/// cgroup.events wakes pollers when "frozen" or "populated" changes.
Result<bool> wait_event(const std::string& directory, std::string_view key, std::uint64_t wanted, milliseconds patience) {
  const sys::UniqueFd fd = TRY(sys::open_at(sys::kCwd, directory + "/cgroup.events", O_RDONLY));
  const auto end = std::chrono::steady_clock::now() + patience;
  while (true) {
    const auto table = detail::read_table(directory, "cgroup.events");
    const auto found = table.find(std::string{key});
    if (found != table.end() && found->second == wanted) return true;
    const auto left = std::chrono::duration_cast<milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    ::pollfd entry{fd.get(), POLLPRI, 0};
    ::poll(&entry, 1, static_cast<int>(left.count()));
  }
}

/// Waits for whatever is in there to exit, by descriptor.
Result<> wait_for_exits(const std::string& directory, std::chrono::steady_clock::time_point end) {
  std::set<pid_t> pids;
  TRY(collect(directory, pids));
  for (const pid_t pid : pids) {
    const auto process = sys::Process::open(pid);
    if (!process) continue;
    const auto left = end - std::chrono::steady_clock::now();
    if (left.count() <= 0 || !sys::poll_readable(process->pidfd(), left)) {
      return base::conflict(fmt::format("cgroup {} still holds process {}", directory, pid));
    }
  }
  // A process leaves its cgroup a moment before or after its descriptor tells: nothing tells that.
  if (pids.empty()) std::this_thread::sleep_for(std::chrono::microseconds{200});  // lint: allow(sleep) see above
  return {};
}

Result<> remove_one(const std::string& directory, std::chrono::steady_clock::time_point end) {
  while (true) {
    auto removed = sys::unlink_at(sys::kCwd, directory, true);
    if (removed || removed.failed_as(base::ErrorKind::NotFound)) return {};
    if (removed.error().errno_value() != EBUSY) return std::move(removed).context("remove a cgroup");
    for (const auto& child : TRY(children(directory))) TRY(remove_one(child, end));
    TRY(wait_for_exits(directory, end));
    if (std::chrono::steady_clock::now() >= end) return std::move(removed).context("remove a cgroup");
  }
}

}  // namespace

const std::string& Cgroup::listing_directory() const {
  // Any v1 hierarchy has all processes, and only the first is sure to be mounted; v2 stands alone.
  static const std::string kNone;
  return places_.empty() ? kNone : places_.front().directory;
}

Result<std::vector<pid_t>> Cgroup::processes() const {
  std::set<pid_t> pids;
  if (!places_.empty()) TRY(collect(listing_directory(), pids).context("list processes"));
  return std::vector<pid_t>(pids.begin(), pids.end());
}

Result<> Cgroup::freeze() {
  if (const auto* place = v1_place("freezer"); place != nullptr) return freeze_v1(place->directory);
  const auto* place = v2_place();
  if (place == nullptr) return base::not_implemented("this host has no freezer cgroup");
  TRY(detail::write(place->directory, "cgroup.freeze", "1").context("freeze"));
  if (TRY(wait_event(place->directory, "frozen", 1, milliseconds{2000}))) return {};
  TRY(detail::write(place->directory, "cgroup.freeze", "0").context("thaw"));
  return base::unavailable("unable to freeze: a process of the container does not stop");
}

Result<> Cgroup::thaw() {
  if (const auto* place = v1_place("freezer"); place != nullptr) {
    return detail::write(place->directory, "freezer.state", "THAWED").context("thaw");
  }
  const auto* place = v2_place();
  if (place == nullptr) return base::not_implemented("this host has no freezer cgroup");
  return detail::write(place->directory, "cgroup.freeze", "0").context("thaw");
}

Result<> Cgroup::require_vacant() const {
  std::set<pid_t> pids;
  for (const auto& place : places_) {
    if (TRY(sys::exists(sys::kCwd, place.directory))) TRY(collect(place.directory, pids));
  }
  if (!pids.empty()) {
    return base::conflict(fmt::format("container's cgroup is not empty: {} process(es) found", pids.size()));
  }
  if (TRY(frozen())) return base::conflict("container's cgroup unexpectedly frozen");
  return {};
}

Result<bool> Cgroup::frozen() const {
  if (const auto* place = v1_place("freezer"); place != nullptr) {
    const auto state = TRY(detail::read_if_there(place->directory, "freezer.state"));
    return state && base::trim(*state) != "THAWED";
  }
  const auto* place = v2_place();
  if (place == nullptr) return false;
  const auto state = TRY(detail::read_if_there(place->directory, "cgroup.freeze"));
  return state && base::trim(*state) == "1";
}

Result<> Cgroup::signal_all(int signal) {
  if (places_.empty()) return {};
  if (signal == SIGKILL && v2_place() != nullptr) {
    const auto killed = detail::write(v2_place()->directory, "cgroup.kill", "1");
    if (killed) {
      // A frozen v1 freezer would keep the dying from dying.
      if (const auto* place = v1_place("freezer"); place != nullptr) {
        TRY(detail::write(place->directory, "freezer.state", "THAWED").context("thaw"));
      }
      return {};
    }
    // Before Linux 5.14 it is not there, and in a threaded cgroup it refuses.
    const bool by_hand = killed.failed_as(base::ErrorKind::NotFound) || killed.error().errno_value() == EOPNOTSUPP;
    if (!by_hand) return base::Error{killed.error()}.context("kill all processes");
  }
  const bool was_frozen = TRY(frozen());
  // Frozen, they neither fork nor give their numbers away meanwhile.
  if (!was_frozen) base::ignore(freeze(), "without it a fork may escape this round, not the next");
  for (const pid_t pid : TRY(processes())) {
    const auto process = sys::Process::open(pid);
    if (process) base::ignore(process->signal(signal), "it may just have ended");
  }
  return was_frozen && signal != SIGKILL ? Result<>{} : thaw();
}

Result<> Cgroup::remove(milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  // systemd first: it would else find its unit without a cgroup. What it did not make or did not remove follows.
  auto stopped = unit_ ? stop_unit() : Result<>{};
  for (const auto& place : places_) TRY(remove_one(place.directory, end));
  return stopped;
}

}  // namespace cgroup
