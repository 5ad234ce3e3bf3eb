#pragma once
/// What openat2(2) does, by hand, for kernels before 5.6: one component after the other, each opened
/// with O_NOFOLLOW from the descriptor of the one before. Symlinks are read and followed in here; ".."
/// goes back to the descriptor that was come from, so neither leads above the root, whatever others
/// rename meanwhile. Links of procfs that jump (exe, root, fd/3) are refused.

#include <string>

#include "base/result.h"
#include "sys/fd.h"

namespace sys::detail {

enum class Walk : std::uint8_t {
  InRoot,             ///< RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS
  BeneathNoSymlinks,  ///< RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS
};

/// Errors have the errno that openat2 gives: ELOOP for a refused link, EXDEV for a refused "..".
base::Result<UniqueFd> open_walk(int root, const std::string& path, int flags, mode_t mode, Walk how);

}  // namespace sys::detail
