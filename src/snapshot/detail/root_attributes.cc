#include "snapshot/detail/root_attributes.h"

#include "sys/fd.h"
#include "sys/node.h"

namespace snapshot::detail {

base::Result<> copy_root_attributes(int from, int to) {
  const auto status = TRY(sys::stat_fd(from));
  TRY(sys::set_owner(to, status.st_uid, status.st_gid));
  TRY(sys::set_mode(to, status.st_mode & 07777U));
  for (const auto& [key, value] : TRY(sys::xattrs_of(from))) {
    if (!key.starts_with("trusted.overlay.")) TRY(sys::set_xattr(to, key, value));
  }
  return sys::set_times(to, status.st_mtim);
}

}  // namespace snapshot::detail
