#include "runtime/detail/final_stage.h"

#include <array>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <fmt/format.h>

#include "base/log.h"
#include "base/strings.h"
#include "runtime/detail/names.h"
#include "sys/file.h"
#include "sys/limits.h"
#include "sys/syscall_script.h"

namespace runtime::detail {

using base::Error;
using base::ErrorKind;
using base::Result;
using sys::SyscallScript;

namespace {

sys::CapabilitySet set_of(const std::vector<std::string>& names) {
  sys::CapabilitySet out = 0;
  for (const auto& name : names) {
    const auto number = sys::capability_number(name);
    if (number) {
      out |= sys::CapabilitySet{1} << *number;
    } else {
      base::log::warn("ignoring unknown capability {}", base::quoted(name));
    }
  }
  return out;
}

constexpr std::uint64_t as_argument(int value) { return static_cast<std::uint64_t>(static_cast<std::int64_t>(value)); }

class Writer {
 public:
  Writer(const FinalStage& stage, int report) : stage_{stage}, report_{report} {}

  Error run() {
    // A container's program that leads to /proc/self/exe executes this script once more. The report's descriptor,
    // close-on-exec, is gone then, and so the first step fails: otherwise it would go round for ever.
    call(Step::Descriptors, SYS_fcntl, {as_argument(report_), F_GETFD});
    call(Step::Capabilities, SYS_prctl, {PR_SET_DUMPABLE, 0});
    labels();
    limits();
    identity();
    const bool loads_late = stage_.seccomp == nullptr || stage_.process->no_new_privileges;
    capabilities(!loads_late);
    if (stage_.process->no_new_privileges) call(Step::NoNewPrivileges, SYS_prctl, {PR_SET_NO_NEW_PRIVS, 1});
    if (stage_.fork) {
      // The new process is a child of our parent, in the PID namespace that was entered for children.
      call(Step::Fork, SYS_clone, {CLONE_PARENT}, SyscallScript::kFork);
      for (const auto& tasks : stage_.cgroup_tasks) {
        call(Step::JoinCgroup, SYS_write, {as_argument(tasks.get()), script_.text("0"), 1});
      }
      if (stage_.awaits_scheduler) {
        call(Step::Scheduler, SYS_fcntl, {as_argument(report_), F_GETFD}, SyscallScript::kReportResult);
        call(Step::Scheduler, SYS_recvfrom, {as_argument(report_), 0, 0, 0, 0, 0});
      }
    }
    call(Step::Session, SYS_setsid, {}, SyscallScript::kIgnoreFailure);
    if (stage_.process->terminal) call(Step::Terminal, SYS_ioctl, {0, TIOCSCTTY, 0});
    if (stage_.fifo) wait_for_start();
    for (const auto& tasks : stage_.cgroup_tasks) call(Step::Descriptors, SYS_close, {as_argument(tasks.get())});
    // All others are close-on-exec; this is for the time until then, where the kernel has it (5.9).
    call(Step::Descriptors, SYS_close_range, {as_argument(report_ + 1), ~0U, 0}, SyscallScript::kIgnoreFailure);
    call(Step::Descriptors, SYS_fcntl, {as_argument(report_), F_SETFD, FD_CLOEXEC});
    if (stage_.seccomp != nullptr) seccomp();
    if (!loads_late) set_capabilities(stage_.capabilities.sets);
    const auto path = script_.text(stage_.program);
    const auto argv = script_.texts(stage_.process->args);
    const auto env = script_.texts(stage_.env);
    call(Step::Execute, SYS_execve, {path, argv, env});
    return script_.run(report_);
  }

 private:
  void call(Step step, long number, std::array<std::uint64_t, 6> arguments, std::uint32_t flags = SyscallScript::kNone) {
    script_.call(static_cast<std::uint32_t>(step), number, arguments, flags);
  }

  /// On exec the kernel gives the next program this label: so it must be written here, not before the
  /// script itself is executed, and a task writes only what it opened itself.
  void label(const char* file, const std::string& text, bool optional) {
    const std::uint32_t ignore = optional ? SyscallScript::kIgnoreFailure : SyscallScript::kNone;
    call(Step::Label, SYS_openat, {as_argument(stage_.host_proc.get()), script_.text(file), O_WRONLY | O_CLOEXEC}, ignore);
    call(Step::Label, SYS_write, {0, script_.text(text), text.size()}, SyscallScript::kFirstIsLastResult | ignore);
  }

