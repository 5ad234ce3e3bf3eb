#include "engine/containers/launch.h"

#include <algorithm>

#include "base/strings.h"
#include "engine/containers/health.h"
#include "engine/containers/image_mounts.h"
#include "engine/containers/links.h"
#include "engine/containers/mounts.h"
#include "engine/containers/shm.h"
#include "engine/oci/user.h"
#include "sys/file.h"

namespace engine {
namespace {

using spec::api::StringList;

base::Result<ContainerPtr> running_container(Core& core, std::string_view ref, std::string_view purpose) {
  const ContainerPtr other = TRY(core.table.find(std::string{ref}));
  const auto record = other->record();
  if (record->state == State::Restarting) {
    return base::conflict("container " + record->id + " is restarting, wait until the container is running");
  }
  if (!has_process(record->state)) {
    return base::conflict("cannot join " + std::string{purpose} + " of a non running container: container " +
                          record->id + " is " + std::string{name_of(record->state)});
  }
  return other;
}

base::Result<std::string> namespace_path(Core& core, const Record& record, const std::string& mode,
                                         std::string_view file, std::string_view purpose) {
  const std::string_view ref = joined_container(mode);
  if (ref.empty()) return std::string{};
  const ContainerPtr other = TRY(running_container(core, ref, purpose));
  if (other->id() == record.id) return base::invalid("cannot join own " + std::string{purpose});
  return "/proc/" + std::to_string(other->record()->pid) + "/ns/" + std::string{file};
}

base::Result<oci::JoinedNamespaces> joined_namespaces(Core& core, const Record& record) {
  oci::JoinedNamespaces joined;
  joined.network = TRY(namespace_path(core, record, record.host.network_mode, "net", "network namespace"));
  joined.pid = TRY(namespace_path(core, record, record.host.pid_mode, "pid", "PID namespace"));
  joined.ipc = TRY(namespace_path(core, record, record.host.ipc_mode, "ipc", "IPC namespace"));
  return joined;
}

spec::oci::Mount bind(std::string destination, std::string source, bool writable) {
  spec::oci::Mount mount{.destination = std::move(destination), .type = "bind", .source = std::move(source),
                         .options = {"rbind", "rprivate"}};
  if (!writable) mount.options.emplace_back("ro");
  return mount;
}

/// A bind source that -v names is made, as docker does; one that --mount names must be there.
base::Result<> settle_bind_source(const Record& record, const MountRecord& mount) {
  if (TRY(sys::exists(sys::kCwd, mount.source))) return {};
  const auto& asked = record.host.mounts;
  const bool by_mount = asked && std::ranges::any_of(*asked, [&](const spec::api::Mount& m) {
                          return m.type == "bind" && !mount.copy_image && base::split_words(m.target, '/') ==
                                                                              base::split_words(mount.destination, '/');
                        });
  if (by_mount) {
    return base::invalid("invalid mount config for type \"bind\": bind source path does not exist: " + mount.source);
  }
  return sys::make_dirs(sys::kCwd, mount.source, 0755)
      .context("error while creating mount source path '" + mount.source + "'");
}

/// A path in a volume or image, resolved inside of it: a link in it must not lead to the host.
base::Result<std::string> below(const std::string& directory, const std::string& path, const std::string& what) {
  const auto root = TRY(sys::open_dir(sys::kCwd, directory));
  const auto inside = TRY(sys::open_in_root(root.get(), path, O_PATH).context("cannot access path " + path + " of " + what));
  return sys::read_link(sys::kCwd, sys::proc_path(inside.get()));
}

base::Result<std::vector<spec::oci::Mount>> all_mounts(Core& core, const Record& record, const Record& owner) {
  std::vector<spec::oci::Mount> mounts;
  const bool writable = !record.host.readonly_rootfs;
  const std::string files = core.names_dir(owner.id);
  for (const char* name : {"resolv.conf", "hostname", "hosts"}) {
    const std::string destination = std::string{"/etc/"} + name;
    if (std::ranges::find(record.mounts, destination, &MountRecord::destination) != record.mounts.end()) continue;
    mounts.push_back(bind(destination, files + "/" + name, writable));
  }
  const std::string& ipc = record.host.ipc_mode;
  if (ipc == "host") mounts.push_back(bind("/dev/shm", "/dev/shm", true));
  if (ipc == "shareable") mounts.push_back(bind("/dev/shm", shm_path(core, record.id), true));
  if (const std::string_view other = joined_container(ipc); !other.empty()) {
    const ContainerPtr sharer = TRY(running_container(core, other, "IPC namespace"));
    if (sharer->record()->host.ipc_mode != "shareable") {
      return base::invalid("cannot join IPC of a container that does not share it: container " + sharer->id() +
                           " has IPC mode \"" + sharer->record()->host.ipc_mode + "\"");
    }
    mounts.push_back(bind("/dev/shm", shm_path(core, sharer->id()), true));
  }
  for (const MountRecord& mount : record.mounts) {
    if (mount.type == "bind") TRY(settle_bind_source(record, mount));
    MountRecord resolved = mount;
    if (mount.type == "volume") {
      const volume::Volume volume = TRY(core.volumes.get(mount.name));
      resolved.source = volume.mountpoint;
      if (!mount.subpath.empty()) {
        resolved.source = TRY(below(volume.mountpoint, mount.subpath, "volume " + mount.name));
      }
    }
    if (mount.type == "image") {
      resolved.source = image_mount_path(core, record.id, static_cast<std::size_t>(&mount - record.mounts.data()));
      if (!mount.subpath.empty()) {
        resolved.source = TRY(below(resolved.source, mount.subpath, "image " + mount.source));
      }
    }
    mounts.push_back(TRY(to_oci(resolved)));
  }
  return mounts;
}

base::Result<spec::oci::User> user_of(Core& core, const Record& record, const std::string& user,
                                      const StringList& groups) {
  UserFiles files;
  if (oci::needs_user_files(user, groups)) {
    const snapshot::Mounts mounts = TRY(core.snapshots.mounts(record.id));
    files = TRY(read_user_files(mounts));
  }
  return oci::resolve_user(user, files.passwd, files.group, groups);
}

shim::Options shim_options(Core& core, const Record& record, const snapshot::Mounts& mounts) {
  shim::Options options{.id = record.id, .tty = record.config.tty, .open_stdin = record.config.open_stdin,
                        .stdin_once = record.config.stdin_once};
  if (record.host.console_size.size() == 2) {
    options.rows = static_cast<std::uint16_t>(record.host.console_size[0]);
    options.columns = static_cast<std::uint16_t>(record.host.console_size[1]);
  }
  options.log = log_config(core, record);
  options.spill_dir = core.data_dir(record.id);
  if (mounts.is_overlay()) {
    options.overlay = shim::Overlay{mounts.lowers, mounts.upper, mounts.work, mounts.options};
  } else {
    options.rootfs = mounts.upper;
  }
  options.runtime_root = core.runtime_root();
  options.systemd_cgroup = core.oci_defaults.cgroup_driver == cgroup::Driver::Systemd;
  const auto settings = core.live.now();
  const auto& runtimes = settings->options.runtimes;
  if (const auto runtime = runtimes.find(record.host.runtime); runtime != runtimes.end() && !runtime->second.path.empty()) {
    options.runtime = runtime->second.path;
    options.runtime_arguments = runtime->second.runtime_args.value_or(StringList{});
  }
  return options;
}

}  // namespace

base::Result<std::shared_ptr<const Record>> network_owner(Core& core, const Record& record) {
  const std::string_view other = joined_container(record.host.network_mode);
  if (other.empty()) return std::make_shared<const Record>(record);
  return TRY(running_container(core, other, "network namespace"))->record();
}

base::Result<shim::Launch> prepare_launch(Core& core, const Record& record) {
  const auto owner = TRY(network_owner(core, record));
  const snapshot::Mounts snapshot = TRY(core.snapshots.mounts(record.id));
  oci::Input input{.id = record.id, .config = record.config, .host = record.host, .facts = core.facts,
                   .defaults = core.oci_defaults};
  input.user = TRY(user_of(core, record, record.config.user, record.host.group_add.value_or(StringList{})));
  input.hostname = owner->config.hostname;
  input.linked_environment = TRY(link_environment(core, record, LinkedMustRun::Yes));
  input.joined = TRY(joined_namespaces(core, record));
  input.mounts = TRY(all_mounts(core, record, *owner));
  spec::oci::Spec spec = TRY(oci::build_spec(input));
  shim::Options options = shim_options(core, record, snapshot);
  // crun before 1.9 knows no other, and nothing that is newer is asked of it.
  if (!options.runtime.empty()) spec.oci_version = "1.0.2";
  options.health = TRY(prepare_health(core, record));
  return shim::Launch{.program = core.options.shim_path, .dir = core.run_dir(record.id),
                      .config = spec::oci::to_text(spec), .options = std::move(options)};
}

base::Result<spec::oci::Process> prepare_exec(Core& core, const Record& record, const spec::api::ExecConfig& exec) {
  const auto owner = TRY(network_owner(core, record));
  oci::ExecInput input{.exec = exec, .config = record.config, .host = record.host, .facts = core.facts,
                       .defaults = core.oci_defaults};
  const std::string& user = exec.user.empty() ? record.config.user : exec.user;
  input.user = TRY(user_of(core, record, user, record.host.group_add.value_or(StringList{})));
  input.hostname = owner->config.hostname;
  input.linked_environment = TRY(link_environment(core, record, LinkedMustRun::No));
  return oci::build_exec_process(input);
}

}  // namespace engine
