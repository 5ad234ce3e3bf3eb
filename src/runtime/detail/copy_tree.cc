#include <array>

#include <sys/sysmacros.h>

#include "runtime/detail/rootfs.h"
#include "sys/file.h"
#include "sys/node.h"

namespace runtime::detail {

using base::Result;
using sys::UniqueFd;

namespace {

Result<> copy_contents(int from, int to) {
  std::array<char, 64 * 1024> buffer{};
  while (true) {
    const std::size_t count = TRY(sys::read_some(from, buffer));
    if (count == 0) return {};
    TRY(sys::write_all(to, {buffer.data(), count}));
  }
}

Result<> copy_entry(int from, int to, const std::string& name) {
  const struct ::stat status = TRY(sys::stat_at(from, name));
  const mode_t mode = status.st_mode & 07777U;
  if (S_ISLNK(status.st_mode)) {
    const std::string target = TRY(sys::read_link(from, name));
    TRY(sys::symlink_at(target, to, name));
  } else if (S_ISDIR(status.st_mode)) {
    const UniqueFd below = TRY(sys::open_at(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    TRY(sys::make_dir(to, name, mode));
    const UniqueFd made = TRY(sys::open_at(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    TRY(copy_tree(below.get(), made.get()));
  } else if (S_ISREG(status.st_mode)) {
    const UniqueFd source = TRY(sys::open_at(from, name, O_RDONLY | O_NOFOLLOW));
    const UniqueFd copy = TRY(sys::open_at(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode));
    TRY(copy_contents(source.get(), copy.get()));
  } else {
    TRY(sys::make_node(to, name, status.st_mode, major(status.st_rdev), minor(status.st_rdev)));
  }
  TRY(sys::set_owner_at(to, name, status.st_uid, status.st_gid));
  if (!S_ISLNK(status.st_mode)) TRY(sys::set_mode_at(to, name, mode));
  for (const auto& [key, value] : TRY(sys::xattrs_at(from, name))) TRY(sys::set_xattr_at(to, name, key, value));
  return sys::set_times_at(to, name, status.st_mtim);
}

}  // namespace

Result<> copy_tree(int from, int to) {
  for (const auto& entry : TRY(sys::list_dir(from))) TRY(copy_entry(from, to, entry.name));
  const struct ::stat status = TRY(sys::stat_fd(from));
  return sys::set_owner(to, status.st_uid, status.st_gid);
}

}  // namespace runtime::detail
