#pragma once
/// The control group of one container, in whatever hierarchies this host has.
///
/// Three layouts exist and a caller need not know which one it has:
///  * v2 alone: one directory holds all controllers;
///  * v1 alone: one directory of the same path in each mounted hierarchy, named ones included;
///  * v1 with a v2 hierarchy beside it that has no controllers, or only such as `hugetlb` that no v1
///    hierarchy has: the v2 directory is made and joined too.
///
/// Paths: an absolute one starts at each hierarchy's mount; a relative one at the cgroup of the
/// calling process (on v2 at its parent, since a cgroup with processes can't hand controllers down).
///
/// Drivers: with cgroupfs this code makes the directories, which a host whose systemd owns the tree accepts under a
/// delegated or otherwise unused path; with systemd the service manager makes them (cgroup/systemd.h) and those of
/// the v1 hierarchies that it does not know are made here.
///
/// Sources: cgroups(7), kernel Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/.
/// Threads: a Cgroup is used by one thread at a time; different ones are independent.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/result.h"
#include "cgroup/resources.h"
#include "cgroup/stats.h"
#include "cgroup/systemd.h"
#include "cgroup/systemd_manager.h"
#include "sys/fd.h"

namespace cgroup {

/// One mounted hierarchy.
struct Hierarchy {
  std::string mount_point;               ///< "/sys/fs/cgroup/memory"
  std::vector<std::string> controllers;  ///< "memory"; for a named one "name=systemd"; v2: none here
  bool v2 = false;
  std::string own_path;  ///< the calling process's cgroup below the mount point: "/" or "/a/b"

  [[nodiscard]] bool has(std::string_view controller) const;
};

/// The hierarchies of this host, the v2 one last. Looked up once per process by the callers.
/// Errors: NotFound when none is mounted.
struct Host {
  std::vector<Hierarchy> hierarchies;

  static base::Result<Host> detect();
  /// Under another root, for tests: `root` stands for /sys/fs/cgroup, `own` for /proc/self/cgroup's text.
  static base::Result<Host> detect_in(const std::string& root, std::string_view own);

  /// Only v2 is there, so clone3 can place a child (CLONE_INTO_CGROUP).
  [[nodiscard]] bool v2_only() const;
  /// The hierarchy of a v1 controller, or null.
  [[nodiscard]] const Hierarchy* v1(std::string_view controller) const;
  [[nodiscard]] const Hierarchy* v2() const;
};

/// How a process gets in. Descriptors stay usable in any mount or user namespace.
struct Entry {
  std::vector<sys::UniqueFd> v1_tasks;  ///< a single-threaded process writes "0" into each
  sys::UniqueFd v2_directory;           ///< for CLONE_INTO_CGROUP; invalid without v2
  sys::UniqueFd v2_procs;               ///< cgroup.procs: "0" moves the writer; invalid without v2

  /// Moves the calling, single-threaded process. No thread-group lock is taken on v1, which spares a
  /// wait for RCU in each hierarchy.
  [[nodiscard]] base::Result<> join() const;
};

/// Tells out-of-memory kills. `fd` is readable after one; `kills()` says how many there were and
/// makes it unreadable again.
class OomWatch {
 public:
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// Since the cgroup began, on v2 and on v1 since Linux 4.13. Errors: those of reading.
  base::Result<std::uint64_t> kills();

 private:
  friend class Cgroup;
  sys::UniqueFd fd_;
  std::string counter_;  ///< v1: memory.oom_control; v2: memory.events
};

/// What a new cgroup is to be.
struct Wanted {
  Driver driver = Driver::Cgroupfs;
  std::string path;  ///< linux.cgroupsPath, in the driver's form; may be empty
  std::string id;    ///< the container's: its cgroup's name where there is no path
  /// For a caller who may not be permitted to make cgroups: where nothing is asked for, neither by a path nor by a
  /// limit, a hierarchy that refuses is done without; device rules are not enforced. runc's --rootless. With systemd:
  /// a unit of the user's own manager.
  bool rootless = false;
  std::vector<UnitProperty> properties;  ///< systemd's, on top of the usual ones
};

/// Cgroups below the container's, by controller; under "" for all of them (and on v2). Paths as "a/b", "/" the top.
using Subgroups = std::map<std::string, std::string>;

class Cgroup {
 public:
  /// Makes the directories, parents included, and makes them usable (cpuset copied from the parent
  /// on v1, controllers handed down on v2). One that exists already is taken as it is. Errors:
  /// InvalidArgument (".." in the path), PermissionDenied, Internal; then what was made is removed.
  static base::Result<Cgroup> create(const Host& host, const std::string& path);
  /// The same in steps, for a caller with something to do in between: nothing is made here, only the connection to
  /// systemd begins. Errors: InvalidArgument (the path), NotImplemented (no systemd).
  static base::Result<Cgroup> plan(const Host& host, Wanted wanted);
  static base::Result<Cgroup> plan(const Host& host, const std::string& path) { return plan(host, Wanted{.path = path}); }
  /// ... the v2 directory, if there is a v2 hierarchy. Then a child can be cloned into it, unless systemd is to put it
  /// into a scope (`adopts`): a scope is made around a process ...
  /// For who wants it alone: nobody is in it yet, and it is not frozen. Before it is made. Errors:
  /// Conflict.
  base::Result<> require_vacant() const;
  base::Result<> make_v2();
  [[nodiscard]] bool adopts() const { return unit_ && !unit_->is_slice(); }
  /// ... and, with `pid` there, the scope and the directories of v1, and the limits of a new container. The process
  /// enters the v1 hierarchies by itself.
  base::Result<> adopt(pid_t pid, const Resources& resources);
  /// Those of v1 alone.
  base::Result<> make_v1();
  /// Removes what this object made, after a failure. Best effort.
  void discard();
  /// One made before, by the directories that it named and by its unit if systemd made it. Directories that are gone
  /// are left out.
  static base::Result<Cgroup> open(const Host& host, const std::vector<std::string>& directories,
                                   std::optional<SystemdUnit> unit = {});
  /// Where a process is, in every hierarchy, by /proc/<pid>/cgroup: for statistics and events. Errors: NotFound (it
  /// is gone).
  static base::Result<Cgroup> of_process(const Host& host, pid_t pid);

