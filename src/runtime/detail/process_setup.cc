#include "runtime/detail/process_setup.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <linux/ioprio.h>
#include <linux/magic.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <fmt/format.h>

#include "base/log.h"
#include "base/strings.h"
#include "runtime/detail/check_config.h"
#include "sys/credentials.h"
#include "sys/file.h"
#include "sys/limits.h"
#include "sys/mount.h"
#include "sys/node.h"
#include "sys/socket.h"

namespace runtime::detail {

using base::Error;
using base::ErrorKind;
using base::Result;
using sys::UniqueFd;

namespace {

template <std::size_t N>
Result<std::uint32_t> number_of(const std::array<std::pair<std::string_view, std::uint32_t>, N>& table,
                                std::string_view name, std::string_view what) {
  for (const auto& [known, number] : table) {
    if (known == name) return number;
  }
  return base::invalid(fmt::format("unknown {} {}", what, base::quoted(name)));
}

using Row = std::pair<std::string_view, std::uint32_t>;
constexpr std::string_view kDeadline = "SCHED_DEADLINE";
constexpr std::array<Row, 7> kPolicies{{{"SCHED_OTHER", 0}, {"SCHED_FIFO", 1}, {"SCHED_RR", 2}, {"SCHED_BATCH", 3},
                                        {"SCHED_ISO", 4}, {"SCHED_IDLE", 5}, {kDeadline, 6}}};
constexpr std::array<Row, 7> kSchedulerFlags{{{"SCHED_FLAG_RESET_ON_FORK", 0x01}, {"SCHED_FLAG_RECLAIM", 0x02},
                                              {"SCHED_FLAG_DL_OVERRUN", 0x04}, {"SCHED_FLAG_KEEP_POLICY", 0x08},
                                              {"SCHED_FLAG_KEEP_PARAMS", 0x10}, {"SCHED_FLAG_UTIL_CLAMP_MIN", 0x20},
                                              {"SCHED_FLAG_UTIL_CLAMP_MAX", 0x40}}};
constexpr std::array<Row, 3> kIoClasses{
    {{"IOPRIO_CLASS_RT", 1}, {"IOPRIO_CLASS_BE", 2}, {"IOPRIO_CLASS_IDLE", 3}}};

/// Only ever upwards, and only the hard ones: the process sets the rest itself.
Result<> raise_hard_limits(pid_t pid, const spec::oci::Process& process) {
  for (const auto& limit : process.rlimits) {
    const int number = *sys::rlimit_number(limit.type);
    const sys::Rlimit present = TRY(sys::rlimit_of(pid, number));
    if (limit.hard > present.hard) {
      TRY(sys::set_rlimit(pid, number, present.soft, limit.hard).context("error setting rlimit type " + limit.type));
    }
  }
  return {};
}

bool is_null_device(const struct ::stat& status) { return S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3); }

/// The container's null device: one of the host holds on to a mount of the host, and no checkpoint can
/// name it. None where the container has none that it may open.
UniqueFd open_own_null(int host_proc) {
  const auto found = sys::open_at(sys::kCwd, "/dev/null", O_PATH | O_NOFOLLOW);
  const auto status = found ? sys::stat_fd(found->get()) : Result<struct ::stat>{base::not_found("")};
  if (!status || !is_null_device(*status)) return {};
  auto opened = sys::open_at(host_proc, fmt::format("self/fd/{}", found->get()), O_RDWR);
  return opened ? std::move(*opened) : UniqueFd{};
}

}  // namespace

