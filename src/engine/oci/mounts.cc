#include <algorithm>
#include <array>

#include "base/strings.h"
#include "engine/oci/spec_builder.h"

namespace engine::oci {
namespace {

using spec::oci::Mount;

std::vector<Mount> default_mounts() {
  const std::vector<std::string> safe{"nosuid", "noexec", "nodev"};
  return {
      {"/proc", "proc", "proc", safe, {}, {}},
      {"/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}, {}, {}},
      {"/dev/pts", "devpts", "devpts",
       {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}, {}, {}},
      {"/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}, {}, {}},
      {"/sys/fs/cgroup", "cgroup", "cgroup", {"ro", "nosuid", "noexec", "nodev"}, {}, {}},
      {"/dev/mqueue", "mqueue", "mqueue", safe, {}, {}},
      {"/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777"}, {}, {}},
  };
}

/// Parents before what is mounted in them; among equals, as given.
void sort_by_depth(std::vector<Mount>& mounts) {
  const auto depth = [](const Mount& mount) { return base::split_words(mount.destination, '/').size(); };
  std::ranges::stable_sort(mounts, {}, depth);
}

// In pairs that contradict each other, then the rest.
constexpr std::array<std::array<std::string_view, 2>, 13> kFlagPairs = {{{"rw", "ro"},
                                                                         {"suid", "nosuid"},
                                                                         {"dev", "nodev"},
                                                                         {"exec", "noexec"},
                                                                         {"async", "sync"},
                                                                         {"nodirsync", "dirsync"},
                                                                         {"nomand", "mand"},
                                                                         {"atime", "noatime"},
                                                                         {"diratime", "nodiratime"},
                                                                         {"norelatime", "relatime"},
                                                                         {"nostrictatime", "strictatime"},
                                                                         {"symfollow", "nosymfollow"},
                                                                         {"swap", "noswap"}}};
constexpr std::array<std::string_view, 10> kFlags = {"bind",    "rbind",    "unbindable", "runbindable", "private",
                                                     "rprivate", "shared",  "rshared",    "slave",       "rslave"};
constexpr std::array<std::string_view, 9> kKeys = {"mode", "size", "uid", "gid", "nr_inodes",
                                                   "nr_blocks", "mpol", "huge", "context"};

/// Options of one group contradict each other; "" is no tmpfs option at all.
std::string_view group_of(std::string_view option) {
  for (const auto& pair : kFlagPairs) {
    if (option == pair[0] || option == pair[1]) return pair[0];
  }
  if (std::ranges::find(kFlags, option) != kFlags.end()) return "propagation";
  if (const auto parts = base::cut(option, "=")) {
    const auto* key = std::ranges::find(kKeys, parts->first);
    if (key != kKeys.end()) return *key;
  }
  return "";
}

}  // namespace

base::Result<std::vector<std::string>> merge_tmpfs_options(const std::vector<std::string>& options) {
  std::vector<std::string> kept;
  std::vector<std::string_view> groups;
  for (auto option = options.rbegin(); option != options.rend(); ++option) {
    if (*option == "defaults" || option->empty()) continue;
    const std::string_view group = group_of(*option);
    if (group.empty()) return base::invalid("invalid tmpfs option [" + base::quoted(*option) + "]");
    if (std::ranges::find(groups, group) != groups.end()) continue;
    groups.push_back(group);
    kept.insert(kept.begin(), *option);
  }
  return kept;
}

base::Result<> add_mounts(const Input& input, spec::oci::Spec& spec) {
  std::vector<Mount> own = input.mounts;
  sort_by_depth(own);
  const auto is_replaced = [&](const std::string& destination) {
    return std::ranges::find(own, destination, &Mount::destination) != own.end();
  };
  const auto security = TRY(parse_security_options(input.host.security_opt.value_or(spec::api::StringList{})));

  for (Mount& mount : default_mounts()) {
    if (is_replaced(mount.destination)) continue;
    if (mount.destination == "/dev/shm") {
      // The other modes bring their own as a bind (or none at all).
      if (input.host.ipc_mode != "private" && !input.host.ipc_mode.empty()) continue;
      mount.options.push_back("size=" + std::to_string(input.host.shm_size));
    }
    const bool writable = input.host.privileged && (mount.type == "sysfs" || mount.type == "cgroup");
    if (writable || (mount.type == "cgroup" && security.writable_cgroups)) std::erase(mount.options, "ro");
    spec.mounts.push_back(std::move(mount));
  }
  spec.mounts.insert(spec.mounts.end(), own.begin(), own.end());
  if (input.host.init.value_or(false)) {
    spec.mounts.push_back({"/sbin/docker-init", "bind", input.defaults.init_path, {"bind", "ro"}, {}, {}});
  }
  return {};
}

}  // namespace engine::oci