  /// Writes limits; order-dependent pairs (memory and swap, quota and period) are put in the order
  /// that the kernel accepts. What this host has no controller for is an error for a limit that was
  /// asked for, except where all runtimes skip it (swap without swap accounting is an error; kernel
  /// memory, gone from the kernel, is ignored). Errors: InvalidArgument, NotImplemented, Conflict
  /// (check_before_update), Internal.
  base::Result<> apply(const Resources& resources);

  /// How to get in, or into cgroups below that are there. Errors: InvalidArgument (a controller that there is not, a
  /// path that leaves the cgroup), Internal with ENOENT.
  base::Result<Entry> entry(const Subgroups& below = {}) const;
  base::Result<> add(pid_t pid);
  /// systemd moves the process into the unit's cgroup, or into one below it: it may where the caller may not.
  base::Result<> attach(const std::string& below, pid_t pid);

  base::Result<> freeze();
  base::Result<> thaw();
  [[nodiscard]] base::Result<bool> frozen() const;

  /// Of this cgroup and those below it.
  base::Result<std::vector<pid_t>> processes() const;
  /// Signals all processes; SIGKILL leaves none behind, even ones that fork (cgroup.kill on v2, the
  /// freezer on v1).
  base::Result<> signal_all(int signal);

  base::Result<Stats> stats() const;
  /// Errors: NotImplemented without a memory controller.
  base::Result<OomWatch> watch_oom() const;

  /// Removes the directories and all below them. Processes that are just exiting make rmdir fail with
  /// EBUSY: waits for them by their pidfds, up to `patience`. Errors: Conflict if some stay.
  base::Result<> remove(std::chrono::milliseconds patience = std::chrono::seconds{10});

  /// Absolute, one per hierarchy, the v2 one last: for the state file.
  [[nodiscard]] const std::vector<std::string>& directories() const { return directories_; }
  /// Where `controller` ("memory", "name=systemd", "" for v2) is, or an empty string.
  [[nodiscard]] std::string directory_of(std::string_view controller) const;
  /// systemd's unit, for the state file.
  [[nodiscard]] const std::optional<SystemdUnit>& unit() const { return unit_; }

 private:
  struct Place {
    Hierarchy hierarchy;
    std::string directory;
  };
  [[nodiscard]] const Place* v1_place(std::string_view controller) const;
  [[nodiscard]] const Place* v2_place() const;
  base::Result<> make_directory(const Place& place);
  static base::Result<> make_usable(const Place& place);
  /// The same, and leaves the place out where that may be.
  base::Result<> make_place(const Place& place);
  static base::Result<Cgroup> plan_systemd(const Host& host, Wanted wanted);
  base::Result<SystemdManager*> manager();
  [[nodiscard]] bool limits_on_v2() const;
  base::Result<> start_unit(std::int64_t pid, Resources& resources);
  base::Result<> set_unit_properties(Resources& resources);
  base::Result<> stop_unit();
  /// From now on it is the cgroup of nothing.
  void disown();
  /// To the files.
  base::Result<> write_limits(const Resources& resources);
  [[nodiscard]] base::Result<> check_memory_in_use(const Resources& wanted) const;
  /// Why a limit can't be set.
  [[nodiscard]] base::Error lacks(std::string_view controller) const;
  /// A v1 hierarchy has it, else v2, else null.
  [[nodiscard]] const Place* place_of(std::string_view controller) const;
  /// Where all processes are listed.
  [[nodiscard]] const std::string& listing_directory() const;

  std::vector<Place> places_;  ///< the v2 one last
  std::vector<std::string> directories_;
  std::vector<std::string> made_;
  std::optional<SystemdUnit> unit_;
  std::vector<UnitProperty> properties_;
  std::optional<SystemdManager> manager_;
  std::string name_;      ///< what systemd's description of the unit says
  bool lenient_ = false;  ///< rootless and without a path: hierarchies that refuse are left out
  bool rootless_ = false;
  std::string refusal_;   ///< why some were
};

}  // namespace cgroup
