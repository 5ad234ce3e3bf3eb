#pragma once
/// The commands. Each takes its own words and says the exit status.

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cgroup/systemd.h"
#include "cmd/caisson-runtime/arguments.h"

namespace caisson_runtime {

/// What the global flags say.
struct Globals {
  std::string root;
  bool root_given = false;
  cgroup::Driver cgroup_driver = cgroup::Driver::Cgroupfs;
  bool rootless = false;
  std::string criu;  ///< the program
};

struct Command {
  std::string_view name;
  std::string_view usage;  ///< behind the name
  std::string_view help;
  std::span<const Flag> flags;
  std::size_t least;  ///< positional arguments
  std::size_t most;
  base::Result<int> (*run)(const Globals& globals, const Arguments& arguments);
  Arguments::Order order = Arguments::Order::Any;
};

[[nodiscard]] std::span<const Command> commands();

base::Result<int> run_checkpoint(const Globals& globals, const Arguments& arguments);
base::Result<int> run_create(const Globals& globals, const Arguments& arguments);
base::Result<int> run_run(const Globals& globals, const Arguments& arguments);
base::Result<int> run_exec(const Globals& globals, const Arguments& arguments);
base::Result<int> run_start(const Globals& globals, const Arguments& arguments);
base::Result<int> run_state(const Globals& globals, const Arguments& arguments);
base::Result<int> run_kill(const Globals& globals, const Arguments& arguments);
base::Result<int> run_delete(const Globals& globals, const Arguments& arguments);
base::Result<int> run_list(const Globals& globals, const Arguments& arguments);
base::Result<int> run_pause(const Globals& globals, const Arguments& arguments);
base::Result<int> run_restore(const Globals& globals, const Arguments& arguments);
base::Result<int> run_resume(const Globals& globals, const Arguments& arguments);
base::Result<int> run_ps(const Globals& globals, const Arguments& arguments);
base::Result<int> run_update(const Globals& globals, const Arguments& arguments);
base::Result<int> run_events(const Globals& globals, const Arguments& arguments);
base::Result<int> run_spec(const Globals& globals, const Arguments& arguments);
base::Result<int> run_features(const Globals& globals, const Arguments& arguments);

/// As it was called: whoever installs it as runc, or asks runc's version, finds what they expect.
[[nodiscard]] std::string_view program_name();
/// All of it on standard output.
base::Result<> print(std::string_view text);

}  // namespace caisson_runtime