Result<> check_limits(const spec::oci::Process& process) {
  for (const auto& limit : process.rlimits) {
    const auto number = sys::rlimit_number(limit.type);
    if (!number) return base::invalid("unknown rlimit type " + base::quoted(limit.type));
    const auto same = [&](const spec::oci::Rlimit& other) { return other.type == limit.type; };
    if (std::ranges::count_if(process.rlimits, same) > 1) {
      return base::invalid("process.rlimits: " + limit.type + " is given twice");
    }
    if (limit.soft > limit.hard) return base::invalid("rlimit " + limit.type + ": soft limit above hard limit");
    const sys::Rlimit present = TRY(sys::rlimit_of(0, *number));
    if (limit.hard <= present.hard) continue;
    const auto admin = sys::CapabilitySet{1} << *sys::capability_number("CAP_SYS_RESOURCE");
    if ((TRY(sys::current_capabilities()).effective & admin) != 0) continue;
    return Error{ErrorKind::Internal, EPERM,
                 fmt::format("error setting rlimit type {} to {}: the limit is {} and raising it takes CAP_SYS_RESOURCE",
                             limit.type, limit.hard, present.hard)};
  }
  return {};
}

Result<> setup_from_outside(pid_t pid, const spec::oci::Process& process, bool limits_too) {
  if (process.oom_score_adj) {
    auto written = sys::set_oom_score_adj(pid, *process.oom_score_adj);
    if (written.failed_as(ErrorKind::PermissionDenied)) {
      const auto admin = sys::CapabilitySet{1} << *sys::capability_number("CAP_SYS_RESOURCE");
      if ((TRY(sys::current_capabilities()).effective & admin) == 0) {
        base::log::warn("oom_score_adj {} is not applied: lowering it takes CAP_SYS_RESOURCE", *process.oom_score_adj);
        written = {};
      }
    }
    TRY(std::move(written));
  }
  return limits_too ? raise_hard_limits(pid, process) : Result<>{};
}

Result<> apply_scheduler(pid_t pid, const spec::oci::Scheduler& wanted, const std::string& cpus) {
  sys::SchedulerAttributes attributes;
  attributes.policy = TRY(number_of(kPolicies, wanted.policy, "scheduler policy"));
  for (const auto& flag : wanted.flags) attributes.flags |= TRY(number_of(kSchedulerFlags, flag, "scheduler flag"));
  attributes.nice = wanted.nice;
  attributes.priority = static_cast<std::uint32_t>(wanted.priority);
  attributes.runtime = wanted.runtime;
  attributes.deadline = wanted.deadline;
  attributes.period = wanted.period;
  auto set = sys::set_scheduler(pid, attributes);
  if (!set && set.error().errno_value() == EPERM && wanted.policy == kDeadline && !cpus.empty()) {
    return Error{ErrorKind::Internal, EPERM,
                 "process.scheduler: process scheduler can't be used together with AllowedCPUs: SCHED_DEADLINE needs every CPU of "
                 "the host, and linux.resources.cpu.cpus is " + cpus};
  }
  if (!set) return demote(std::move(set).error()).context("process.scheduler");
  return {};
}

std::string cpus_of(const spec::oci::Linux& section) {
  return section.resources && section.resources->cpu ? section.resources->cpu->cpus : std::string{};
}

bool scheduler_ends_at_fork(const spec::oci::Process& process) {
  if (!process.scheduler) return false;
  const auto& wanted = *process.scheduler;
  return wanted.policy == kDeadline || std::ranges::find(wanted.flags, "SCHED_FLAG_RESET_ON_FORK") != wanted.flags.end();
}

Result<> apply_personality(const spec::oci::Personality& wanted) {
  return sys::set_personality(wanted.domain == "LINUX32" ? PER_LINUX32 : PER_LINUX);
}

Result<> apply_memory_policy(const spec::oci::MemoryPolicy& wanted) {
  return sys::set_memory_policy(TRY(memory_policy_of(wanted)), wanted.nodes).context("linux.memoryPolicy");
}

Result<> setup_before_root(const spec::oci::Process& process, const std::string& keyring_name) {
  if (process.io_priority) {
    const auto io_class = TRY(number_of(kIoClasses, process.io_priority->io_class, "I/O class"));
    TRY(sys::set_io_priority(static_cast<int>(io_class), process.io_priority->priority));
  }
  if (!keyring_name.empty()) TRY(sys::join_session_keyring(keyring_name));
  return {};
}