  void labels() {
    const auto& process = *stage_.process;
    if (!process.apparmor_profile.empty()) {
      // Kernels before 5.8 have only the file that all security modules share.
      const char* own = "self/attr/apparmor/exec";
      const auto there = sys::exists(stage_.host_proc.get(), own);
      label(there && *there ? own : "self/attr/exec", "exec " + process.apparmor_profile, false);
    }
    if (!process.selinux_label.empty()) {
      label("self/attr/exec", process.selinux_label, false);
      label("self/attr/keycreate", process.selinux_label, true);
    }
    // The host's /proc must not be there any more when somebody in the container may see this process.
    if (stage_.host_proc) call(Step::Label, SYS_close, {as_argument(stage_.host_proc.get())});
  }

  /// Only now, as some of them would have been in the way of the set-up.
  void limits() {
    for (const auto& limit : stage_.process->rlimits) {
      const struct ::rlimit64 value { limit.soft, limit.hard };
      const auto number = sys::rlimit_number(limit.type);
      call(Step::Limits, SYS_prlimit64, {0, as_argument(number.value_or(-1)), script_.bytes(&value, sizeof value), 0});
    }
  }

  void identity() {
    const auto& user = stage_.process->user;
    const unsigned last = sys::last_capability();
    for (unsigned i = 0; i <= last; ++i) {
      if ((stage_.capabilities.bounding >> i & 1U) == 0) call(Step::BoundingSet, SYS_prctl, {PR_CAPBSET_DROP, i});
    }
    if (user.uid != 0) call(Step::KeepCapabilities, SYS_prctl, {PR_SET_KEEPCAPS, 1});
    call(Step::SetGid, SYS_setresgid, {user.gid, user.gid, user.gid});
    call(Step::SetUid, SYS_setresuid, {user.uid, user.uid, user.uid});
    if (user.uid != 0) call(Step::KeepCapabilities, SYS_prctl, {PR_SET_KEEPCAPS, 0});
    constexpr std::uint32_t kDefaultUmask = 0022;
    call(Step::SetUid, SYS_umask, {user.umask.value_or(kDefaultUmask)});
  }

  void set_capabilities(const sys::CapabilityState& sets) {
    const __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    const auto low = [](sys::CapabilitySet set) { return static_cast<std::uint32_t>(set); };
    const auto high = [](sys::CapabilitySet set) { return static_cast<std::uint32_t>(set >> 32U); };
    const std::array<__user_cap_data_struct, 2> data{{{low(sets.effective), low(sets.permitted), low(sets.inheritable)},
                                                      {high(sets.effective), high(sets.permitted), high(sets.inheritable)}}};
    const auto header_at = script_.bytes(&header, sizeof header);
    const auto data_at = script_.bytes(data.data(), sizeof data);
    call(Step::Capabilities, SYS_capset, {header_at, data_at});
  }

  /// Without no_new_privs loading a filter takes CAP_SYS_ADMIN, which is then kept for that alone.
  void capabilities(bool keep_for_filter) {
    sys::CapabilityState sets = stage_.capabilities.sets;
    if (keep_for_filter) {
      const sys::CapabilitySet admin = sys::CapabilitySet{1} << CAP_SYS_ADMIN;
      sets.effective |= admin;
      sets.permitted |= admin;
    }
    set_capabilities(sets);
    call(Step::Ambient, SYS_prctl, {PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL});
    for (unsigned i = 0; i < 64; ++i) {
      if ((stage_.capabilities.ambient >> i & 1U) != 0) call(Step::Ambient, SYS_prctl, {PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i});
    }
  }

  void seccomp() {
    const auto& program = *stage_.seccomp;
    // struct sock_fprog, by hand: its pointer is an address in the image.
    struct {
      std::uint64_t length;
      std::uint64_t code;
    } filter{program.code.size(), script_.bytes(program.code.data(), program.code.size() * sizeof(::sock_filter))};
    const std::uint64_t flags = program.flags | (program.notifies ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0U);
    call(program.notifies ? Step::Listener : Step::Seccomp, SYS_seccomp,
         {SECCOMP_SET_MODE_FILTER, flags, script_.bytes(&filter, sizeof filter)},
         program.notifies ? SyscallScript::kReportResult : SyscallScript::kNone);
    if (!program.notifies) return;
    // The parent takes the listener out of our descriptors; until it has, nothing may close it.
    call(Step::Seccomp, SYS_recvfrom, {as_argument(report_), 0, 0, 0, 0, 0});
  }

  void wait_for_start() {
    call(Step::Waiting, SYS_fcntl, {as_argument(report_), F_GETFD}, SyscallScript::kReportResult);
    // The script has no memory to write to, so this ends with EFAULT, but not before there is a byte.
    call(Step::Waiting, SYS_read, {as_argument(stage_.fifo.get()), 0, 1}, SyscallScript::kIgnoreFailure);
  }

