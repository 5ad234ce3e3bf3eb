#include "runtime/detail/init.h"

#include <algorithm>
#include <array>
#include <utility>

#include <sched.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/strings.h"
#include "runtime/detail/final_stage.h"
#include "runtime/detail/hooks.h"
#include "runtime/detail/names.h"
#include "runtime/detail/process_setup.h"
#include "runtime/detail/program.h"
#include "runtime/detail/seccomp_cache.h"
#include "runtime/detail/start_hooks.h"
#include "runtime/detail/wire.h"
#include "sys/credentials.h"
#include "sys/file.h"
#include "sys/limits.h"
#include "sys/namespace.h"
#include "sys/signals.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

namespace runtime::detail {

using base::Result;
using sys::UniqueFd;

namespace {

class Init {
 public:
  Init(InitPlan& plan, Channel& channel) : plan_{plan}, channel_{channel} {}

  [[noreturn]] void run() {
    if (auto ready = set_up(); !ready) fail(demote(std::move(ready).error()).context(kDuringInit));
    if (auto found = find(); !found) fail(std::move(found).error());
    if (auto told = get_going(); !told) fail(demote(std::move(told).error()));
    fail(run_final_stage(std::move(stage_), channel_.fd()));
  }

 private:
  [[noreturn]] void fail(const base::Error& error) {
    channel_.send_failure(error);
    ::_exit(1);
  }

  Result<> set_up() {
    sys::reset_signals();
    // An ordinary user writes the id maps of processes that may be traced only; nobody else is there yet.
    if (!plan_.unprivileged) TRY(sys::hide_from_tracing());
    TRY(enter_namespaces());
    if (plan_.unprivileged) TRY(sys::hide_from_tracing());
    if (plan_.tell_namespaces) TRY(channel_.send(Topic::Namespaces));
    host_proc_ = TRY(open_host_proc());
    TRY(configure_namespaces());
    TRY(setup_before_root(*plan_.process, plan_.keyring));
    // The parent has been making the cgroups all the while.
    const Packet go = TRY(channel_.expect(Topic::Go));
    // What the caller was bound to is no limit of the container's: its cpuset is.
    base::ignore(sys::reset_cpu_affinity(), "it stays with the caller's");
    TRY(join_cgroups(go.fds));
    stage_.awaits_scheduler = plan_.enters_pid_late && scheduler_ends_at_fork(*plan_.process);
    // In its cpuset, which may be in the way of a deadline.
    if (plan_.process->scheduler && !stage_.awaits_scheduler) TRY(apply_scheduler(0, *plan_.process->scheduler, cpus_of(*plan_.section)));
    if (plan_.makes(CLONE_NEWCGROUP)) TRY(sys::unshare_namespaces(CLONE_NEWCGROUP).context("new cgroup namespace"));
    sys::set_umask(0);
    TRY(build_rootfs(plan_.rootfs));
    TRY(set_up_terminal());
    TRY(make_working_directory());
    if (plan_.waits_for_parent()) {
      TRY(channel_.send(Topic::Hooks));
      TRY(channel_.expect(Topic::HooksDone));
    }
    TRY(write_sysctls());
    TRY(create_container_hooks());
    TRY(seal_rootfs(plan_.rootfs));
    TRY(enter_rootfs(plan_.rootfs, plan_.no_pivot));
    if (plan_.section->personality) TRY(apply_personality(*plan_.section->personality));
    if (plan_.section->memory_policy) TRY(apply_memory_policy(*plan_.section->memory_policy));
    TRY(set_program_groups(*plan_.process, plan_.in_user_namespace()));
    stage_.capabilities = TRY(plan_capabilities(*plan_.process));
    return {};
  }

  Result<> enter_namespaces() {
    if (plan_.parent_writes_offsets()) TRY(sys::unshare_namespaces(CLONE_NEWTIME).context("new time namespace"));
    if (plan_.makes(CLONE_NEWUSER) || plan_.parent_writes_offsets()) {
      TRY(channel_.send(Topic::MapIds));
      TRY(channel_.expect(Topic::IdsMapped));
    }
    // A joined user namespace was entered before this process was cloned (create.cc).
    if (plan_.in_user_namespace()) TRY(sys::set_ids(0, 0));
    for (const auto& one : plan_.joined) TRY(sys::enter_namespaces(one.fd.get(), one.type));
    constexpr int kElsewhere = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWCGROUP | CLONE_NEWTIME;
    TRY(sys::unshare_namespaces(plan_.new_namespaces & ~kElsewhere).context("new namespaces"));
    if (!plan_.makes(CLONE_NEWTIME)) return {};
    if (plan_.parent_writes_offsets()) return sys::enter_time_namespace();
    TRY(sys::unshare_namespaces(CLONE_NEWTIME).context("new time namespace"));
    const std::string offsets = time_offsets_text(*plan_.section);
    if (!offsets.empty()) TRY(sys::write_file(sys::kCwd, "/proc/self/timens_offsets", offsets));
    return sys::enter_time_namespace();
  }

