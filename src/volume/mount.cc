#include "volume/mount.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/strings.h"
#include "sys/file.h"

namespace volume {
namespace {

struct Word {
  std::string_view text;
  std::uint64_t set = 0, clear = 0;
};
constexpr std::array<Word, 15> kWords{{
    {"ro", MOUNT_ATTR_RDONLY, 0},
    {"rw", 0, MOUNT_ATTR_RDONLY},
    {"nosuid", MOUNT_ATTR_NOSUID, 0},
    {"suid", 0, MOUNT_ATTR_NOSUID},
    {"nodev", MOUNT_ATTR_NODEV, 0},
    {"dev", 0, MOUNT_ATTR_NODEV},
    {"noexec", MOUNT_ATTR_NOEXEC, 0},
    {"exec", 0, MOUNT_ATTR_NOEXEC},
    {"noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME},
    {"relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
    {"strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
    {"atime", 0, MOUNT_ATTR__ATIME},
    {"nodiratime", MOUNT_ATTR_NODIRATIME, 0},
    {"diratime", 0, MOUNT_ATTR_NODIRATIME},
    {"defaults", 0, 0},
}};
/// The volume's mount is private: what a container mounts in it is the container's.
constexpr std::array<std::string_view, 8> kPropagation{"private", "rprivate", "shared",     "rshared",
                                                       "slave",   "rslave",   "unbindable", "runbindable"};

std::string option(const std::map<std::string, std::string>& options, const char* key) {
  const auto found = options.find(key);
  return found == options.end() ? std::string{} : found->second;
}

void apply(MountPlan& plan, std::string_view text) {
  if (text == "bind" || text == "rbind") {
    plan.bind = true;
    plan.recursive = text == "rbind";
    return;
  }
  if (std::ranges::find(kPropagation, text) != kPropagation.end()) return;
  if (const auto* word = std::ranges::find(kWords, text, &Word::text); word != kWords.end()) {
    plan.set = (plan.set & ~word->clear) | word->set;
    plan.clear = (plan.clear & ~word->set) | word->clear;
    return;
  }
  const auto pair = base::cut(text, "=");
  plan.parameters.push_back(pair ? sys::MountParameter{std::string{pair->first}, std::string{pair->second}, false}
                                 : sys::MountParameter{std::string{text}, {}, true});
}

base::Result<sys::UniqueFd> detached(const MountPlan& plan) {
  if (!plan.bind) {
    return sys::make_mount({.type = plan.type, .source = plan.device, .parameters = plan.parameters,
                            .attributes = plan.set, .read_only_superblock = plan.read_only});
  }
  auto tree = TRY(sys::clone_mount(sys::kCwd, plan.device, plan.recursive));
  TRY(sys::change_mount(tree.get(), {.set = plan.set, .clear = plan.clear, .propagation = MS_PRIVATE},
                        plan.recursive));
  return tree;
}

}  // namespace

MountPlan plan_mount(const std::map<std::string, std::string>& options) {
  MountPlan plan{.type = option(options, "type"), .device = option(options, "device")};
  const std::string words = option(options, "o");
  for (const std::string_view text : base::split_words(words, ',')) apply(plan, text);
  plan.read_only = (plan.set & MOUNT_ATTR_RDONLY) != 0;
  return plan;
}

base::Result<> mount_on(const MountPlan& plan, const std::string& target) {
  const auto mounted = [&]() -> base::Result<> {
    const auto mount = TRY(detached(plan));
    const auto place = TRY(sys::open_at(sys::kCwd, target, O_PATH | O_DIRECTORY | O_NOFOLLOW));
    return sys::attach_mount(mount.get(), place.get());
  };
  auto done = mounted();
  if (done) return done;
  return std::move(done).context("failed to mount local volume: mount " + plan.device + ":" + target)
      .as(base::ErrorKind::Internal);
}

}  // namespace volume