  const FinalStage& stage_;
  int report_;
  SyscallScript script_;
};

}  // namespace

Result<CapabilityPlan> plan_capabilities(const spec::oci::Process& process) {
  CapabilityPlan out;
  if (!process.capabilities) return out;
  const auto& wanted = *process.capabilities;
  const sys::CapabilitySet ours = TRY(sys::current_capabilities()).permitted;
  out.bounding = set_of(wanted.bounding);
  if (const auto refused = set_of(wanted.permitted) & ~ours; refused != 0) {
    base::log::warn("capabilities {:#x} can't be granted: this process does not have them", refused);
  }
  out.sets.permitted = set_of(wanted.permitted) & ours;
  out.sets.effective = set_of(wanted.effective) & ours;
  out.sets.inheritable = set_of(wanted.inheritable) & ours;
  out.ambient = set_of(wanted.ambient) & ours;
  if ((out.sets.effective & ~out.sets.permitted) != 0) {
    return base::invalid("effective capabilities must be permitted, too");
  }
  if ((out.ambient & ~(out.sets.permitted & out.sets.inheritable)) != 0) {
    const sys::CapabilitySet refused = out.ambient & ~(out.sets.permitted & out.sets.inheritable);
    for (const auto& name : sys::known_capabilities()) {
      if ((refused >> *sys::capability_number(name) & 1U) == 0) continue;
      base::log::warn("can't raise ambient capability {}: it is not both permitted and inheritable", name);
    }
    out.ambient &= ~refused;
  }
  return out;
}

Error step_error(Step step, int errno_value, const std::string& program) {
  const auto fail = [&](std::string_view what) {
    return Error{ErrorKind::Internal, errno_value, fmt::format("{}: {}", what, plain_errno_text(errno_value))};
  };
  switch (step) {
    case Step::Label: return fail("unable to apply the security label");
    case Step::Limits: return fail("error setting rlimits for ready process");
    case Step::BoundingSet: return fail("unable to drop a capability from the bounding set");
    case Step::KeepCapabilities: return fail("unable to keep capabilities");
    case Step::SetGid: return fail("unable to setgid");
    case Step::SetUid: return fail("unable to setuid");
    case Step::Capabilities: return fail("unable to apply caps");
    case Step::Ambient: return fail("unable to raise ambient capabilities");
    case Step::NoNewPrivileges: return fail("unable to set no_new_privs");
    case Step::Fork: return fail("unable to fork in the container");
    case Step::JoinCgroup: return fail("unable to join the container's cgroup");
    case Step::Scheduler: return fail("unable to wait for the scheduler");
    case Step::Session: return fail("unable to start a session");
    case Step::Terminal: return fail("unable to take the terminal");
    case Step::Waiting: return fail("unable to wait for the start");
    case Step::Descriptors: return fail("unable to close descriptors");
    case Step::Directory: return fail("unable to enter the working directory");
    case Step::Seccomp:
    case Step::Listener: return fail("error loading seccomp filter into kernel");
    case Step::Execute: break;
  }
  ErrorKind kind = ErrorKind::Internal;
  if (errno_value == ENOENT || errno_value == ENOTDIR) kind = ErrorKind::NotFound;
  if (errno_value == EACCES || errno_value == EPERM || errno_value == EISDIR) kind = ErrorKind::PermissionDenied;
  return {kind, errno_value, fmt::format("exec {}: {}", program, plain_errno_text(errno_value))};
}

Error run_final_stage(FinalStage stage, int report) {
  // The report socket goes just behind the program's descriptors, so that one range can be closed.
  const int lowest = 3 + stage.preserve_fds;
  const auto prepare = [&]() -> Result<> {
    // Those that the script itself uses survive its execve; it closes them.
    if (stage.host_proc) {
      stage.host_proc = TRY(sys::duplicate(stage.host_proc.get(), lowest + 1));
    }
    if (stage.fifo) stage.fifo = TRY(sys::duplicate(stage.fifo.get(), lowest + 1));
    for (auto& tasks : stage.cgroup_tasks) tasks = TRY(sys::duplicate(tasks.get(), lowest + 1));
    TRY(sys::place_descriptor(report, lowest, false));
    TRY(sys::close_descriptors(static_cast<unsigned>(lowest) + 1, ~0U, true));
    if (stage.host_proc) TRY(sys::set_cloexec(stage.host_proc.get(), false));
    if (stage.fifo) TRY(sys::set_cloexec(stage.fifo.get(), false));
    for (const auto& tasks : stage.cgroup_tasks) TRY(sys::set_cloexec(tasks.get(), false));
    return {};
  };
  if (auto prepared = prepare(); !prepared) return std::move(prepared).error();
  return Writer{stage, lowest}.run();
}

}  // namespace runtime::detail
