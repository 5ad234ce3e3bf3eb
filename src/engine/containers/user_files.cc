#include <sys/stat.h>

#include "engine/containers/launch.h"
#include "sys/file.h"

namespace engine {
namespace {

constexpr std::size_t kLargestFile = std::size_t{4} << 20U;
constexpr int kOpenFlags = O_RDONLY | O_NONBLOCK | O_NOCTTY;  // a FIFO must not block, a terminal not be taken

base::Result<std::string> read_regular(const sys::UniqueFd& file) {
  const struct ::stat info = TRY(sys::stat_fd(file.get()));
  if (!S_ISREG(info.st_mode)) return std::string{};
  return sys::read_to_end(file.get(), kLargestFile);
}

/// The file in the topmost layer that has a directory /etc: what an overlay of them shows, whatever
/// lies below. nullopt: not so easy (a link on the way, or not in that layer).
std::optional<std::string> read_topmost(const std::vector<std::string>& layers, const std::string& name) {
  for (const std::string& layer : layers) {
    const auto root = sys::open_dir(sys::kCwd, layer);
    if (!root) return std::nullopt;
    const auto etc = sys::stat_at(root->get(), "etc");
    if (!etc && etc.error().is(base::ErrorKind::NotFound)) continue;
    if (!etc || !S_ISDIR(etc->st_mode)) return std::nullopt;
    const auto file = sys::open_beneath_no_symlinks(root->get(), "etc/" + name, kOpenFlags);
    if (!file) return std::nullopt;
    const auto info = sys::stat_fd(file->get());
    if (!info || !S_ISREG(info->st_mode)) return std::nullopt;
    auto text = read_regular(*file);
    if (!text) return std::nullopt;
    return *std::move(text);
  }
  return std::string{};  // no layer has an /etc
}

base::Result<std::string> read_in(int root, const std::string& name) {
  const auto file = sys::open_in_root(root, "etc/" + name, kOpenFlags);
  if (!file) return std::string{};  // none, or none that can be read: docker takes it as empty, too
  return read_regular(*file);
}

}  // namespace

base::Result<UserFiles> read_user_files(int root) {
  UserFiles files;
  files.passwd = TRY(read_in(root, "passwd"));
  files.group = TRY(read_in(root, "group"));
  return files;
}

base::Result<UserFiles> read_user_files(const snapshot::Mounts& mounts) {
  if (!mounts.is_overlay()) {
    const auto root = TRY(sys::open_dir(sys::kCwd, mounts.upper));
    return read_user_files(root.get());
  }
  UserFiles files;
  std::vector<std::string> layers{mounts.upper};
  layers.insert(layers.end(), mounts.lowers.begin(), mounts.lowers.end());
  auto passwd = read_topmost(layers, "passwd");
  auto group = read_topmost(layers, "group");
  if (!passwd || !group) {
    const auto merged = TRY(merged_view(mounts));
    if (!passwd) passwd = TRY(read_in(merged.get(), "passwd"));
    if (!group) group = TRY(read_in(merged.get(), "group"));
  }
  files.passwd = *std::move(passwd);
  files.group = *std::move(group);
  return files;
}

}  // namespace engine
