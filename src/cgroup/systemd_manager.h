#pragma once
/// A service manager, spoken to through caisson-systemd.

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cgroup/systemd.h"
#include "cgroup/systemd_message.h"
#include "sys/fd.h"

namespace cgroup {

class SystemdManager {
 public:
  /// Starts caisson-systemd (beside this program, else in the installation's libexec directory), which connects
  /// meanwhile. `user`: to the calling user's manager. Errors: NotFound (the program), Internal.
  static base::Result<SystemdManager> start(bool user);
  /// With another program, for tests.
  static base::Result<SystemdManager> start_program(const std::string& program, bool user);
  /// systemd runs this host: sd_booted(3).
  static base::Result<bool> booted();

  /// Waits for the connection. Errors: Unavailable, with what was tried.
  base::Result<SystemdFacts> facts();

  // Errors of these: Conflict (the unit exists), InvalidArgument (a property), Unavailable (the manager does not answer),
  // Internal; all with the manager's own words.

  /// Makes a transient unit, and returns when its job is done. One of the same name that failed is forgotten first.
  base::Result<> start_unit(const std::string& unit, std::vector<UnitProperty> properties);
  base::Result<> set_properties(const std::string& unit, std::vector<UnitProperty> properties);
  /// Ends the unit and forgets it. One that is not there is success.
  base::Result<> stop_unit(const std::string& unit);
  /// Moves a process into the unit's cgroup or into one below it.
  base::Result<> attach(const std::string& unit, const std::string& subgroup, pid_t pid);

 private:
  explicit SystemdManager(sys::UniqueFd socket) : socket_{std::move(socket)} {}
  base::Result<std::string> receive();
  base::Result<systemd_message::Reply> ask(const systemd_message::Request& request);
  base::Result<> done(const systemd_message::Request& request, std::string_view intent);

  sys::UniqueFd socket_;
  std::optional<SystemdFacts> facts_;
};

}  // namespace cgroup
