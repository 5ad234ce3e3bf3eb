#include "runtime/detail/criu_mounts.h"

#include <algorithm>

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <fmt/format.h>

#include "base/strings.h"
#include "runtime/detail/mount_options.h"
#include "runtime/detail/names.h"
#include "runtime/detail/rootfs.h"
#include "sys/file.h"
#include "sys/mount.h"

namespace runtime::detail::criu {

using base::Result;
using sys::UniqueFd;

namespace {

/// "\040" → " ": how mountinfo writes space, tab, newline and backslash.
std::string unescape(std::string_view text) {
  const auto octal = [](char c) { return c >= '0' && c <= '7'; };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && octal(text[i + 1]) && octal(text[i + 2]) && octal(text[i + 3])) {
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

Result<std::uint64_t> mount_id(int fd) {
  const std::string info = TRY(sys::read_file(sys::kCwd, fmt::format("/proc/self/fdinfo/{}", fd)));
  for (const auto line : base::split(info, '\n')) {
    const auto pair = base::cut(line, ":");
    if (!pair || pair->first != "mnt_id") continue;
    if (const auto id = base::parse_uint(base::trim(pair->second))) return *id;
  }
  return base::internal("fdinfo has no mnt_id");
}

Result<ino_t> cgroup_namespace(const std::string& process) {
  const UniqueFd fd = TRY(sys::open_at(sys::kCwd, "/proc/" + process + "/ns/cgroup", O_RDONLY));
  return TRY(sys::stat_fd(fd.get())).st_ino;
}

/// What is mounted at `destination` if it is that, and not what a mount further up has there.
Result<const MountEntry*> mount_at(int root, const std::string& destination, const std::vector<MountEntry>& mounts) {
  const auto opened = sys::open_in_root(root, destination, O_PATH);
  if (!opened) return nullptr;
  const std::uint64_t id = TRY(mount_id(opened->get()));
  const auto found = std::ranges::find(mounts, id, &MountEntry::id);
  if (found == mounts.end() || found->place == "/") return nullptr;
  const std::string place = TRY(sys::read_link(sys::kCwd, sys::proc_path(opened->get())));
  return found->place == place ? &*found : nullptr;
}

bool is_cgroup(std::string_view type) { return type == "cgroup" || type == "cgroup2"; }

/// A node of a file system that is mounted as a whole nowhere in the container, so it is the host's.
Result<bool> is_host_device(int root, const MountEntry& one, const std::vector<MountEntry>& mounts) {
  if (one.root == "/" || one.type == "devpts") return false;
  const bool whole = std::ranges::any_of(mounts, [&](const MountEntry& other) {
    return other.device == one.device && other.root == "/";
  });
  if (whole) return false;
  const auto opened = sys::open_in_root(root, one.place, O_PATH);
  if (!opened) return false;
  const struct ::stat status = TRY(sys::stat_fd(opened->get()));
  return S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode);
}

Result<bool> is_null(int root, const std::string& path) {
  const UniqueFd opened = TRY(sys::open_in_root(root, path, O_PATH));
  return TRY(sys::stat_fd(opened.get())).st_rdev == makedev(1, 3);
}

/// Without ".", ".." and symlinks, which CRIU does not take in the path of a source.
std::string real_path(const std::string& path, const std::string& bundle) {
  const std::string absolute = path.starts_with('/') ? path : bundle + "/" + path;
  const auto opened = sys::open_at(sys::kCwd, absolute, O_PATH);
  const auto real = opened ? sys::read_link(sys::kCwd, sys::proc_path(opened->get())) : Result<std::string>{absolute};
  return real ? *real : absolute;
}

/// The same place as in create, with an empty file system for each that CRIU makes.
Result<> stand_in(const spec::oci::Spec& spec, const spec::oci::Mount& mount, const std::string& bundle, int root) {
  if (is_cgroup(mount.type)) return {};  // below sysfs, or a tmpfs that CRIU records
  UniqueFd tree;
  if (parse_mount_options(mount).bind) {
    RootfsPlan plan;
    plan.spec = &spec;
    plan.bundle = bundle;
    tree = TRY(open_bind_source(mount, plan));
  } else {
    tree = TRY(sys::make_mount({.type = "tmpfs", .source = "tmpfs", .parameters = {}}));
  }
  const bool directory = S_ISDIR(TRY(sys::stat_fd(tree.get())).st_mode);
  const UniqueFd target = TRY(target_in_root(root, mount.destination, !directory));
  return sys::attach_mount(tree.get(), target.get());
}

}  // namespace

std::vector<MountEntry> parse_mountinfo(std::string_view text) {
  std::vector<MountEntry> out;
  for (const auto line : base::split(text, '\n')) {
    const auto halves = base::cut(line, " - ");
    if (!halves) continue;
    const auto before = base::split(halves->first, ' ');
    const auto after = base::split(halves->second, ' ');
    const auto id = before.size() < 6 ? std::nullopt : base::parse_uint(before[0]);
    if (!id || after.empty()) continue;
    out.push_back({*id, std::string{before[2]}, unescape(before[3]), unescape(before[4]), std::string{after[0]}});
  }
  return out;
}

Result<std::vector<ExternalMount>> mounts_to_dump(pid_t init, const std::vector<std::string>& binds) {
  const std::string process = fmt::format("{}", init);
  const auto mounts = parse_mountinfo(TRY(sys::read_file(sys::kCwd, "/proc/" + process + "/mountinfo")));
  const UniqueFd root = TRY(sys::open_at(sys::kCwd, "/proc/" + process + "/root", O_PATH | O_DIRECTORY));
  const bool own_cgroups = TRY(cgroup_namespace(process)) != TRY(cgroup_namespace("self"));
  std::vector<ExternalMount> out;
  const auto known = [&](const std::string& place) {
    return std::ranges::find(out, place, &ExternalMount::key) != out.end();
  };
  // The last one at a place is the one on top.
  for (auto bind = binds.rbegin(); bind != binds.rend(); ++bind) {
    const MountEntry* mount = TRY(mount_at(root.get(), *bind, mounts));
    if (mount != nullptr && !known(mount->place)) out.push_back({mount->place, *bind});
  }
  for (const auto& one : mounts) {
    if (known(one.place)) continue;
    if (is_cgroup(one.type) && one.root != "/" && !own_cgroups) {
      out.push_back({one.place, one.place});
    } else if (TRY(is_host_device(root.get(), one, mounts))) {
      out.push_back({one.place, TRY(is_null(root.get(), one.place)) ? "/dev/null" : one.place});
    }
  }
  return out;
}

std::vector<ExternalMount> mounts_to_restore(const spec::oci::Spec& spec, const std::string& bundle, const cgroup::Host& host,
                                             const cgroup::Cgroup& cgroup) {
  std::vector<ExternalMount> out{{"/dev/null", "/dev/null"}};
  for (const auto& mount : spec.mounts) {
    if (is_cgroup(mount.type)) {
      for (const auto& hierarchy : host.hierarchies) {
        const std::string key = hierarchy.v2 ? std::string{} : hierarchy.controllers.front();
        const std::string name = hierarchy.mount_point.substr(hierarchy.mount_point.rfind('/') + 1);
        const std::string directory = cgroup.directory_of(key);
        if (directory.empty()) continue;
        out.push_back({host.v2_only() ? mount.destination : mount.destination + "/" + name, directory});
      }
    } else if (parse_mount_options(mount).bind) {
      out.push_back({mount.destination, real_path(mount.source, bundle)});
    }
  }
  for (const char* name : {"/dev/random", "/dev/full", "/dev/tty", "/dev/zero", "/dev/urandom"}) out.push_back({name, name});
  for (const auto& device : spec.linux_section->devices) out.push_back({device.path, device.path});
  return out;
}

Result<> prepare_root(const spec::oci::Spec& spec, const std::string& bundle, const UniqueFd& root, const std::string& top) {
  const UniqueFd place = TRY(sys::open_at(sys::kCwd, top, O_PATH | O_DIRECTORY));
  TRY(sys::attach_mount(root.get(), place.get()).context("attach the root file system"));
  // A copy of it on top of it takes the mounts that show what is missing, and goes with them.
  const UniqueFd covered = TRY(sys::open_at(sys::kCwd, top, O_PATH | O_DIRECTORY));
  const UniqueFd trial = TRY(sys::clone_mount(covered.get(), "", true));
  TRY(sys::change_mount(trial.get(), {.propagation = MS_PRIVATE}, true));
  TRY(sys::attach_mount(trial.get(), covered.get()));
  for (const auto& mount : spec.mounts) TRY(stand_in(spec, mount, bundle, trial.get()).context(mount_intent(mount)));
  return sys::unmount(top, MNT_DETACH);
}

}  // namespace runtime::detail::criu
