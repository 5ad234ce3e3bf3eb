#include <algorithm>
#include <array>

#include <sys/mount.h>
#include <sys/sysmacros.h>

#include <fmt/format.h>

#include "base/strings.h"
#include "runtime/detail/mount_options.h"
#include "runtime/detail/rootfs.h"
#include "sys/file.h"
#include "sys/mount.h"
#include "sys/node.h"

namespace runtime::detail {

using base::Result;
using spec::oci::Device;
using sys::UniqueFd;

namespace {

constexpr std::string_view kDev = "/dev/";

std::vector<Device> default_devices() {
  constexpr std::uint32_t kMode = 0666;
  return {{"c", "/dev/null", 1, 3, kMode, 0, 0},   {"c", "/dev/random", 1, 8, kMode, 0, 0},
          {"c", "/dev/full", 1, 7, kMode, 0, 0},   {"c", "/dev/tty", 5, 0, kMode, 0, 0},
          {"c", "/dev/zero", 1, 5, kMode, 0, 0},   {"c", "/dev/urandom", 1, 9, kMode, 0, 0}};
}

Result<mode_t> type_bits(const Device& device) {
  if (device.type == "c" || device.type == "u") return mode_t{S_IFCHR};
  if (device.type == "b") return mode_t{S_IFBLK};
  if (device.type == "p") return mode_t{S_IFIFO};
  return base::invalid(fmt::format("device {} has the unknown type {}", device.path, base::quoted(device.type)));
}

/// The host's node, where the container may not make its own.
Result<> bind_device(int directory, const std::string& name, const std::string& source) {
  UniqueFd tree = TRY(sys::clone_mount(sys::kCwd, source, false));
  TRY(sys::change_mount(tree.get(), {.propagation = MS_PRIVATE}, false));
  auto made = sys::open_beneath_no_symlinks(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0666);
  if (!made && made.error().errno_value() != EEXIST) return base::Error{made.error()};
  const UniqueFd target = TRY(sys::open_beneath_no_symlinks(directory, name, O_PATH | O_NOFOLLOW));
  return sys::attach_mount(tree.get(), target.get());
}

/// The specification wants an error when something else has the name.
Result<> require_same(int directory, const std::string& name, const Device& device, mode_t type) {
  const struct ::stat status = TRY(sys::stat_at(directory, name));
  const bool numbers = type == S_IFIFO || status.st_rdev == makedev(static_cast<unsigned>(device.major), static_cast<unsigned>(device.minor));
  if ((status.st_mode & S_IFMT) == type && numbers) return {};
  return base::invalid(fmt::format("linux.devices: {} is there already and is something else", device.path));
}

Result<> make_device(const RootfsPlan& plan, int dev, const Device& device) {
  const mode_t type = TRY(type_bits(device));
  std::string name = device.path;
  UniqueFd parent;
  int directory = dev;
  if (name.starts_with(kDev) && name.find('/', kDev.size()) == std::string::npos) {
    name = name.substr(kDev.size());
  } else {
    const auto slash = name.rfind('/');
    if (slash == std::string::npos) return base::invalid("device path " + base::quoted(name) + " is not absolute");
    parent = TRY(target_in_root(plan.root.get(), name.substr(0, slash + 1), false));
    directory = parent.get();
    name = name.substr(slash + 1);
  }
  if (name.empty() || name == "." || name == "..") return base::invalid("device path " + base::quoted(device.path));
  if (plan.new_user_namespace) return bind_device(directory, name, device.path);
  auto made = sys::make_node(directory, name, type | device.file_mode.value_or(0666),
                             static_cast<std::uint32_t>(device.major), static_cast<std::uint32_t>(device.minor));
  if (!made && made.error().errno_value() == EEXIST) return require_same(directory, name, device, type);
  if (!made && made.error().errno_value() == EPERM) return bind_device(directory, name, device.path);
  TRY(std::move(made));
  if (device.uid.value_or(0) == 0 && device.gid.value_or(0) == 0) return {};
  return sys::set_owner_at(directory, name, device.uid.value_or(0), device.gid.value_or(0));
}

Result<> make_link(int dev, const char* target, const std::string& name) {
  auto made = sys::symlink_at(target, dev, name);
  if (!made && made.error().errno_value() == EEXIST) return {};
  return made;
}

/// A container whose /dev is the host's own gets nothing of ours in there.
bool dev_is_bound(const spec::oci::Spec& spec) {
  return std::ranges::any_of(spec.mounts, [](const spec::oci::Mount& mount) {
    return (mount.destination == "/dev" || mount.destination == "/dev/") && parse_mount_options(mount).bind;
  });
}

}  // namespace

Result<> make_devices(const RootfsPlan& plan) {
  const auto& spec = *plan.spec;
  if (dev_is_bound(spec)) return {};
  const UniqueFd dev = TRY(target_in_root(plan.root.get(), "/dev", false));
  const auto& configured = spec.linux_section->devices;
  for (const auto& device : configured) {
    // It is set up below, whatever is asked for.
    if (device.path != "/dev/ptmx") TRY(make_device(plan, dev.get(), device));
  }
  for (const auto& device : default_devices()) {
    const bool replaced = std::ranges::find(configured, device.path, &Device::path) != configured.end();
    if (!replaced) TRY(make_device(plan, dev.get(), device));
  }
  TRY(make_link(dev.get(), "/proc/self/fd", "fd"));
  TRY(make_link(dev.get(), "/proc/self/fd/0", "stdin"));
  TRY(make_link(dev.get(), "/proc/self/fd/1", "stdout"));
  TRY(make_link(dev.get(), "/proc/self/fd/2", "stderr"));
  if (TRY(sys::exists(sys::kCwd, "/proc/kcore"))) TRY(make_link(dev.get(), "/proc/kcore", "core"));
  // The multiplexer of this container's own devpts, not a node that reaches the host's.
  base::ignore(sys::unlink_at(dev.get(), "ptmx"), "usually there is none");
  return make_link(dev.get(), "pts/ptmx", "ptmx");
}

Result<> mount_console(const RootfsPlan& plan, int slave) {
  const UniqueFd dev = TRY(target_in_root(plan.root.get(), "/dev", false));
  auto made = sys::open_beneath_no_symlinks(dev.get(), "console", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  if (!made && made.error().errno_value() != EEXIST) return base::Error{made.error()};
  const UniqueFd target = TRY(sys::open_beneath_no_symlinks(dev.get(), "console", O_PATH | O_NOFOLLOW));
  const UniqueFd tree = TRY(sys::clone_mount(slave, "", false));
  return sys::attach_mount(tree.get(), target.get()).context("mount the terminal on /dev/console");
}

}  // namespace runtime::detail