  Result<> configure_namespaces() {
    if (plan_.makes(CLONE_NEWNET)) TRY(sys::bring_up_loopback());
    if (!plan_.spec->hostname.empty()) TRY(sys::set_host_name(plan_.spec->hostname));
    if (!plan_.spec->domainname.empty()) TRY(sys::set_domain_name(plan_.spec->domainname));
    return {};
  }

  /// After the parent's part, which may have brought the interface that one is about.
  Result<> write_sysctls() {
    // By the host's /proc, which shows a process the sysctls of its own namespaces: nothing that the
    // container mounts on its /proc can redirect these writes (CVE-2025-52881).
    for (const auto& [key, value] : plan_.section->sysctl) {
      const std::string path = TRY(sysctl_path(key, plan_));
      TRY(sys::write_file(host_proc_.get(), "sys/" + path, value).context("sysctl " + key));
    }
    return {};
  }

  Result<> set_up_terminal() {
    if (!plan_.process->terminal) return {};
    pty_ = TRY(open_container_pty(plan_.rootfs.root.get(), host_proc_.get(), *plan_.process, plan_.plain_newlines));
    return mount_console(plan_.rootfs, pty_.slave.get());
  }

  /// Made if missing, as the specification allows and everybody expects.
  Result<> make_working_directory() {
    const auto found = sys::open_in_root(plan_.rootfs.root.get(), plan_.process->cwd, O_PATH);
    if (!found.failed_as(base::ErrorKind::NotFound)) return {};
    TRY(target_in_root(plan_.rootfs.root.get(), plan_.process->cwd, false).context("make the working directory"));
    return {};
  }

  /// They start in the root that they may still change.
  Result<> create_container_hooks() {
    if (!plan_.spec->hooks || plan_.spec->hooks->create_container.empty()) return {};
    TRY(sys::change_directory(plan_.rootfs.root.get()));
    return run_hooks("createContainer", plan_.spec->hooks->create_container, state_text(Status::Creating));
  }

  /// The process id is the one inside: these hooks run in the container's namespaces.
  std::string state_text(Status status) {
    return plan_.state_document.set("pid", ::getpid()).set("status", runtime::name_of(status)).dump();
  }

  /// As the container's user: the program and the working directory.
  Result<> find() {
    stage_.process = plan_.process;
    stage_.env = complete_environment(plan_.process->env, plan_.process->user.uid, host_proc_.get());
    // With our own rights first: the configuration may name a place that the user can't enter.
    auto entered = enter_directory(plan_.process->cwd);
    auto user = AsUser::become(plan_.process->user, stage_.capabilities.sets.effective);
    if (!user) return demote(std::move(user).error());
    if (!entered) entered = enter_directory(plan_.process->cwd);
    if (!entered) return demote(std::move(entered).error());
    stage_.program = TRY(find_program(plan_.process->args[0], stage_.env));
    return {};
  }

  Result<> get_going() {
    stage_.preserve_fds = plan_.preserve_fds;
    seccomp_ = TRY(unpack_filter(TRY(channel_.expect(Topic::Filter))));
    if (seccomp_) stage_.seccomp = &*seccomp_;
    TRY(place_program_stdio(plan_.stdio, pty_, plan_.process->user.uid, host_proc_.get()));
    if (needs_label(*plan_.process)) stage_.host_proc = std::move(host_proc_);
    const bool waits = plan_.fifo.valid();
    if (waits && !plan_.has_start_hooks()) stage_.fifo = std::move(plan_.fifo);
    if (pty_.master) {
      TRY(channel_.send(Topic::Ready, {}, {pty_.master.get()}));
    } else if (waits) {
      TRY(channel_.send(Topic::Ready));
    }
    pty_ = {};
    if (plan_.enters_pid_late) {
      TRY(sys::enter_namespaces(plan_.joined_pid.get(), CLONE_NEWPID).context("join the PID namespace"));
      stage_.fork = true;
    }
    if (!plan_.has_start_hooks()) return {};
    if (waits) {
      TRY(close_all_but_needed());
      // Whoever starts us writes a byte; see Container::start.
      sys::wait_readable(plan_.fifo.get());
    }
    return run_start_hooks(plan_.spec->hooks->start_container, state_text(Status::Created), stage_);
  }

  /// While it waits, init must hold nothing of the parent's: not its log, its sockets, its pipes.
  Result<> close_all_but_needed() {
    std::array<int, 3> keep{channel_.fd(), plan_.fifo.get(), stage_.host_proc.get()};
    std::ranges::sort(keep);
    unsigned from = static_cast<unsigned>(3 + plan_.preserve_fds);
    for (const int fd : keep) {
      if (fd < static_cast<int>(from)) continue;
      if (static_cast<unsigned>(fd) > from) TRY(sys::close_descriptors(from, static_cast<unsigned>(fd) - 1));
      from = static_cast<unsigned>(fd) + 1;
    }
    return sys::close_descriptors(from);
  }

  InitPlan& plan_;
  Channel& channel_;
  UniqueFd host_proc_;
  sys::Pty pty_;
  std::optional<SeccompProgram> seccomp_;
  FinalStage stage_;
};

}  // namespace

void run_init(InitPlan& plan, Channel& channel) { Init{plan, channel}.run(); }

}  // namespace runtime::detail
