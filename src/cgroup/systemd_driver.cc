/// The parts of Cgroup that speak to systemd.
#include <fmt/format.h>

#include "base/strings.h"
#include "cgroup/cgroup.h"
#include "sys/file.h"

namespace cgroup {

using base::Result;

namespace {

constexpr std::string_view kSystemdHierarchy = "name=systemd";
constexpr std::string_view kInitScope = "/init.scope";

/// The hierarchy that systemd itself keeps its units in.
const Hierarchy* systemd_hierarchy(const Host& host) {
  const auto* named = host.v1(kSystemdHierarchy);
  return named != nullptr ? named : host.v2();
}

/// The cgroup below which the system's manager keeps its own: "" on an ordinary host. It is process 1 in most, so
/// that one need not wait for the connection to be told.
Result<std::string> base_of_system(SystemdManager& manager) {
  if (const auto text = sys::read_file(sys::kCwd, "/proc/1/cgroup")) {
    for (const auto line : base::split_words(*text, '\n')) {
      const bool its_own = line.starts_with("0::") || line.find(":name=systemd:") != std::string_view::npos;
      if (!its_own || !line.ends_with(kInitScope)) continue;
      const std::string_view path = line.substr(line.find('/'));
      return std::string{path.substr(0, path.size() - kInitScope.size())};
    }
  }
  return TRY(manager.facts()).control_group;
}

}  // namespace

Result<Cgroup> Cgroup::plan_systemd(const Host& host, Wanted wanted) {
  const auto* own = systemd_hierarchy(host);
  if (!TRY(SystemdManager::booted()) || own == nullptr) {
    return base::not_implemented("systemd not running on this host, cannot use systemd cgroups manager");
  }
  if (wanted.rootless && !host.v2_only()) {
    return base::not_implemented("cannot use rootless systemd cgroups manager on cgroup v1");
  }
  Cgroup out;
  out.rootless_ = wanted.rootless;
  out.name_ = wanted.id;
  out.unit_ = TRY(systemd_unit(wanted.path, wanted.id, wanted.rootless));
  out.properties_ = std::move(wanted.properties);
  auto* manager = TRY(out.manager());
  const std::string base = wanted.rootless ? TRY(manager->facts()).control_group : TRY(base_of_system(*manager));
  const std::string below = base + TRY(control_group_of(*out.unit_));
  for (const auto& hierarchy : host.hierarchies) {
    out.places_.push_back({hierarchy, hierarchy.mount_point + below});
    out.directories_.push_back(out.places_.back().directory);
  }
  return out;
}

Result<SystemdManager*> Cgroup::manager() {
  if (!manager_) manager_ = TRY(SystemdManager::start(unit_->user));
  return &*manager_;
}

bool Cgroup::limits_on_v2() const {
  const auto* place = place_of("memory");
  return place != nullptr && place->hierarchy.v2;
}

Result<> Cgroup::start_unit(std::int64_t pid, Resources& resources) {
  auto* manager = TRY(this->manager());
  const SystemdFacts facts = TRY(manager->facts());
  unit_->collected = facts.version >= kCollectModeSince;
  auto properties = creation_properties(*unit_, "caisson container " + name_, pid, facts, limits_on_v2());
  const auto append = [&](std::vector<UnitProperty> more) {
    for (auto& one : more) properties.push_back(std::move(one));
  };
  append(properties_);
  append(TRY(resource_properties(resources, facts, limits_on_v2())));
  auto started = manager->start_unit(unit_->name, std::move(properties));
  // Somebody else's: whoever undoes this must not end it.
  if (started.failed_as(base::ErrorKind::Conflict)) disown();
  TRY(std::move(started));
  const auto* named = v1_place(kSystemdHierarchy);
  const std::string& directory = (named != nullptr ? named : v2_place())->directory;
  if (TRY(sys::exists(sys::kCwd, directory))) return {};
  return base::internal(fmt::format("systemd did not put the unit {} into {}", unit_->name, directory));
}

Result<> Cgroup::set_unit_properties(Resources& resources) {
  auto* manager = TRY(this->manager());
  const SystemdFacts facts = TRY(manager->facts());
  // Also what it refuses: it would end the container instead, before the files are written.
  TRY(check_memory_in_use(resources));
  auto properties = TRY(resource_properties(resources, facts, limits_on_v2()));
  return properties.empty() ? Result<>{} : manager->set_properties(unit_->name, std::move(properties));
}

void Cgroup::disown() {
  places_.clear();
  directories_.clear();
  unit_.reset();
}

Result<> Cgroup::stop_unit() {
  // Once all its processes have ended systemd removes it without being asked.
  const auto* named = v1_place(kSystemdHierarchy);
  const auto* place = named != nullptr ? named : v2_place();
  if (unit_->collected && (place == nullptr || !TRY(sys::exists(sys::kCwd, place->directory)))) return {};
  auto* manager = TRY(this->manager());
  return manager->stop_unit(unit_->name);
}

Result<> Cgroup::attach(const std::string& below, pid_t pid) {
  if (!unit_) return base::internal("a cgroup that systemd did not make");
  auto* manager = TRY(this->manager());
  return manager->attach(unit_->name, below.empty() || below.starts_with('/') ? below : "/" + below, pid);
}

}  // namespace cgroup
