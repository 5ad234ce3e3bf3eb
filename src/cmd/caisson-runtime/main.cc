/// caisson-runtime: an OCI runtime with runc's command line. Wiring and messages only; the work is in
/// src/runtime.

#include <array>
#include <string>
#include <vector>

#include <malloc.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/log.h"
#include "base/time.h"
#include "cmd/caisson-runtime/commands.h"
#include "cmd/caisson-runtime/rootless.h"
#include "codec/json.h"
#include "runtime/container.h"
#include "sys/fd.h"
#include "sys/file.h"

namespace caisson_runtime {
namespace {

constexpr std::string_view kDefaultRoot = "/run/caisson/runtime";

constexpr std::array kGlobalFlags{
    Flag{"debug", "", false, "log more"},
    Flag{"log", "", true, "file to append errors to, too"},
    Flag{"log-format", "", true, "text or json"},
    Flag{"root", "", true, "where containers are recorded (default: /run/caisson/runtime)"},
    Flag{"criu", "", true, "CRIU's program (default: criu)"},
    Flag{"systemd-cgroup", "", false, "let systemd make the cgroups; cgroupsPath is \"slice:prefix:name\" then"},
    Flag{"rootless", "", true, "go without cgroups that are not permitted: true, false or auto (default: auto)"},
    Flag{"help", "h", false, "show help"},
    Flag{"version", "v", false, "print the version"},
};

std::string flags_text(std::span<const Flag> flags) {
  std::string out;
  for (const auto& flag : flags) {
    const std::string name =
        fmt::format("--{}{}{}", flag.name, flag.short_name.empty() ? "" : fmt::format(", -{}", flag.short_name),
                    flag.takes_value ? " value" : "");
    out += fmt::format("   {:28}{}\n", name, flag.help);
  }
  return out;
}

std::string help() {
  std::string out =
      "NAME:\n   caisson-runtime - OCI container runtime\n\n"
      "USAGE:\n   caisson-runtime [global flags] command [flags] [arguments]\n\nCOMMANDS:\n";
  for (const auto& command : commands()) out += fmt::format("   {:10}{}\n", command.name, command.help);
  return out + "\nGLOBAL FLAGS:\n" + flags_text(kGlobalFlags);
}

std::string help_of(const Command& command) {
  return fmt::format("NAME:\n   caisson-runtime {} - {}\n\nUSAGE:\n   caisson-runtime {} {}\n\nFLAGS:\n{}", command.name,
                     command.help, command.name, command.usage, flags_text(command.flags));
}

/// In the log file, where engines look for it, and on stderr, where people do.
void report(const base::Error& error, const std::string& file, bool json) {
  base::log::error("{}", error.message());
  if (file.empty()) return;
  const std::string time = base::to_rfc3339(base::now(), base::Fraction::None);
  std::string line = fmt::format("time=\"{}\" level=error msg={}\n", time, codec::Json{error.message()}.dump());
  if (json) {
    line = codec::Json::object({{"level", "error"}, {"msg", error.message()}, {"time", time}}).dump() + "\n";
  }
  const auto opened = sys::open_at(sys::kCwd, file, O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (opened) base::ignore(sys::write_all(opened->get(), line), "it stands on stderr as well");
}

base::Result<int> dispatch(const Arguments& global) {
  if (global.has("version")) {
    // dockerd wants a line with the commit, too.
    TRY(print(fmt::format("caisson-runtime version {0}\ncommit: v{0}\nspec: {1}\n", CAISSON_VERSION,
                          spec::oci::kRuntimeSpecVersion)));
    return 0;
  }
  const auto& words = global.rest();
  if (global.has("help") || words.empty() || words[0] == "help") {
    TRY(print(help()));
    return 0;
  }
  for (const auto& command : commands()) {
    if (command.name != words[0]) continue;
    const auto rest = std::span{words}.subspan(1);
    if (!rest.empty() && (rest[0] == "--help" || rest[0] == "-h")) {
      TRY(print(help_of(command)));
      return 0;
    }
    const Arguments arguments = TRY(Arguments::parse(command.flags, rest));
    const std::size_t count = arguments.rest().size();
    if (count < command.least || count > command.most) {
      return base::invalid(fmt::format("{}: wrong number of arguments: want {}", command.name, command.usage));
    }
    Globals globals{global.value_or("root", kDefaultRoot)};
    if (!globals.root.starts_with('/')) {
      const std::string here = TRY(sys::read_link(sys::kCwd, "/proc/self/cwd"));
      globals.root = here + "/" + globals.root;
    }
    globals.criu = global.value_or("criu", "criu");
    if (global.has("systemd-cgroup")) globals.cgroup_driver = cgroup::Driver::Systemd;
    globals.rootless = TRY(rootless_of(global.value_or("rootless", "auto"), globals.cgroup_driver));
    return command.run(globals, arguments);
  }
  return base::invalid(fmt::format("no help topic for '{}'", words[0]));
}

int main_status(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const auto global = Arguments::parse(kGlobalFlags, words);
  if (!global) {
    report(global.error(), {}, false);
    return 1;
  }
  if (global->has("debug")) base::log::set_level(base::log::Level::Debug);
  const auto status = dispatch(*global);
  if (status) return *status;
  report(status.error(), global->value_or("log", ""), global->value_or("log-format", "text") == "json");
  // As runc: exec's own failures are told from the program's statuses by 255.
  const auto& rest = global->rest();
  return !rest.empty() && rest[0] == "exec" ? 255 : 1;
}

}  // namespace
}  // namespace caisson_runtime

int main(int argc, char** argv) {
  // One growth of the heap instead of ten.
  ::mallopt(M_TOP_PAD, 512 * 1024);
  // Nothing to flush or to destroy: the kernel does it faster.
  ::_exit(caisson_runtime::main_status(argc, argv));
}
