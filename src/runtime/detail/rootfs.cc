#include "runtime/detail/rootfs.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <linux/magic.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/strings.h"
#include "runtime/detail/bind_flags.h"
#include "runtime/detail/mount_options.h"
#include "runtime/detail/names.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "sys/namespace.h"
#include "sys/node.h"
#include "sys/process.h"

namespace runtime::detail {

using base::Result;
using spec::oci::Mount;
using sys::UniqueFd;

namespace {

/// File systems of the kernel's own, where "ro" is a matter of the mount and never of the superblock,
/// which the host shares.
bool is_virtual(std::string_view type) {
  static constexpr std::array<std::string_view, 8> kTypes{"proc",   "sysfs",  "tmpfs",   "devpts",
                                                         "mqueue", "cgroup", "cgroup2", "ramfs"};
  return std::ranges::find(kTypes, type) != kTypes.end();
}

/// The only things in a procfs that a mount may cover: files that tools like lxcfs present.
bool may_cover_in_proc(std::string_view destination) {
  static constexpr std::array<std::string_view, 11> kFiles{
      "/proc/cpuinfo", "/proc/diskstats", "/proc/meminfo",  "/proc/stat",    "/proc/swaps", "/proc/uptime",
      "/proc/loadavg", "/proc/slabinfo",  "/proc/net/dev",  "/proc/sys/kernel/ns_last_pid",
      "/proc/sys/crypto/fips_enabled"};
  return std::ranges::find(kFiles, destination) != kFiles.end();
}

std::string clean_path(std::string_view path) {
  std::vector<std::string_view> parts;
  for (const auto part : base::split_words(path, '/')) {
    if (part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  std::string out;
  for (const auto part : parts) out.append("/").append(part);
  return out.empty() ? "/" : out;
}

Result<> change_both(int mount, const MountOptions& options) {
  sys::MountChange own = options.change;
  if (!options.propagation_recursive) own.propagation = options.propagation;
  sys::MountChange all = options.recursive_change;
  if (options.propagation_recursive) all.propagation = options.propagation;
  if (own.set != 0 || own.clear != 0 || own.propagation != 0) TRY(sys::change_mount(mount, own, false));
  if (all.set != 0 || all.clear != 0 || all.propagation != 0) TRY(sys::change_mount(mount, all, true));
  return {};
}

std::vector<sys::IdRange> ranges_of(const std::vector<spec::oci::IdMapping>& mappings) {
  std::vector<sys::IdRange> out;
  for (const auto& one : mappings) out.push_back({one.container_id, one.host_id, one.size});
  return out;
}

/// Mounts made here must not reach the host; the host's may reach us (slave) unless private is asked.
std::uint64_t outer_propagation(const spec::oci::Spec& spec) {
  bool recursive = false;
  const std::uint64_t wanted = propagation_of(spec.linux_section->rootfs_propagation, recursive);
  return wanted == MS_PRIVATE || wanted == MS_UNBINDABLE ? MS_PRIVATE : MS_SLAVE;
}

/// Mounts made in there shall reach the host and its ones the container, as both settings ask.
bool shares_with_host(const spec::oci::Linux& section, const MountOptions& options) {
  bool recursive = false;
  return options.bind && options.propagation == MS_SHARED &&
         propagation_of(section.rootfs_propagation, recursive) == MS_SHARED;
}

bool is_bind(const Mount& mount) { return parse_mount_options(mount).bind; }

/// procfs and sysfs go on a real directory of their name, so that a symlink can't move them to where
/// the masks don't find them.
Result<UniqueFd> plain_directory(int root, const std::string& path) {
  const std::string relative = path.substr(1);
  auto found = sys::open_beneath_no_symlinks(root, relative, O_PATH | O_DIRECTORY);
  if (!found && (found.error().errno_value() == ELOOP || found.error().errno_value() == ENOTDIR)) {
    return base::invalid(fmt::format("filesystem {} must be mounted on ordinary directory", base::quoted(path)));
  }
  if (!found.failed_as(base::ErrorKind::NotFound)) return found;
  TRY(sys::make_dirs_in_root(root, path));
  return sys::open_beneath_no_symlinks(root, relative, O_PATH | O_DIRECTORY);
}

Result<> refuse_inside_proc(const std::string& destination, const Mount& mount, int tree, int target) {
  if (destination == "/proc" && mount.type != "proc") {
    // A procfs bound there, as when the PID namespace is the host's, is one.
    if (is_bind(mount) && TRY(sys::file_system_type(tree)) == PROC_SUPER_MAGIC) return {};
    return base::invalid(fmt::format("{} cannot be mounted because it is not of type proc", base::quoted(destination)));
  }
  // Judged by what the path led to, so that a symlink to /proc in the image does not help.
  if (TRY(sys::file_system_type(target)) == PROC_SUPER_MAGIC && !may_cover_in_proc(destination)) {
    return base::invalid(fmt::format("{} cannot be mounted because it is inside /proc", base::quoted(destination)));
  }
  return {};
}

/// Other mounts, and devices, may have their places in it: it becomes read-only when all are there.
bool written_later(const Mount& mount) { return mount.type == "tmpfs" || clean_path(mount.destination) == "/dev"; }

Result<UniqueFd> make_file_system(const RootfsPlan& plan, const Mount& mount, MountOptions& options, int target,
                                  bool covers_image) {
  sys::NewMount wanted;
  wanted.type = mount.type;
  wanted.source = mount.source.empty() ? mount.type : mount.source;
  wanted.attributes = options.change.set;
  wanted.read_only_superblock = options.read_only && !is_virtual(mount.type);
  const auto has = [&](std::string_view key) {
    return std::ranges::find(options.parameters, key, &sys::MountParameter::key) != options.parameters.end();
  };
  if (mount.type == "tmpfs" && !has("mode") && covers_image) {
    // A tmpfs keeps the mode of the directory that it covers.
    const struct ::stat status = TRY(sys::stat_fd(target));
    options.parameters.push_back({"mode", fmt::format("{:o}", status.st_mode & 07777U), false});
  }
  const std::string& label = plan.spec->linux_section->mount_label;
  if (!label.empty() && (mount.type == "tmpfs" || mount.type == "devpts")) {
    options.parameters.push_back({"context", label, false});
  }
  wanted.parameters = options.parameters;
  const bool copied = options.copy_up && mount.type == "tmpfs";
  if (copied || written_later(mount)) wanted.attributes &= ~std::uint64_t{MOUNT_ATTR_RDONLY};
  UniqueFd made = TRY(sys::make_mount(wanted));
  if (copied) {
    const UniqueFd below = TRY(sys::open_at(target, ".", O_RDONLY | O_DIRECTORY));
    const UniqueFd top = TRY(sys::open_at(made.get(), ".", O_RDONLY | O_DIRECTORY));
    TRY(copy_tree(below.get(), top.get()).context("tmpcopyup"));
  }
  if (written_later(mount)) options.change.set &= ~std::uint64_t{MOUNT_ATTR_RDONLY};
  if (copied || options.propagation != 0 || options.recursive_change.set != 0) TRY(change_both(made.get(), options));
  return made;
}

/// What is mounted on /proc and /sys, to find masked paths from: whoever can rename these directories on
/// the host must not lead the masks elsewhere.
void remember(KernelMounts& mounts, const std::string& destination, UniqueFd tree) {
  if (destination == "/proc") mounts.proc = std::move(tree);
  if (destination == "/sys") mounts.sys = std::move(tree);
}

Result<> do_mount(const RootfsPlan& plan, const Mount& mount, int prepared, KernelMounts& kernel) {
  const int root = plan.root.get();
  const std::string destination = clean_path(mount.destination);
  if (mount.type == "cgroup" || mount.type == "cgroup2") return mount_cgroups(plan, mount);
  MountOptions options = parse_mount_options(mount);
  if (options.bind) {
    UniqueFd opened;
    if (prepared < 0) opened = TRY(open_bind_source(mount, plan));
    const int tree = prepared >= 0 ? prepared : opened.get();
    const bool directory = S_ISDIR(TRY(sys::stat_fd(tree)).st_mode);
    const UniqueFd target = TRY(target_in_root(root, destination, !directory).context(
        fmt::format("create mountpoint for {} mount", mount.destination)));
    TRY(refuse_inside_proc(destination, mount, tree, target.get()));
    if (directory != S_ISDIR(TRY(sys::stat_fd(target.get())).st_mode)) {
      return base::Error{base::ErrorKind::InvalidArgument, ENOTDIR,
                         "not a directory: Are you trying to mount a directory onto a file (or vice-versa)? "
                         "Check if the specified host path exists and is the expected type"};
    }
    TRY(sys::attach_mount(tree, target.get()));
    remember(kernel, destination, opened ? std::move(opened) : TRY(sys::duplicate(tree)));
    return {};
  }
  const bool plain = mount.type == "proc" || mount.type == "sysfs";
  const auto before = sys::open_in_root(root, destination, O_PATH);
  const UniqueFd target = plain ? TRY(plain_directory(root, destination)) : TRY(target_in_root(root, destination, false));
  TRY(refuse_inside_proc(destination, mount, target.get(), target.get()));
  UniqueFd made = prepared >= 0 ? TRY(sys::duplicate(prepared))
                                : TRY(make_file_system(plan, mount, options, target.get(), before.has_value()));
  TRY(sys::attach_mount(made.get(), target.get()));
  remember(kernel, destination, std::move(made));
  return {};
}

Result<> close_for_writing(const RootfsPlan& plan) {
  for (const auto& mount : plan.spec->mounts) {
    const MountOptions options = parse_mount_options(mount);
    if (options.bind || !options.read_only || !written_later(mount)) continue;
    const UniqueFd place = TRY(sys::open_in_root(plan.root.get(), clean_path(mount.destination), O_PATH));
    TRY(sys::change_mount(place.get(), {.set = MOUNT_ATTR_RDONLY}, false).context(mount_intent(mount)));
  }
  return {};
}

Result<> map_mount_ids(int tree, const Mount& mount, const MountOptions& options, const RootfsPlan& plan) {
  // Without mappings of its own it has the container's.
  if (mount.uid_mappings.empty() && plan.joined_user >= 0) {
    return sys::change_mount(tree, {.set = MOUNT_ATTR_IDMAP, .user_namespace = plan.joined_user}, options.id_map_recursive);
  }
  const auto& section = *plan.spec->linux_section;
  const auto& uids = mount.uid_mappings.empty() ? section.uid_mappings : mount.uid_mappings;
  const auto& gids = mount.gid_mappings.empty() ? section.gid_mappings : mount.gid_mappings;
  const UniqueFd owner = TRY(sys::make_user_namespace(ranges_of(uids), ranges_of(gids)));
  return sys::change_mount(tree, {.set = MOUNT_ATTR_IDMAP, .user_namespace = owner.get()}, options.id_map_recursive);
}

}  // namespace

Result<UniqueFd> open_bind_source(const Mount& mount, const RootfsPlan& plan) {
  const MountOptions options = parse_mount_options(mount);
  const std::string source = mount.source.starts_with('/') ? mount.source : plan.bundle + "/" + mount.source;
  UniqueFd tree = TRY(sys::clone_mount(sys::kCwd, source, options.recursive_bind));
  // As a peer of the host's mount it would show there what is mounted in the container.
  if (!shares_with_host(*plan.spec->linux_section, options)) TRY(sys::change_mount(tree.get(), {.propagation = MS_SLAVE}, true));
  if (options.id_map) TRY(map_mount_ids(tree.get(), mount, options, plan).context("map ids"));
  TRY(apply_bind_options(tree.get(), options, plan.new_user_namespace));
  return tree;
}

namespace {

/// The ordinary case of a missing mount point: only its last name is missing, and no symlink leads there.
Result<UniqueFd> make_last_name(int root, const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos || slash + 1 == path.size()) return base::not_found("");
  const std::string above = slash == 0 ? "." : path.substr(1, slash - 1);
  const UniqueFd parent = TRY(sys::open_beneath_no_symlinks(root, above, O_PATH | O_DIRECTORY));
  const std::string name = path.substr(slash + 1);
  TRY(sys::make_dir(parent.get(), name, 0755));
  UniqueFd made = TRY(sys::open_beneath_no_symlinks(parent.get(), name, O_RDONLY | O_DIRECTORY));
  TRY(sys::set_mode(made.get(), 0755));
  return made;
}

}  // namespace

Result<UniqueFd> target_in_root(int root, const std::string& path, bool as_file) {
  auto found = sys::open_in_root(root, path, O_PATH);
  if (!found.failed_as(base::ErrorKind::NotFound)) return found;
  if (!as_file) {
    auto made = make_last_name(root, path);
    if (made) return made;  // else a link, a race, something in the way: step by step
  }
  const std::string real = TRY(sys::resolve_missing_in_root(root, path));
  if (!as_file) return sys::make_dirs_in_root(root, real);
  const auto slash = real.rfind('/');
  const UniqueFd parent = TRY(sys::make_dirs_in_root(root, real.substr(0, slash + 1)));
  const std::string name = real.substr(slash + 1);
  TRY(sys::open_beneath_no_symlinks(parent.get(), name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0755));
  return sys::open_beneath_no_symlinks(parent.get(), name, O_PATH | O_NOFOLLOW);
}

namespace {

Result<> clone_root(RootfsPlan& plan) {
  const auto& spec = *plan.spec;
  if (!spec.root || spec.root->path.empty()) return base::invalid("the configuration has no root");
  const std::string& path = spec.root->path;
  plan.root = TRY(sys::clone_mount(sys::kCwd, path.starts_with('/') ? path : plan.bundle + "/" + path, true)
                      .context("open the root file system"));
  if (S_ISDIR(TRY(sys::stat_fd(plan.root.get())).st_mode)) return {};
  return base::invalid("the root file system " + path + " is not a directory");
}

}  // namespace

Result<> open_rootfs(RootfsPlan& plan) {
  const auto& spec = *plan.spec;
  plan.trees.resize(spec.mounts.size());
  // Then the child opens everything itself, in its own namespaces: here is no right, or no call, for it.
  if (plan.unprivileged && plan.new_user_namespace) return {};
  if (!sys::has_mount_api()) {
    if (plan.root) return base::not_implemented("a detached root needs Linux 5.12 or newer");
    return {};
  }
  if (!plan.root) TRY(clone_root(plan));
  // Whatever is mounted below must not show on the host, where the root may be shared.
  TRY(sys::change_mount(plan.root.get(), {.propagation = outer_propagation(spec)}, true));
  for (std::size_t i = 0; i < spec.mounts.size(); ++i) {
    const MountOptions options = parse_mount_options(spec.mounts[i]);
    // Only a copy made here, in the host's mount namespace, can be the peer of the host's mount.
    const bool early = plan.new_user_namespace || options.id_map || shares_with_host(*spec.linux_section, options);
    if (!options.bind || !early) continue;
    plan.trees[i] = TRY(open_bind_source(spec.mounts[i], plan).context(mount_intent(spec.mounts[i])));
  }
  return {};
}

namespace {

/// Hooks find the root by its path, in this mount namespace, too. Without hooks it goes where no path
/// leads, and so need not be within reach of the container's user.
Result<UniqueFd> place_of_root(const RootfsPlan& plan) {
  const auto& spec = *plan.spec;
  if ((spec.hooks || !plan.new_mount_namespace) && spec.root && !spec.root->path.empty()) {
    const std::string& path = spec.root->path;
    auto place = sys::open_at(sys::kCwd, path.starts_with('/') ? path : plan.bundle + "/" + path, O_PATH | O_DIRECTORY);
    if (place || !plan.new_mount_namespace) return place;
  }
  return sys::open_at(sys::kCwd, "/", O_PATH | O_DIRECTORY);
}

}  // namespace

Result<> build_rootfs(RootfsPlan& plan) {
  const auto& spec = *plan.spec;
  if (!plan.root && sys::has_mount_api()) TRY(clone_root(plan));
  if (plan.new_mount_namespace) {
    TRY(sys::change_mount_at("/", {.propagation = outer_propagation(spec)}, true).context("separate from the host's mounts"));
  }
  if (!sys::has_mount_api()) {
    TRY(sys::stage_mounts());
    TRY(clone_root(plan));
  }
  const UniqueFd top = TRY(place_of_root(plan));
  TRY(sys::attach_mount(plan.root.get(), top.get()).context("attach the root file system"));
  KernelMounts kernel;
  // On a shared mount it has become shared itself, and what comes below would show elsewhere.
  if (!plan.new_mount_namespace) TRY(sys::change_mount(plan.root.get(), {.propagation = MS_PRIVATE}, true));
  for (std::size_t i = 0; i < spec.mounts.size(); ++i) {
    TRY(do_mount(plan, spec.mounts[i], plan.trees[i].get(), kernel).context(mount_intent(spec.mounts[i])));
  }
  TRY(make_devices(plan).context("make devices"));
  return hide_paths(plan, kernel);
}

Result<> seal_rootfs(const RootfsPlan& plan) {
  TRY(close_for_writing(plan));
  if (!plan.spec->root || !plan.spec->root->readonly) return {};
  return sys::change_mount(plan.root.get(), {.set = MOUNT_ATTR_RDONLY}, false).context("make the root read-only");
}

Result<> unmount_foreign_root(const std::string& path, const std::string& mount_namespace) {
  const auto take_away = [&]() -> Result<> {
    auto done = sys::unmount(path, MNT_DETACH | UMOUNT_NOFOLLOW);
    if (done || done.error().errno_value() == EINVAL || done.error().errno_value() == ENOENT) return {};
    return done;
  };
  if (mount_namespace.empty()) return take_away();
  const auto file = sys::open_at(sys::kCwd, mount_namespace, O_RDONLY);
  if (!file) return {};  // the namespace has gone, and its mounts with it
  // A process of its own goes there: this one must keep its working directory and root.
  const sys::Process helper = TRY(sys::clone_process({}));
  if (!helper.valid()) {
    const bool done = sys::enter_namespaces(file->get(), CLONE_NEWNS) && take_away();
    ::_exit(done ? 0 : 1);
  }
  if (TRY(helper.wait()).shell_code() == 0) return {};
  return base::internal("the root could not be unmounted in " + mount_namespace);
}

Result<> enter_rootfs(const RootfsPlan& plan, bool no_pivot) {
  if (!plan.new_mount_namespace) return sys::change_root(plan.root.get());
  if (no_pivot) {
    // The old root stays. With it, a procfs or sysfs without masks would stay in this mount namespace, and the
    // kernel lets a user namespace mount what its mount namespace shows already.
    static constexpr std::array<std::string_view, 2> kTypes{"proc", "sysfs"};
    TRY(sys::hide_file_systems(kTypes, plan.root.get()).context("hide the host's procfs"));
    TRY(sys::move_to_root(plan.root.get()));
  } else {
    TRY(sys::pivot_to(plan.root.get()));
  }
  bool recursive = false;
  const std::uint64_t propagation = propagation_of(plan.spec->linux_section->rootfs_propagation, recursive);
  if (propagation != MS_SHARED && propagation != MS_UNBINDABLE) return {};
  return sys::change_mount_at("/", {.propagation = propagation}, recursive).context("set rootfsPropagation");
}

}  // namespace runtime::detail
