/// caisson-runtime: an OCI runtime with runc's command line. Wiring and messages only; the work is in
/// src/runtime.

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <malloc.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/log.h"
#include "base/strings.h"
#include "cmd/caisson-runtime/commands.h"
#include "cmd/caisson-runtime/rootless.h"
#include "runtime/container.h"
#include "sys/fd.h"
#include "sys/file.h"

namespace caisson_runtime {
namespace {

sys::UniqueFd g_log_file;

constexpr std::array kGlobalFlags{
    Flag{"debug", "", false, "log more"},
    Flag{"log", "", true, "file to append errors to, too"},
    Flag{"log-format", "", true, "text or json"},
    Flag{"root", "", true, "where containers are recorded (default: /run/caisson/runtime, below $XDG_RUNTIME_DIR for an ordinary user)"},
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
  std::string out = fmt::format(
      "NAME:\n   {0} - Open Container Initiative runtime\n\n"
      "USAGE:\n   {0} [global flags] command [flags] [arguments]\n\nCOMMANDS:\n",
      program_name());
  for (const auto& command : commands()) out += fmt::format("   {:10}{}\n", command.name, command.help);
  return out + "\nGLOBAL FLAGS:\n" + flags_text(kGlobalFlags);
}

std::string help_of(const Command& command) {
  return fmt::format("NAME:\n   {0} {1} - {2}\n\nUSAGE:\n   {0} {1} {3}\n\nFLAGS:\n{4}", program_name(), command.name,
                     command.help, command.usage, flags_text(command.flags));
}

/// The log is where engines look: the file, when there is one, and then people still get the message.
void report(const base::Error& error) {
  base::log::error("{}", error.message());
  if (g_log_file) base::ignore(sys::write_all(STDERR_FILENO, error.message() + "\n"), "it stands in the log as well");
}

/// Kept open, and by children until they execute something.
base::Result<> open_log(const Arguments& global) {
  const std::string format = global.value_or("log-format", "text");
  if (format != "text" && format != "json") return base::invalid("invalid log-format: " + base::quoted(format));
  if (const std::string file = global.value_or("log", ""); !file.empty()) {
    g_log_file = TRY(sys::open_at(sys::kCwd, file, O_WRONLY | O_CREAT | O_APPEND, 0644).context("open the log"));
    base::log::set_descriptor(g_log_file.get());
  }
  base::log::set_format(format == "json" ? base::log::Format::Json : base::log::Format::Text);
  if (global.has("debug")) base::log::set_level(base::log::Level::Debug);
  return {};
}

/// Go's command-line package's status for a command that there is not.
constexpr int kNoSuchCommand = 3;

base::Result<int> no_such_command(const std::string& command) {
  TRY(sys::write_all(STDERR_FILENO, fmt::format("No help topic for '{}'\n", command)));
  return kNoSuchCommand;
}

const Command* find(const std::string& command) {
  const auto all = commands();
  const auto found = std::ranges::find(all, std::string_view{command}, &Command::name);
  return found == all.end() ? nullptr : &*found;
}

bool asks_for_help(const Command& command, std::span<const std::string> words) {
  const auto asks = [](const std::string& word) { return word == "--help" || word == "-h"; };
  // Behind the id of "exec" and "ps" it is somebody else's flag.
  if (command.order == Arguments::Order::FlagsFirst) return !words.empty() && asks(words[0]);
  return std::ranges::any_of(words, asks);
}

base::Result<int> dispatch(const Arguments& global) {
  if (global.has("version")) {
    // dockerd wants a line with the commit, too.
    TRY(print(fmt::format("{0} version {1}\ncommit: v{1}\nspec: {2}\n", program_name(), CAISSON_VERSION,
                          spec::oci::kRuntimeSpecVersion)));
    return 0;
  }
  const auto& words = global.rest();
  const bool help_command = !words.empty() && (words[0] == "help" || words[0] == "h");
  if (global.has("help") || words.empty() || (help_command && words.size() == 1)) {
    TRY(print(help()));
    return 0;
  }
  const std::string& wanted = words[help_command ? 1 : 0];
  if (const Command* found = find(wanted); found != nullptr) {
    const Command& command = *found;
    const auto rest = std::span{words}.subspan(1);
    if (help_command || asks_for_help(command, rest)) {
      TRY(print(help_of(command)));
      return 0;
    }
    const Arguments arguments = TRY(Arguments::parse(command.flags, rest, command.order));
    const std::size_t count = arguments.rest().size();
    if (count < command.least || count > command.most) {
      return base::invalid(fmt::format("{}: wrong number of arguments: want {}", command.name, command.usage));
    }
    const auto given = global.value("root");
    Globals globals{given ? *given : TRY(default_state_root()), given.has_value()};
    if (!globals.root.starts_with('/')) {
      const std::string here = TRY(sys::read_link(sys::kCwd, "/proc/self/cwd"));
      globals.root = here + "/" + globals.root;
    }
    globals.criu = global.value_or("criu", "criu");
    if (global.has("systemd-cgroup")) globals.cgroup_driver = cgroup::Driver::Systemd;
    globals.rootless = TRY(rootless_of(global.value_or("rootless", "auto"), globals.cgroup_driver));
    return command.run(globals, arguments);
  }
  return no_such_command(wanted);
}

int main_status(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const auto global = Arguments::parse(kGlobalFlags, words);
  if (!global) {
    report(global.error());
    return 1;
  }
  if (const auto opened = open_log(*global); !opened) {
    report(opened.error());
    return 1;
  }
  const auto status = dispatch(*global);
  if (status) return *status;
  report(status.error());
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
