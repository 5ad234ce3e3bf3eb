#pragma once
/// Bulk work on files: making them durable, copying, locking.
/// Sources: syncfs(2), sync_file_range(2), copy_file_range(2), ioctl_ficlonerange(2), flock(2).

#include <cstdint>
#include <string>

#include "base/result.h"
#include "sys/fd.h"

namespace sys {

/// Everything that was written to the file system of `fd`. Errors: also an earlier failed write-back.
base::Result<> sync_file_system(int fd);

/// Starts writing the range to the disk without waiting, so that a later fsync has less to do.
/// A hint: failures don't matter.
void start_writeback(int fd, std::uint64_t offset, std::uint64_t bytes);

/// Copies the whole of `from` to `to` (empty, at offset 0): shares the blocks where the file system
/// can, else copies in the kernel, keeping holes.
base::Result<> copy_contents(int from, int to);

/// Is there room for `bytes`, held from now on? Errors: ENOSPC; not supported is success.
base::Result<> reserve_space(int fd, std::uint64_t bytes);

base::Result<> truncate_file(int fd, std::uint64_t size);
/// pwrite(2), all of it; reading is sys::read_at (sys/fd.h).
base::Result<> write_all_at(int fd, std::string_view bytes, std::uint64_t offset);

enum class Wait : std::uint8_t { No, Yes };
/// An exclusive flock(2) on an open file; it ends with the last copy of the descriptor. False when
/// another open file has it and `wait` is No.
base::Result<bool> lock_file(int fd, Wait wait);

/// Ends it now, even if a child still has a copy of the descriptor.
void unlock_file(int fd);

struct Space {
  std::uint64_t total = 0;
  std::uint64_t available = 0;  ///< for this user
};
base::Result<Space> space_of(int fd);

}  // namespace sys
