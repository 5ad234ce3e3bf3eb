#pragma once
/// Units of systemd as containers' cgroups: how they are named, and the properties they are given.
///
/// The driver "systemd" lets the service manager, which owns the tree on most hosts, make the cgroup: a
/// transient scope around the container's first process. systemd is told of all limits that it has
/// words for, so that it does not undo them when it realizes its units again (daemon-reload); what it has
/// none for is written to the files, below a scope that is delegated.
///
/// Sources: systemd.scope(5), systemd.slice(5), systemd.resource-control(5), org.freedesktop.systemd1(5),
/// runc docs/systemd.md (the form of cgroupsPath and the annotations).

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cgroup/resources.h"
#include "codec/describe.h"
#include "codec/json.h"

namespace cgroup {

/// Who makes the directories.
enum class Driver : std::uint8_t { Cgroupfs, Systemd };

/// What a state file records to find the unit again.
struct SystemdUnit {
  std::string name;   ///< "docker-4f1c.scope"
  std::string slice;  ///< "system.slice"
  bool user = false;  ///< a unit of the calling user's manager, not of the system's
  /// systemd forgets it by itself, even if it failed (CollectMode, since version 236).
  bool collected = true;

  [[nodiscard]] bool is_slice() const { return name.ends_with(".slice"); }
};
void describe(auto& v, SystemdUnit& x) {
  v("name", x.name);
  v("slice", x.slice);
  v.opt("user", x.user);
  v("collected", x.collected);
}

/// The unit that a cgroupsPath means: "slice:prefix:name" is prefix-name.scope in slice; a name that ends in
/// ".slice" is that slice itself. An empty path is caisson-<id>.scope. An empty slice is system.slice, or
/// user.slice of a user's manager. What a unit name can't hold is escaped as systemd-escape(1) does.
/// Errors: InvalidArgument.
base::Result<SystemdUnit> systemd_unit(std::string_view cgroups_path, std::string_view id, bool user);

/// "a-b.slice" → "/a.slice/a-b.slice"; "-.slice" is the root, "". Errors: InvalidArgument.
base::Result<std::string> expand_slice(std::string_view slice);

/// Where the unit's cgroup is, below the manager's own: "/a.slice/a-b.slice/docker-4f1c.scope".
base::Result<std::string> control_group_of(const SystemdUnit& unit);

/// A property of a unit: a D-Bus value. Arrays, structures and dictionary entries are JSON arrays of their parts;
/// a variant is an object of its signature and its value: {"s": "t", "v": 5}.
struct UnitProperty {
  std::string name;
  std::string signature;
  codec::Json value;

  bool operator==(const UnitProperty&) const = default;
};
void describe(auto& v, UnitProperty& x) {
  v("name", x.name);
  v("signature", x.signature);
  v("value", x.value);
}

/// What the annotations "org.systemd.property.<Name>" ask for. Their values are GVariant text ("uint64 5",
/// "'kill'", "['a.service']"); a name in "Sec" is given to systemd as "USec", in microseconds. Errors: InvalidArgument.
base::Result<std::vector<UnitProperty>> annotated_properties(const std::map<std::string, std::string>& annotations);

/// One value in GVariant's text format, without maybe types: D-Bus has none. `signature` says its type. Errors:
/// InvalidArgument. Source: the GVariant text format, docs.gtk.org/glib.
base::Result<codec::Json> parse_gvariant(std::string_view text, std::string& signature);

/// systemd's CollectMode, without which a unit that failed stays until it is asked to go.
inline constexpr std::uint64_t kCollectModeSince = 236;

/// What is known of the manager that is asked.
struct SystemdFacts {
  std::uint64_t version = 0;  ///< 252
  std::string control_group;  ///< the manager's own: "" for the system's on an ordinary host
};

/// A limit as the unit's properties. `wanted` is changed where systemd rounds, so that what is written to the files
/// afterwards is what systemd writes as well (the CPU quota, to whole percents). `v2` is where the controllers are.
/// Errors: InvalidArgument.
base::Result<std::vector<UnitProperty>> resource_properties(Resources& wanted, const SystemdFacts& facts, bool v2);

/// What a new unit is besides its limits: in its slice, delegated, accounted, with `pid` in it, forgotten once it has
/// ended (also when it failed).
std::vector<UnitProperty> creation_properties(const SystemdUnit& unit, std::string_view description, std::int64_t pid,
                                              const SystemdFacts& facts, bool v2);

}  // namespace cgroup
