#include "sys/storage.h"

#include <algorithm>
#include <cerrno>

#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "sys/detail/retry.h"

namespace sys {

using base::Error;
using base::Result;
using detail::retry;

namespace {

/// Through this program's memory: where the kernel can't copy between the two file systems.
Result<> copy_through_memory(int from, int to, off_t begin, off_t end) {
  std::string buffer(std::size_t{256} << 10U, '\0');
  while (begin < end) {
    const auto wanted = std::min(buffer.size(), static_cast<std::size_t>(end - begin));
    const auto count = retry([&] { return ::pread(from, buffer.data(), wanted, begin); });
    if (count < 0) return Error::from_errno(errno, "pread");
    if (count == 0) return {};  // shrank meanwhile
    const std::string_view bytes{buffer.data(), static_cast<std::size_t>(count)};
    TRY(write_all_at(to, bytes, static_cast<std::uint64_t>(begin)));
    begin += count;
  }
  return {};
}

bool is_refusal(int error) {
  return error == EXDEV || error == EINVAL || error == EOPNOTSUPP || error == ENOSYS;
}

/// One run of data inside a sparse file.
Result<> copy_run(int from, int to, off_t begin, off_t end) {
  off_t in = begin;
  off_t out = begin;
  while (in < end) {
    const auto count =
        retry([&] { return ::copy_file_range(from, &in, to, &out, static_cast<std::size_t>(end - in), 0); });
    if (count < 0 && is_refusal(errno)) return copy_through_memory(from, to, in, end);
    if (count < 0) return Error::from_errno(errno, "copy_file_range");
    if (count == 0) return {};  // shrank meanwhile
  }
  return {};
}

}  // namespace

Result<> sync_file_system(int fd) {
  if (::syncfs(fd) < 0) return Error::from_errno(errno, "syncfs");
  return {};
}

void start_writeback(int fd, std::uint64_t offset, std::uint64_t bytes) {
  ::sync_file_range(fd, static_cast<off_t>(offset), static_cast<off_t>(bytes), SYNC_FILE_RANGE_WRITE);
}

Result<> copy_contents(int from, int to) {
  if (::ioctl(to, FICLONE, from) == 0) return {};
  const struct ::stat status = TRY(stat_fd(from));
  const off_t size = status.st_size;
  off_t data = 0;
  while (data < size) {
    data = ::lseek(from, data, SEEK_DATA);
    if (data < 0) {
      const int saved = errno;
      if (saved == ENXIO) break;  // only a hole is left
      return Error::from_errno(saved, "lseek");
    }
    off_t hole = ::lseek(from, data, SEEK_HOLE);
    if (hole < 0) hole = size;
    TRY(copy_run(from, to, data, hole));
    data = hole;
  }
  return truncate_file(to, static_cast<std::uint64_t>(size));
}

Result<> reserve_space(int fd, std::uint64_t bytes) {
  if (bytes == 0) return {};
  if (retry([&] { return ::fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(bytes)); }) == 0)
    return {};
  const int saved = errno;
  if (saved == EOPNOTSUPP || saved == ENOSYS) return {};
  return Error::from_errno(saved, "reserve space");
}

Result<> truncate_file(int fd, std::uint64_t size) {
  if (retry([&] { return ::ftruncate(fd, static_cast<off_t>(size)); }) < 0) {
    return Error::from_errno(errno, "truncate");
  }
  return {};
}

Result<> write_all_at(int fd, std::string_view bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const auto count =
        retry([&] { return ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
    if (count < 0) return Error::from_errno(errno, "write");
    bytes.remove_prefix(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return {};
}

Result<bool> lock_file(int fd, Wait wait) {
  if (retry([&] { return ::flock(fd, LOCK_EX | (wait == Wait::No ? LOCK_NB : 0)); }) == 0) return true;
  const int saved = errno;
  if (saved == EWOULDBLOCK) return false;
  return Error::from_errno(saved, "flock");
}

void unlock_file(int fd) { ::flock(fd, LOCK_UN); }

Result<Space> space_of(int fd) {
  struct ::statvfs status{};
  if (::fstatvfs(fd, &status) < 0) return Error::from_errno(errno, "statvfs");
  return Space{status.f_blocks * status.f_frsize, status.f_bavail * status.f_frsize};
}

}  // namespace sys
