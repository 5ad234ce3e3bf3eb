#include "cgroup/cgroup.h"

#include <algorithm>
#include <csignal>

#include <fmt/format.h>

#include "base/scope_guard.h"
#include "base/strings.h"
#include "cgroup/detail/files.h"
#include "sys/file.h"

namespace cgroup {

using base::Result;

namespace {

/// The kernel's own limit of a file name, which cgroup file systems don't keep to: a longer one can be made, and then
/// trips whoever lists it.
constexpr std::size_t kLongestName = 255;

/// "/a//b/./c" → "/a/b/c". Errors: InvalidArgument for ".." and for overlong names.
Result<std::string> clean(std::string_view path) {
  std::string out;
  for (const auto part : base::split_words(path, '/')) {
    if (part == ".") continue;
    if (part == "..") return base::invalid(fmt::format("cgroup path {} leaves its root", base::quoted(path)));
    if (part.size() > kLongestName) {
      return base::invalid(fmt::format("cgroup path: a name in it has {} bytes, at most {} are possible", part.size(), kLongestName));
    }
    out.append("/").append(part);
  }
  return out;
}

std::string parent_of(const std::string& path) { return path.substr(0, std::max<std::size_t>(1, path.rfind('/'))); }

/// A relative path starts at the caller's own cgroup, as far as that is visible in this mount.
Result<std::string> own_base(const Hierarchy& hierarchy) {
  std::string own = TRY(clean(hierarchy.own_path));
  // A v2 cgroup with processes can't have children with controllers: its parent is used.
  if (hierarchy.v2 && !own.empty()) own = parent_of(own) == "/" ? "" : parent_of(own);
  if (!own.empty() && !TRY(sys::exists(sys::kCwd, hierarchy.mount_point + own))) own.clear();
  return own;
}

/// Hands every controller of the parent down to its children.
Result<> delegate(const std::string& directory) {
  const std::string available = TRY(detail::read_if_there(directory, "cgroup.controllers")).value_or("");
  const auto names = base::split_words(base::trim(available));
  if (names.empty()) return {};
  const std::string present = TRY(detail::read(directory, "cgroup.subtree_control"));
  const auto enabled = base::split_words(base::trim(present));
  std::string request;
  for (const auto name : names) {
    if (std::ranges::find(enabled, name) == enabled.end()) request.append(" +").append(name);
  }
  if (request.empty() || detail::write(directory, "cgroup.subtree_control", request.substr(1))) return {};
  // One controller may be refused for its own reasons (cpu, with real-time processes about): the
  // others are still wanted, and who asks for a limit of the missing one gets an error.
  for (const auto one : base::split_words(request)) {
    base::ignore(detail::write(directory, "cgroup.subtree_control", one), "see above");
  }
  return {};
}

/// A fresh v1 cpuset has no CPUs and no memory nodes, and no process can enter it: it takes those of the next one above that
/// has some, and so do those between that others left without. What `directory` has then.
Result<std::string> fill_cpuset(const std::string& mount_point, const std::string& directory, const char* file, bool fresh) {
  const bool top = directory.size() <= mount_point.size();
  std::string present;
  if (top || !fresh) present = base::trim(TRY(detail::read(directory, file)));
  if (top || !present.empty()) return present;
  std::string inherited = TRY(fill_cpuset(mount_point, parent_of(directory), file, false));
  TRY(detail::write(directory, file, inherited));
  return inherited;
}

Result<> fill_cpusets(const std::string& mount_point, const std::string& directory, bool fresh) {
  for (const char* file : {"cpuset.cpus", "cpuset.mems"}) TRY(fill_cpuset(mount_point, directory, file, fresh));
  return {};
}

}  // namespace

Result<> Entry::join() const {
  for (const auto& tasks : v1_tasks) TRY(sys::write_some(tasks.get(), "0").context("join a cgroup"));
  if (v2_procs) TRY(sys::write_some(v2_procs.get(), "0").context("join a cgroup"));
  return {};
}

Result<Cgroup> Cgroup::create(const Host& host, const std::string& path) {
  Cgroup made = TRY(plan(host, Wanted{.path = path}));
  base::ScopeGuard undo{[&] { made.discard(); }};
  TRY(made.make_v2());
  TRY(made.make_v1());
  undo.release();
  return made;
}

Result<Cgroup> Cgroup::plan(const Host& host, Wanted wanted) {
  if (wanted.driver == Driver::Systemd) return plan_systemd(host, std::move(wanted));
  Cgroup out;
  out.rootless_ = wanted.rootless;
  out.lenient_ = wanted.rootless && wanted.path.empty();
  const std::string& path = wanted.path.empty() ? wanted.id : wanted.path;
  const std::string cleaned = TRY(clean(path));
  if (cleaned.empty()) return base::invalid("a cgroup path is needed");
  for (const auto& hierarchy : host.hierarchies) {
    const std::string start = path.starts_with('/') ? std::string{} : TRY(own_base(hierarchy));
    out.places_.push_back({hierarchy, hierarchy.mount_point + start + cleaned});
    out.directories_.push_back(out.places_.back().directory);
  }
  return out;
}

Result<Cgroup> Cgroup::open(const Host& host, const std::vector<std::string>& directories,
                            std::optional<SystemdUnit> unit) {
  Cgroup out;
  for (const auto& directory : directories) {
    const auto owner = std::ranges::find_if(host.hierarchies, [&](const Hierarchy& one) {
      return directory.starts_with(one.mount_point + "/");
    });
    if (owner == host.hierarchies.end() || !TRY(sys::exists(sys::kCwd, directory))) continue;
    out.places_.push_back({*owner, directory});
    out.directories_.push_back(directory);
  }
  out.unit_ = std::move(unit);
  return out;
}

Result<> Cgroup::make_v2() {
  if (adopts()) return {};
  if (unit_) {
    Resources none;
    return start_unit(0, none);
  }
  const auto* place = v2_place();
  return place == nullptr ? Result<>{} : make_place(*place);
}

Result<> Cgroup::make_v1() {
  // By number: one that refuses is left out.
  for (std::size_t i = 0; i < places_.size();) {
    const std::string directory = places_[i].directory;
    if (!places_[i].hierarchy.v2) TRY(make_place(places_[i]));
    if (i < places_.size() && places_[i].directory == directory) ++i;
  }
  return {};
}

Result<> Cgroup::adopt(pid_t pid, const Resources& resources) {
  Resources wanted = resources;
  if (adopts()) TRY(start_unit(pid, wanted));
  TRY(make_v1());
  // A slice was made without a process, and without limits.
  return adopts() ? write_limits(wanted) : apply(wanted);
}

Result<> Cgroup::make_place(const Place& place) {
  auto made = make_directory(place);
  if (made || !lenient_) return made;
  const int code = made.error().errno_value();
  if (code != EPERM && code != EACCES && code != EROFS) return made;
  refusal_ = made.error().message();
  const std::string directory = place.directory;
  std::erase(directories_, directory);
  std::erase_if(places_, [&](const Place& one) { return one.directory == directory; });
  return {};
}

Result<> Cgroup::make_directory(const Place& place) {
  // From the deepest one that is there, which is the parent except for the first container.
  std::vector<std::string> missing{place.directory};
  bool fresh = false;
  while (missing.back() != place.hierarchy.mount_point) {
    auto made = sys::make_dir(sys::kCwd, missing.back(), 0755);
    if (made) {
      made_.push_back(missing.back());
      fresh = true;
      break;
    }
    if (made.error().errno_value() == EEXIST) break;
    if (made.error().errno_value() != ENOENT) return std::move(made).context("create a cgroup");
    missing.push_back(parent_of(missing.back()));
  }
  const bool has_cpusets = place.hierarchy.has("cpuset");
  if (has_cpusets) TRY(fill_cpusets(place.hierarchy.mount_point, missing.back(), fresh).context("create a cgroup"));
  if (place.hierarchy.v2) {
    // Down from the mount, since controllers come from there level by level.
    std::string level = place.hierarchy.mount_point;
    const std::string below = place.directory.substr(level.size());
    for (const auto part : base::split_words(below, '/')) {
      if (level.size() >= missing.back().size()) break;
      TRY(delegate(level).context("create a cgroup"));
      level.append("/").append(part);
    }
  }
  for (missing.pop_back(); !missing.empty(); missing.pop_back()) {
    const std::string& next = missing.back();
    if (place.hierarchy.v2) TRY(delegate(parent_of(next)).context("create a cgroup"));
    auto made = sys::make_dir(sys::kCwd, next, 0755);
    if (made) made_.push_back(next);
    if (!made && made.error().errno_value() != EEXIST) return std::move(made).context("create a cgroup");
    if (made && has_cpusets) TRY(fill_cpusets(place.hierarchy.mount_point, next, true).context("create a cgroup"));
  }
  return limits_on_v2() ? make_usable(place) : Result<>{};
}

/// Below a threaded cgroup a new one is of no use until it is threaded as well. It has no limits of memory or I/O then.
Result<> Cgroup::make_usable(const Place& place) {
  const auto type = TRY(detail::read_if_there(place.directory, "cgroup.type"));
  if (!type || base::trim(*type) != "domain invalid") return {};
  return detail::write(place.directory, "cgroup.type", "threaded").context("join a threaded cgroup");
}

void Cgroup::discard() {
  while (!made_.empty()) {
    base::ignore(sys::unlink_at(sys::kCwd, made_.back(), true), "best effort; another container may be in it by now");
    made_.pop_back();
  }
}

const Cgroup::Place* Cgroup::v1_place(std::string_view controller) const {
  const auto found = std::ranges::find_if(
      places_, [&](const Place& one) { return !one.hierarchy.v2 && one.hierarchy.has(controller); });
  return found == places_.end() ? nullptr : &*found;
}

const Cgroup::Place* Cgroup::v2_place() const {
  return !places_.empty() && places_.back().hierarchy.v2 ? &places_.back() : nullptr;
}

const Cgroup::Place* Cgroup::place_of(std::string_view controller) const {
  const auto* place = v1_place(controller);
  return place != nullptr ? place : v2_place();
}

std::string Cgroup::directory_of(std::string_view controller) const {
  const auto* place = controller.empty() ? v2_place() : v1_place(controller);
  return place == nullptr ? std::string{} : place->directory;
}

Result<Entry> Cgroup::entry(const Subgroups& below) const {
  for (const auto& [controller, path] : below) {
    const bool known = controller.empty() || std::ranges::any_of(places_, [&](const Place& one) {
      return one.hierarchy.has(controller);
    });
    if (!known) return base::invalid(fmt::format("unknown controller {} in SubCgroupPaths", controller));
  }
  const auto directory_in = [&](const Place& place) -> Result<std::string> {
    for (const auto& [controller, path] : below) {
      if (!controller.empty() && !place.hierarchy.has(controller)) continue;
      const auto cleaned = clean(path);
      if (!cleaned) return base::invalid("bad sub cgroup path: " + path);
      return place.directory + *cleaned;
    }
    return place.directory;
  };
  Entry out;
  for (const auto& place : places_) {
    const std::string directory = TRY(directory_in(place));
    if (place.hierarchy.v2) {
      out.v2_directory = TRY(sys::open_dir(sys::kCwd, directory));
      out.v2_procs = TRY(sys::open_at(out.v2_directory.get(), "cgroup.procs", O_WRONLY));
    } else {
      out.v1_tasks.push_back(TRY(sys::open_at(sys::kCwd, directory + "/tasks", O_WRONLY)));
    }
  }
  return out;
}

Result<> Cgroup::add(pid_t pid) {
  for (const auto& place : places_) {
    TRY(detail::write(place.directory, "cgroup.procs", fmt::format("{}", pid)).context("add to a cgroup"));
  }
  return {};
}

}  // namespace cgroup
