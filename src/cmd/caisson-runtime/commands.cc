#include "cmd/caisson-runtime/commands.h"

#include <array>
#include <cerrno>

#include "sys/fd.h"

namespace caisson_runtime {
namespace {

constexpr std::array kCheckpointFlags{
    Flag{"image-path", "", true, "directory for CRIU's images (default: ./checkpoint)"},
    Flag{"work-path", "", true, "directory for CRIU's logs (default: the image path)"},
    Flag{"parent-path", "", true, "an earlier pre-dump, relative to the image path"},
    Flag{"leave-running", "", false, "leave the container running"},
    Flag{"tcp-established", "", false, "allow open TCP connections"},
    Flag{"tcp-skip-in-flight", "", false, "leave out TCP connections that are being made"},
    Flag{"link-remap", "", false, "link unlinked files back while they are saved"},
    Flag{"ext-unix-sk", "", false, "allow unix sockets to the outside"},
    Flag{"shell-job", "", false, "allow a session leader or a terminal outside"},
    Flag{"lazy-pages", "", false, "serve memory later, by the page server"},
    Flag{"status-fd", "", true, "descriptor that gets a zero byte when lazy pages can be fetched"},
    Flag{"page-server", "", true, "ADDRESS:PORT that gets the memory, or with lazy pages serves it"},
    Flag{"file-locks", "", false, "save file locks"},
    Flag{"pre-dump", "", false, "save memory only, and leave the container running"},
    Flag{"manage-cgroups-mode", "", true, "soft (default), full, strict or ignore"},
    Flag{"empty-ns", "", true, "namespace whose contents are not saved; only network, which never is"},
    Flag{"auto-dedup", "", false, "drop pages from earlier images that newer ones have"},
};
constexpr std::array kRestoreFlags{
    Flag{"console-socket", "", true, "unix socket that receives the terminal"},
    Flag{"image-path", "", true, "directory of the checkpoint (default: ./checkpoint)"},
    Flag{"work-path", "", true, "directory for CRIU's logs (default: the image path)"},
    Flag{"tcp-established", "", false, "restore open TCP connections"},
    Flag{"ext-unix-sk", "", false, "restore unix sockets to the outside"},
    Flag{"shell-job", "", false, "take over this program's session and terminal"},
    Flag{"file-locks", "", false, "restore file locks"},
    Flag{"manage-cgroups-mode", "", true, "soft (default), full, strict or ignore"},
    Flag{"bundle", "b", true, "directory that holds config.json (default: the current one)"},
    Flag{"detach", "d", false, "don't wait for the process"},
    Flag{"pid-file", "", true, "file to write the process id to"},
    Flag{"no-subreaper", "", false, "accepted; this program never adopts orphans"},
    Flag{"no-pivot", "", false, "accepted; CRIU changes the root"},
    Flag{"empty-ns", "", true, "namespace whose contents are not restored; only network, which never is"},
    Flag{"auto-dedup", "", false, "drop pages from the images as they are restored"},
    Flag{"lazy-pages", "", false, "fetch memory from a running criu lazy-pages"},
    Flag{"lsm-profile", "", true, "TYPE:NAME in place of the recorded security label"},
    Flag{"lsm-mount-context", "", true, "mount context in place of the recorded one"},
};
constexpr std::array kCreateFlags{
    Flag{"bundle", "b", true, "directory that holds config.json (default: the current one)"},
    Flag{"console-socket", "", true, "unix socket that receives the terminal"},
    Flag{"pid-file", "", true, "file to write the process id to"},
    Flag{"pidfd-socket", "", true, "unix socket that receives a pidfd of the process"},
    Flag{"no-pivot", "", false, "don't use pivot_root"},
    Flag{"no-new-keyring", "", false, "keep the caller's session keyring"},
    Flag{"preserve-fds", "", true, "how many descriptors from 3 on the process inherits"},
};
constexpr std::array kRunFlags{
    Flag{"bundle", "b", true, "directory that holds config.json (default: the current one)"},
    Flag{"console-socket", "", true, "unix socket that receives the terminal"},
    Flag{"detach", "d", false, "don't wait for the process"},
    Flag{"keep", "", false, "don't delete the container when its process has ended"},
    Flag{"pid-file", "", true, "file to write the process id to"},
    Flag{"pidfd-socket", "", true, "unix socket that receives a pidfd of the process"},
    Flag{"no-subreaper", "", false, "accepted; this program never adopts orphans"},
    Flag{"no-pivot", "", false, "don't use pivot_root"},
    Flag{"no-new-keyring", "", false, "keep the caller's session keyring"},
    Flag{"preserve-fds", "", true, "how many descriptors from 3 on the process inherits"},
};
constexpr std::array kExecFlags{
    Flag{"console-socket", "", true, "unix socket that receives the terminal"},
    Flag{"cwd", "", true, "working directory in the container"},
    Flag{"env", "e", true, "set an environment variable"},
    Flag{"tty", "t", false, "give the process a terminal"},
    Flag{"user", "u", true, "UID[:GID]"},
    Flag{"additional-gids", "g", true, "supplementary group"},
    Flag{"process", "p", true, "process.json to run instead"},
    Flag{"detach", "d", false, "don't wait for the process"},
    Flag{"pid-file", "", true, "file to write the process id to"},
    Flag{"pidfd-socket", "", true, "unix socket that receives a pidfd of the process"},
    Flag{"process-label", "", true, "SELinux label"},
    Flag{"apparmor", "", true, "AppArmor profile"},
    Flag{"no-new-privs", "", false, "set no_new_privs"},
    Flag{"cap", "c", true, "add a capability"},
    Flag{"cgroup", "", true, "[controller,…:]path of an existing cgroup below the container's"},
    Flag{"preserve-fds", "", true, "how many descriptors from 3 on the process inherits"},
    Flag{"ignore-paused", "", false, "in a paused container, wait until it is resumed"},
};
constexpr std::array kKillFlags{Flag{"all", "a", false, "signal every process of the container"}};
constexpr std::array kDeleteFlags{Flag{"force", "f", false, "kill the container if it runs"}};
constexpr std::array kListFlags{
    Flag{"format", "f", true, "table or json"},
    Flag{"quiet", "q", false, "only ids"},
};
constexpr std::array kPsFlags{Flag{"format", "f", true, "table or json"}};
constexpr std::array kEventsFlags{
    Flag{"stats", "", false, "one report, then end"},
    Flag{"interval", "", true, "seconds between reports"},
};
constexpr std::array kSpecFlags{
    Flag{"bundle", "b", true, "where to write config.json"},
    Flag{"rootless", "", false, "for a user who is not root"},
};
constexpr std::array kUpdateFlags{
    Flag{"resources", "r", true, "file with a resources document, - for standard input"},
    Flag{"blkio-weight", "", true, "10 to 1000"},
    Flag{"cpu-period", "", true, "microseconds"},
    Flag{"cpu-quota", "", true, "microseconds"},
    Flag{"cpu-burst", "", true, "microseconds"},
    Flag{"cpu-share", "", true, "relative weight"},
    Flag{"cpu-rt-period", "", true, "microseconds"},
    Flag{"cpu-rt-runtime", "", true, "microseconds"},
    Flag{"cpuset-cpus", "", true, "list of CPUs"},
    Flag{"cpuset-mems", "", true, "list of memory nodes"},
    Flag{"cpu-idle", "", true, "0 or 1"},
    Flag{"kernel-memory", "", true, "accepted; the kernel has no such limit any more"},
    Flag{"kernel-memory-tcp", "", true, "bytes"},
    Flag{"memory", "", true, "bytes"},
    Flag{"memory-reservation", "", true, "bytes"},
    Flag{"memory-swap", "", true, "bytes, memory and swap together"},
    Flag{"pids-limit", "", true, "number of processes"},
};

constexpr std::size_t kAny = static_cast<std::size_t>(-1);
constexpr auto kFlagsFirst = Arguments::Order::FlagsFirst;

constexpr std::array kCommands{
    Command{"checkpoint", "[flags] <container-id>", "save a running container with CRIU", kCheckpointFlags, 1, 1, run_checkpoint},
    Command{"create", "[flags] <container-id>", "create a container", kCreateFlags, 1, 1, run_create},
    Command{"delete", "[flags] <container-id>", "delete what a container holds", kDeleteFlags, 1, 1, run_delete},
    Command{"events", "[flags] <container-id>", "report out-of-memory kills and use of resources", kEventsFlags, 1, 1, run_events},
    Command{"exec", "[flags] <container-id> [command]", "run another process in a container", kExecFlags, 1, kAny, run_exec, kFlagsFirst},
    Command{"features", "", "tell what this program can do", {}, 0, 0, run_features},
    Command{"kill", "[flags] <container-id> [signal]", "send a signal (default: SIGTERM)", kKillFlags, 1, 2, run_kill},
    Command{"list", "[flags]", "list containers", kListFlags, 0, 0, run_list},
    Command{"pause", "<container-id>", "suspend all processes", {}, 1, 1, run_pause},
    Command{"ps", "[flags] <container-id> [ps options]", "list a container's processes", kPsFlags, 1, kAny, run_ps, kFlagsFirst},
    Command{"restore", "[flags] <container-id>", "create and run a container from a checkpoint", kRestoreFlags, 1, 1, run_restore},
    Command{"resume", "<container-id>", "resume what was paused", {}, 1, 1, run_resume},
    Command{"run", "[flags] <container-id>", "create and run a container", kRunFlags, 1, 1, run_run},
    Command{"spec", "[flags]", "write a config.json to start from", kSpecFlags, 0, 0, run_spec},
    Command{"start", "<container-id>", "run the process of a created container", {}, 1, 1, run_start},
    Command{"state", "<container-id>", "tell a container's state", {}, 1, 1, run_state},
    Command{"update", "[flags] <container-id>", "change limits", kUpdateFlags, 1, 1, run_update},
};

}  // namespace

std::span<const Command> commands() { return kCommands; }

std::string_view program_name() { return program_invocation_short_name; }

base::Result<> print(std::string_view text) { return sys::write_all(1, text); }

}  // namespace caisson_runtime
