#include "snapshot/detail/copy_tree.h"

#include <map>
#include <string>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "snapshot/detail/root_attributes.h"
#include "sys/file.h"
#include "sys/node.h"
#include "sys/storage.h"

namespace snapshot::detail {

using base::Result;

namespace {

constexpr const char* kOpaque = "trusted.overlay.opaque";
constexpr mode_t kPermissions = 07777;

class Copy {
 public:
  Copy(int to_root, bool merge) : to_root_{to_root}, merge_{merge} {}

  Result<> folder(int from, int to, const std::string& path) {
    for (const auto& entry : TRY(sys::list_dir(from))) {
      TRY(one(from, to, entry.name, path.empty() ? entry.name : path + "/" + entry.name).context(entry.name));
    }
    return {};
  }

 private:
  static bool is_whiteout(const struct ::stat& status) {
    return S_ISCHR(status.st_mode) && status.st_rdev == 0;
  }

  Result<> one(int from, int to, const std::string& name, const std::string& path) {
    const auto status = TRY(sys::stat_at(from, name));
    if (S_ISSOCK(status.st_mode)) return {};
    if (merge_ && is_whiteout(status)) return sys::remove_tree(to, name);
    if (S_ISDIR(status.st_mode)) return directory(from, to, name, path);
    if (merge_) TRY(sys::remove_tree(to, name));
    if (status.st_nlink > 1) {
      const auto [known, is_new] = linked_.try_emplace(status.st_ino, path);
      if (!is_new) return sys::hard_link(to_root_, known->second, to, name);
    }
    if (S_ISREG(status.st_mode)) return file(from, to, name);
    if (S_ISLNK(status.st_mode)) {
      TRY(sys::symlink_at(TRY(sys::read_link(from, name)), to, name));
    } else {
      TRY(sys::make_node(to, name, status.st_mode, major(status.st_rdev), minor(status.st_rdev)));
    }
    return attributes(from, to, name, status);
  }

  Result<> directory(int from, int to, const std::string& name, const std::string& path) {
    const sys::UniqueFd source = TRY(sys::open_at(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    if (merge_) {
      const bool opaque = TRY(sys::xattr_of(source.get(), kOpaque)).value_or("") == "y";
      const auto there = sys::stat_at(to, name);
      if (there && (opaque || !S_ISDIR(there->st_mode))) TRY(sys::remove_tree(to, name));
    }
    if (!TRY(sys::exists(to, name))) TRY(sys::make_dir(to, name, 0700));
    const sys::UniqueFd target = TRY(sys::open_at(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    TRY(folder(source.get(), target.get(), path));
    // After the content: every entry that is made changes the folder's time.
    return copy_root_attributes(source.get(), target.get());
  }

  static Result<> file(int from, int to, const std::string& name) {
    const sys::UniqueFd source = TRY(sys::open_at(from, name, O_RDONLY | O_NOFOLLOW));
    const sys::UniqueFd target = TRY(sys::open_at(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
    TRY(sys::copy_contents(source.get(), target.get()));
    return copy_root_attributes(source.get(), target.get());
  }

  static Result<> attributes(int from, int to, const std::string& name, const struct ::stat& status) {
    TRY(sys::set_owner_at(to, name, status.st_uid, status.st_gid));
    if (!S_ISLNK(status.st_mode)) TRY(sys::set_mode_at(to, name, status.st_mode & kPermissions));
    for (const auto& [key, value] : TRY(sys::xattrs_at(from, name))) {
      if (!key.starts_with("trusted.overlay.")) TRY(sys::set_xattr_at(to, name, key, value));
    }
    return sys::set_times_at(to, name, status.st_mtim);
  }

  int to_root_;
  bool merge_;
  std::map<ino_t, std::string> linked_;  ///< where a file with several names was put first
};

}  // namespace

Result<> copy_tree(int from, int to) {
  TRY(Copy(to, false).folder(from, to, ""));
  return copy_root_attributes(from, to);
}

Result<> merge_layer(int from, int to) { return Copy(to, true).folder(from, to, ""); }

}  // namespace snapshot::detail