Result<sys::Pty> open_container_pty(int root, int host_proc, const spec::oci::Process& process, bool plain_newlines) {
  // Looked at before it is opened for real: what stands there is the image's choice.
  const UniqueFd found = TRY(sys::open_in_root(root, "/dev/ptmx", O_PATH).context("open the pty multiplexer"));
  const struct ::stat status = TRY(sys::stat_fd(found.get()));
  constexpr std::uint64_t kDevpts = 0x1cd1;
  if (!S_ISCHR(status.st_mode) || status.st_rdev != makedev(5, 2)) {
    return base::invalid("/dev/ptmx in the container is not a pty multiplexer");
  }
  TRY(sys::require_file_system(found.get(), kDevpts, "/dev/pts"));
  UniqueFd ptmx = TRY(sys::open_at(host_proc, fmt::format("self/fd/{}", found.get()), O_RDWR | O_NOCTTY));
  sys::Pty pty = TRY(sys::open_pty(std::move(ptmx)));
  if (plain_newlines) TRY(sys::pass_newlines(pty.slave.get()));
  if (process.console_size && process.console_size->height != 0 && process.console_size->width != 0) {
    TRY(sys::set_window_size(pty.master.get(), {static_cast<std::uint16_t>(process.console_size->height),
                                                static_cast<std::uint16_t>(process.console_size->width)}));
  }
  return pty;
}

Result<> place_program_stdio(const Stdio& stdio, const sys::Pty& pty, std::uint32_t uid, int host_proc) {
  const std::array<const UniqueFd*, 3> given{&stdio.in, &stdio.out, &stdio.err};
  // Copies above all three first, as one may stand where another is to go.
  std::array<UniqueFd, 3> copies;
  for (std::size_t i = 0; i < 3; ++i) {
    const UniqueFd& source = pty.slave ? pty.slave : *given.at(i);
    const int number = source ? source.get() : static_cast<int>(i);
    if (!pty.slave && is_null_device(TRY(sys::stat_fd(number)))) copies.at(i) = open_own_null(host_proc);
    if (!copies.at(i)) copies.at(i) = TRY(sys::duplicate(number));
  }
  for (int number = 0; number < 3; ++number) {
    TRY(sys::place_descriptor(copies.at(static_cast<std::size_t>(number)).get(), number, false));
  }
  if (uid == 0) return {};
  for (int number = 0; number < 3; ++number) {
    const struct ::stat status = TRY(sys::stat_fd(number));
    // Not the shared null device; and a file of another user is not given away.
    if (is_null_device(status) || status.st_uid == uid) continue;
    base::ignore(sys::set_owner(number, uid, static_cast<gid_t>(-1)), "the program may only not open it again");
  }
  return {};
}

Result<> set_program_groups(const spec::oci::Process& process, bool in_user_namespace) {
  // Engines may name one twice, and id(1) would show it twice.
  std::vector<gid_t> groups = process.user.additional_gids;
  std::ranges::sort(groups);
  groups.erase(std::ranges::unique(groups).begin(), groups.end());
  auto set = sys::set_groups(groups);
  // In a user namespace that an unprivileged user made, setgroups is denied and there is nothing to set.
  if (!set && groups.empty() && in_user_namespace) return {};
  return std::move(set).context("set additional groups");
}

Error demote(Error error) {
  const bool program_like = error.is(ErrorKind::NotFound) || error.is(ErrorKind::PermissionDenied);
  return program_like ? std::move(error).as(ErrorKind::Internal) : std::move(error);
}

Result<> send_to_console_socket(const std::string& path, int master) {
  const UniqueFd socket = TRY(sys::connect_unix(path, SOCK_STREAM).context("connect to the console socket"));
  return sys::send_message(socket.get(), "/dev/ptmx", {master}).context("send the terminal");
}

Result<UniqueFd> open_host_proc() {
  UniqueFd proc = TRY(sys::open_at(sys::kCwd, "/proc", O_PATH | O_DIRECTORY));
  TRY(sys::require_file_system(proc.get(), PROC_SUPER_MAGIC, "/proc of the host"));
  return proc;
}

bool needs_label(const spec::oci::Process& process) {
  return !process.apparmor_profile.empty() || !process.selinux_label.empty();
}

}  // namespace runtime::detail
