#pragma once
/// Owning file descriptors and the calls that read and write them.
/// Every descriptor is opened with O_CLOEXEC; EINTR is retried, except on close(2).

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

#include "base/result.h"

namespace sys {

/// Owns one descriptor, or none (-1). Closes it in the destructor.
class [[nodiscard]] UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_{fd} {}
  UniqueFd(UniqueFd&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    reset(std::exchange(other.fd_, -1));
    return *this;
  }
  ~UniqueFd() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  explicit operator bool() const { return valid(); }
  /// Gives the ownership away.
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

/// pipe2(2) with O_CLOEXEC and `flags`.
base::Result<Pipe> make_pipe(int flags = 0);
/// F_SETPIPE_SZ: how much the pipe holds; rounded up. Errors: PermissionDenied past the user's quota.
base::Result<> set_pipe_size(int pipe, std::size_t bytes);
/// An anonymous file with these contents that nobody can change any more, memfd_create(2).
base::Result<UniqueFd> make_sealed_memfd(const char* name, std::string_view contents);
/// Gives the disk blocks of a range back; it reads as zeros then. fallocate(FALLOC_FL_PUNCH_HOLE).
base::Result<> punch_hole(int fd, std::uint64_t offset, std::uint64_t length);
/// An unnamed file in memory with this text, read from its start.
base::Result<UniqueFd> make_memory_file(std::string_view text = {});
/// dup3(2): `fd` under the number `number`, whatever that was before; stays open across execve unless
/// `cloexec`.
base::Result<> place_descriptor(int fd, int number, bool cloexec);
/// Closes all from `first` to `last`, or marks them close-on-exec. Source: close_range(2).
base::Result<> close_descriptors(unsigned first, unsigned last = ~0U, bool on_exec_only = false);
/// fcntl(F_DUPFD_CLOEXEC): the copy is at least `lowest`.
base::Result<UniqueFd> duplicate(int fd, int lowest = 3);
/// dup2(2): `target`, kept open over execve, then refers to what `fd` does.
base::Result<> duplicate_onto(int fd, int target);
/// An eventfd(2), close-on-exec.
base::Result<UniqueFd> make_eventfd(unsigned initial = 0, int flags = 0);

/// One read(2); 0 at the end. Errors: EAGAIN is Unavailable with that errno_value.
base::Result<std::size_t> read_some(int fd, std::span<char> buffer);
/// One write(2).
base::Result<std::size_t> write_some(int fd, std::string_view bytes);
/// lseek(2) from the beginning.
base::Result<> seek(int fd, std::uint64_t offset);
/// pread(2) until `buffer` is full or the file ends: says how many bytes came.
base::Result<std::size_t> read_at(int fd, std::span<char> buffer, std::uint64_t offset);
/// All of it, for blocking descriptors.
base::Result<> write_all(int fd, std::string_view bytes);
/// From the present offset to the end. Errors: InvalidArgument past `limit` bytes.
base::Result<std::string> read_to_end(int fd, std::size_t limit = std::size_t{64} << 20U);
base::Result<> set_nonblocking(int fd, bool on);
/// Keeps or drops close-on-exec, for a descriptor that a child is to inherit.
base::Result<> set_cloexec(int fd, bool on);
base::Result<struct ::stat> stat_fd(int fd);
/// fsync(2); fdatasync when `data_only`.
base::Result<> sync_fd(int fd, bool data_only = false);
/// Waits until `fd` is readable (or its other end is gone); false when `timeout` passed before.
/// nullopt waits for ever. Source: ppoll(2).
[[nodiscard]] bool poll_readable(int fd, std::optional<std::chrono::nanoseconds> timeout);
/// The same without an end.
void wait_readable(int fd);
/// The same for room to write.
[[nodiscard]] bool poll_writable(int fd, std::optional<std::chrono::nanoseconds> timeout);
/// "/proc/self/fd/<n>": a path to what the descriptor refers to, for calls that take only paths.
[[nodiscard]] std::string proc_path(int fd);

}  // namespace sys
