#include "runtime/container.h"

#include <algorithm>
#include <csignal>

#include <fcntl.h>
#include <sys/stat.h>

#include <fmt/format.h>

#include "runtime/detail/cgroup_record.h"
#include "runtime/detail/container_data.h"
#include "runtime/detail/hooks.h"
#include "runtime/detail/intel_rdt.h"
#include "runtime/detail/resources.h"
#include "runtime/detail/rootfs.h"
#include "sys/file.h"
#include "sys/storage.h"

namespace runtime {

using base::Error;
using base::ErrorKind;
using base::Result;

Result<cgroup::Cgroup*> Container::Data::open_cgroup() {
  if (!cgroup) {
    host = TRY(cgroup::Host::detect());
    cgroup = TRY(cgroup::Cgroup::open(host, state.cgroups, state.unit));
  }
  return &*cgroup;
}

Status Container::Data::status() {
  if (!init.valid() || !init.alive()) return Status::Stopped;
  const auto waits = sys::exists(sys::kCwd, fifo());
  if (waits && *waits) return Status::Created;
  const auto group = open_cgroup();
  const auto frozen = group ? (*group)->frozen() : Result<bool>{false};
  return frozen && *frozen ? Status::Paused : Status::Running;
}

Container::Container(std::unique_ptr<Data> data) : data_{std::move(data)} {}
Container::Container(Container&&) noexcept = default;
Container& Container::operator=(Container&&) noexcept = default;
Container::~Container() = default;

Result<Container> Container::load(const std::string& state_root, const std::string& id) {
  TRY(check_id(id));
  auto data = std::make_unique<Data>();
  data->state_root = state_root;
  auto state = read_state(state_directory(state_root, id));
  if (state.failed_as(ErrorKind::NotFound)) return base::not_found("container does not exist");
  data->state = TRY(std::move(state));
  // First the descriptor, then the comparison: so the number can't change its owner in between.
  auto process = sys::Process::open(data->state.pid);
  const auto started = process ? sys::start_time_of(data->state.pid) : Result<std::uint64_t>{0};
  if (process && started && *started == data->state.start_time) data->init = std::move(*process);
  return Container{std::move(data)};
}

Result<> Container::clean_up(const std::string& state_root, const std::string& id) {
  TRY(check_id(id));
  const std::string directory = state_directory(state_root, id);
  auto opened = sys::open_dir(sys::kCwd, directory);
  if (opened.failed_as(ErrorKind::NotFound)) return base::not_found("container does not exist");
  const sys::UniqueFd lock = TRY(std::move(opened));
  // Its creator holds it, and init a copy, until the container is recorded or both are gone.
  TRY(sys::lock_file(lock.get(), sys::Wait::Yes));
  if (TRY(sys::exists(sys::kCwd, directory + "/state.json"))) return base::conflict("container " + id + " exists");
  TRY(detail::remove_planned_cgroup(directory));
  return sys::remove_tree(sys::kCwd, directory).context("remove the state");
}

Result<std::vector<State>> Container::list(const std::string& state_root) {
  std::vector<State> out;
  auto entries = sys::list_dir(sys::kCwd, state_root);
  if (entries.failed_as(ErrorKind::NotFound)) return out;
  for (const auto& entry : TRY(std::move(entries))) {
    if (entry.name.starts_with('.')) continue;
    // One that is being made or removed right now is not there yet, or no more.
    const auto container = load(state_root, entry.name);
    if (container) out.push_back(container->state());
  }
  std::ranges::sort(out, {}, &State::id);
  return out;
}

const std::string& Container::id() const { return data_->state.id; }
pid_t Container::pid() const { return data_->state.pid; }
int Container::pidfd() const { return data_->init.pidfd(); }
const sys::Process& Container::init() const { return data_->init; }
sys::UniqueFd Container::take_pty_master() { return std::move(data_->pty_master); }

State Container::state() const {
  State out = data_->state;
  out.status = data_->status();
  if (out.status == Status::Stopped) out.pid = 0;
  return out;
}

Result<cgroup::Cgroup*> Container::cgroup() { return data_->open_cgroup(); }

Result<std::vector<pid_t>> Container::processes() const { return TRY(data_->open_cgroup())->processes(); }

Result<> Container::start() {
  const Status status = data_->status();
  if (status == Status::Stopped) return base::conflict("cannot start a container that has stopped");
  if (status != Status::Created) return base::conflict("cannot start an already running container");
  auto fifo = sys::open_at(sys::kCwd, data_->fifo(), O_WRONLY | O_NONBLOCK);
  // ENXIO: nobody reads, so init has gone meanwhile.
  if (!fifo && fifo.error().errno_value() == ENXIO) return base::conflict("cannot start a container that has stopped");
  const sys::UniqueFd opened = TRY(std::move(fifo).context("start"));
  auto removed = sys::unlink_at(sys::kCwd, data_->fifo());
  // Whoever removes it has started the container; nobody else may.
  if (removed.failed_as(ErrorKind::NotFound)) return base::conflict("cannot start an already running container");
  TRY(std::move(removed).context("start"));
  TRY(sys::write_some(opened.get(), "0").context("start"));
  if (data_->channel.fd() >= 0) {
    auto started = detail::wait_for_exec(data_->channel, data_->init, data_->state, data_->state.process.args[0]);
    data_->channel.close();
    TRY(std::move(started));
  }
  if (data_->state.poststart.empty()) return {};
  State state = data_->state;
  state.status = Status::Running;
  auto hooked = detail::run_hooks("poststart", state.poststart, oci_document(state).dump());
  if (!hooked) base::ignore(kill(SIGKILL), "it may have ended");
  return hooked;
}

Result<> Container::kill(int signal, bool all) {
  const Status status = data_->status();
  // Without a PID namespace of its own, init's death is not that of the others, which may outlive it.
  if (all || (signal == SIGKILL && !data_->state.own_pid_namespace)) {
    auto* group = TRY(data_->open_cgroup());
    if (!group->directories().empty()) {
      if (!all && status == Status::Stopped && TRY(group->processes()).empty()) return base::conflict("container not running");
      return group->signal_all(signal);
    }
    // An ordinary user's, who may make none: init is all that is known of it.
    if (all && status == Status::Stopped) return {};
  }
  if (status == Status::Stopped) return base::conflict("container not running");
  auto sent = data_->init.signal(signal);
  if (sent.failed_as(ErrorKind::NotFound)) return base::conflict("container not running");
  TRY(std::move(sent));
  // A process in a frozen v1 cgroup dies only once it is thawed.
  if (signal == SIGKILL && status == Status::Paused) return TRY(data_->open_cgroup())->thaw();
  return {};
}

Result<> Container::pause() {
  const Status status = data_->status();
  if (status != Status::Running && status != Status::Created) {
    return base::conflict(fmt::format("container not running: {}", name_of(status)));
  }
  return TRY(data_->open_cgroup())->freeze();
}

Result<> Container::resume() {
  if (data_->status() != Status::Paused) return base::conflict("container not paused");
  return TRY(data_->open_cgroup())->thaw();
}

Result<> Container::update(const spec::oci::Resources& resources) {
  if (data_->status() == Status::Stopped) return base::conflict("container not running");
  auto* group = TRY(data_->open_cgroup());
  return group->apply(TRY(detail::resources_for_update(resources, data_->host.v2_only())));
}

Result<sys::ExitStatus> Container::wait() { return data_->init.wait(); }

Result<> Container::destroy(bool force) {
  const Status status = data_->status();
  if (status != Status::Stopped) {
    if (!force) {
      return base::conflict(fmt::format("cannot delete container {} that is not stopped: {}", id(), name_of(status)));
    }
    TRY(kill(SIGKILL));
    sys::wait_readable(data_->init.pidfd());
    base::ignore(data_->init.try_wait(), "reaps it if it is ours; else somebody else does");
  }
  auto* group = TRY(data_->open_cgroup());
  // With a PID namespace of its own, everybody else in it has been killed by the kernel.
  if (!data_->state.own_pid_namespace) TRY(group->signal_all(SIGKILL));
  TRY(group->remove());
  if (!data_->state.foreign_root.empty()) {
    TRY(detail::unmount_foreign_root(data_->state.foreign_root, data_->state.foreign_mount_namespace));
  }
  TRY(detail::leave_rdt_group(data_->state.rdt_made ? data_->state.rdt_directory : std::string{}, data_->state.rdt_monitor));
  if (!data_->state.poststop.empty()) {
    State state = data_->state;
    state.status = Status::Stopped;
    state.pid = 0;
    detail::run_hooks_leniently("poststop", state.poststop, oci_document(state).dump());
  }
  return sys::remove_tree(sys::kCwd, data_->directory()).context("remove the state");
}

}  // namespace runtime
