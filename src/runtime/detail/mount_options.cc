#include "runtime/detail/mount_options.h"

#include <algorithm>
#include <array>

#include <sys/mount.h>

#include "base/strings.h"

namespace runtime::detail {
namespace {

struct Attribute {
  std::string_view word;  ///< with an "r" before it: for all mounts below, too
  std::uint64_t set;
  std::uint64_t clear;
};
constexpr std::array<Attribute, 20> kAttributes{{
    {"ro", MOUNT_ATTR_RDONLY, 0},
    {"rw", 0, MOUNT_ATTR_RDONLY},
    {"nosuid", MOUNT_ATTR_NOSUID, 0},
    {"suid", 0, MOUNT_ATTR_NOSUID},
    {"nodev", MOUNT_ATTR_NODEV, 0},
    {"dev", 0, MOUNT_ATTR_NODEV},
    {"noexec", MOUNT_ATTR_NOEXEC, 0},
    {"exec", 0, MOUNT_ATTR_NOEXEC},
    {"noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME},
    {"atime", 0, MOUNT_ATTR__ATIME},
    {"relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
    {"norelatime", 0, MOUNT_ATTR__ATIME},
    {"strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
    {"nostrictatime", 0, MOUNT_ATTR__ATIME},
    {"nodiratime", MOUNT_ATTR_NODIRATIME, 0},
    {"diratime", 0, MOUNT_ATTR_NODIRATIME},
    {"nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0},
    {"symfollow", 0, MOUNT_ATTR_NOSYMFOLLOW},
    {"defaults", 0, 0},
    {"loud", 0, 0},
}};

/// Flags of a file system, not of a mount: fsconfig(2) knows them by these words.
constexpr std::array<std::string_view, 6> kSuperFlags{"sync", "async", "dirsync", "lazytime", "nolazytime", "mand"};
/// Words with no meaning here: of mount(8), or defaults.
constexpr std::array<std::string_view, 5> kIgnored{"nomand", "silent", "remount", "iversion", "noiversion"};

struct Propagation {
  std::string_view word;
  std::uint64_t flag;
};
constexpr std::array<Propagation, 4> kPropagation{
    {{"private", MS_PRIVATE}, {"slave", MS_SLAVE}, {"shared", MS_SHARED}, {"unbindable", MS_UNBINDABLE}}};

const Attribute* find_attribute(std::string_view word) {
  const auto* found = std::ranges::find(kAttributes, word, &Attribute::word);
  return found == kAttributes.end() ? nullptr : found;
}

void apply(sys::MountChange& change, const Attribute& attribute) {
  // A later word undoes an earlier one.
  change.set = (change.set & ~attribute.clear) | attribute.set;
  change.clear = (change.clear & ~attribute.set) | attribute.clear;
}

/// "atime", "norelatime", …: take back what an earlier word asked for.
void note_access_time(MountOptions& out, const Attribute& attribute) {
  if (attribute.clear != MOUNT_ATTR__ATIME) return;
  const bool asks = attribute.word == "noatime" || attribute.word == "relatime" || attribute.word == "strictatime";
  out.access_time = asks ? std::optional{attribute.set} : std::nullopt;
}

bool special(MountOptions& out, std::string_view word) {
  if (word == "bind") {
    out.bind = true;
  } else if (word == "rbind") {
    out.bind = out.recursive_bind = true;
  } else if (word == "tmpcopyup") {
    out.copy_up = true;
  } else if (word == "idmap") {
    out.id_map = true;
  } else if (word == "ridmap") {
    out.id_map = out.id_map_recursive = true;
  } else {
    return std::ranges::find(kIgnored, word) != kIgnored.end();
  }
  return true;
}

}  // namespace

std::uint64_t propagation_of(std::string_view word, bool& recursive) {
  for (const auto& one : kPropagation) {
    recursive = word.size() == one.word.size() + 1;
    if (word == one.word || (recursive && word[0] == 'r' && word.substr(1) == one.word)) return one.flag;
  }
  return 0;
}

MountOptions parse_mount_options(const spec::oci::Mount& mount) {
  MountOptions out;
  out.bind = mount.type == "bind";
  for (const auto& word : mount.options) {
    bool recursive = false;
    if (const auto* attribute = find_attribute(word); attribute != nullptr) {
      apply(out.change, *attribute);
      out.names_flags |= (attribute->set | attribute->clear) != 0;
      note_access_time(out, *attribute);
    } else if (word.size() > 1 && word[0] == 'r' && find_attribute(std::string_view{word}.substr(1)) != nullptr) {
      apply(out.recursive_change, *find_attribute(std::string_view{word}.substr(1)));
    } else if (const auto flag = propagation_of(word, recursive); flag != 0) {
      out.propagation = flag;
      out.propagation_recursive = recursive;
    } else if (std::ranges::find(kSuperFlags, word) != kSuperFlags.end()) {
      out.parameters.push_back({word, {}, true});
    } else if (!special(out, word)) {
      const auto pair = base::cut(word, "=");
      if (pair) {
        out.parameters.push_back({std::string{pair->first}, std::string{pair->second}, false});
      } else {
        out.parameters.push_back({word, {}, true});
      }
    }
  }
  out.read_only = (out.change.set & MOUNT_ATTR_RDONLY) != 0;
  if (!mount.uid_mappings.empty() || !mount.gid_mappings.empty()) out.id_map = true;
  return out;
}

std::vector<std::string> known_mount_options() {
  std::vector<std::string> out;
  for (const auto& one : kAttributes) {
    out.emplace_back(one.word);
    if (one.word != "defaults" && one.word != "loud") out.push_back("r" + std::string{one.word});
  }
  for (const auto& one : kPropagation) {
    out.emplace_back(one.word);
    out.push_back("r" + std::string{one.word});
  }
  for (const auto one : kSuperFlags) out.emplace_back(one);
  for (const auto one : kIgnored) out.emplace_back(one);
  for (const char* one : {"bind", "rbind", "tmpcopyup", "idmap", "ridmap"}) out.emplace_back(one);
  std::ranges::sort(out);
  return out;
}

}  // namespace runtime::detail
