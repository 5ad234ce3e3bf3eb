#include "sys/fd.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <linux/close_range.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

#include "sys/detail/close_one_by_one.h"
#include "sys/detail/retry.h"

namespace sys {

using base::Error;
using base::Result;
using detail::retry;

void UniqueFd::reset(int fd) {
  // close(2) frees the number even when it fails: a retry could close somebody else's.
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Result<Pipe> make_pipe(int flags) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | flags) < 0) return Error::from_errno(errno, "pipe2");
  return Pipe{UniqueFd{ends[0]}, UniqueFd{ends[1]}};
}

Result<> set_pipe_size(int pipe, std::size_t bytes) {
  if (::fcntl(pipe, F_SETPIPE_SZ, static_cast<int>(bytes)) < 0) return Error::from_errno(errno, "resize a pipe");
  return {};
}

Result<UniqueFd> make_sealed_memfd(const char* name, std::string_view contents) {
  UniqueFd fd{::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING)};
  if (!fd) return Error::from_errno(errno, "memfd_create");
  TRY(write_all(fd.get(), contents));
  if (::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0) {
    return Error::from_errno(errno, "seal a memfd");
  }
  return fd;
}

Result<> punch_hole(int fd, std::uint64_t offset, std::uint64_t length) {
  if (retry([&] {
        return ::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                           static_cast<off_t>(length));
      }) < 0) {
    return Error::from_errno(errno, "punch a hole");
  }
  return {};
}

Result<UniqueFd> make_memory_file(std::string_view text) {
  UniqueFd fd{::memfd_create("caisson", MFD_CLOEXEC)};
  if (!fd) return Error::from_errno(errno, "memfd_create");
  TRY(write_all(fd.get(), text));
  if (::lseek(fd.get(), 0, SEEK_SET) < 0) return Error::from_errno(errno, "lseek");
  return fd;
}

Result<> place_descriptor(int fd, int number, bool cloexec) {
  if (fd == number) return set_cloexec(fd, cloexec);
  if (::dup3(fd, number, cloexec ? O_CLOEXEC : 0) < 0) return Error::from_errno(errno, "dup3");
  return {};
}

Result<> close_descriptors(unsigned first, unsigned last, bool on_exec_only) {
  if (::syscall(SYS_close_range, first, last, on_exec_only ? CLOSE_RANGE_CLOEXEC : 0U) == 0) return {};
  if (errno != ENOSYS && errno != EINVAL) return Error::from_errno(errno, "close_range");
  // Before 5.9, and for the flag before 5.11.
  if (!detail::close_one_by_one(first, last, on_exec_only)) return Error::from_errno(errno, "close descriptors");
  return {};
}

Result<UniqueFd> duplicate(int fd, int lowest) {
  const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, lowest);
  if (copy < 0) return Error::from_errno(errno, "duplicate a descriptor");
  return UniqueFd{copy};
}

Result<> duplicate_onto(int fd, int target) {
  if (retry([&] { return ::dup2(fd, target); }) < 0) return Error::from_errno(errno, "dup2");
  return {};
}

Result<UniqueFd> make_eventfd(unsigned initial, int flags) {
  const int fd = ::eventfd(initial, EFD_CLOEXEC | flags);
  if (fd < 0) return Error::from_errno(errno, "eventfd");
  return UniqueFd{fd};
}

Result<std::size_t> read_some(int fd, std::span<char> buffer) {
  const auto count = retry([&] { return ::read(fd, buffer.data(), buffer.size()); });
  if (count < 0) {
    const int saved = errno;
    auto error = Error::from_errno(saved, "read");
    if (saved == EAGAIN) return std::move(error).as(base::ErrorKind::Unavailable);
    return error;
  }
  return static_cast<std::size_t>(count);
}

Result<std::size_t> write_some(int fd, std::string_view bytes) {
  const auto count = retry([&] { return ::write(fd, bytes.data(), bytes.size()); });
  if (count < 0) {
    const int saved = errno;
    auto error = Error::from_errno(saved, "write");
    if (saved == EAGAIN) return std::move(error).as(base::ErrorKind::Unavailable);
    return error;
  }
  return static_cast<std::size_t>(count);
}

Result<> seek(int fd, std::uint64_t offset) {
  if (::lseek(fd, static_cast<off_t>(offset), SEEK_SET) < 0) return Error::from_errno(errno, "seek");
  return {};
}

Result<std::size_t> read_at(int fd, std::span<char> buffer, std::uint64_t offset) {
  std::size_t done = 0;
  while (done < buffer.size()) {
    const auto count = retry([&] {
      return ::pread(fd, buffer.data() + done, buffer.size() - done, static_cast<off_t>(offset + done));
    });
    if (count < 0) return Error::from_errno(errno, "read");
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

Result<> write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) bytes.remove_prefix(TRY(write_some(fd, bytes)));
  return {};
}

Result<std::string> read_to_end(int fd, std::size_t limit) {
  std::string out;
  struct ::stat status {};
  if (::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
    out.reserve(static_cast<std::size_t>(status.st_size) + 1);
  }
  std::array<char, 16 * 1024> buffer;  // not cleared: most files are short, and pages of the stack are not free
  while (true) {
    const std::size_t count = TRY(read_some(fd, buffer));
    if (count == 0) return out;
    if (out.size() + count > limit) {
      return base::invalid(fmt::format("read: more than the limit of {} bytes", limit));
    }
    out.append(buffer.data(), count);
  }
}

Result<> set_nonblocking(int fd, bool on) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK) < 0) {
    return Error::from_errno(errno, "set O_NONBLOCK");
  }
  return {};
}

Result<> set_cloexec(int fd, bool on) {
  if (::fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0) < 0) return Error::from_errno(errno, "set FD_CLOEXEC");
  return {};
}

Result<struct ::stat> stat_fd(int fd) {
  struct ::stat status {};
  if (::fstat(fd, &status) < 0) return Error::from_errno(errno, "fstat");
  return status;
}

Result<> sync_fd(int fd, bool data_only) {
  if (retry([&] { return data_only ? ::fdatasync(fd) : ::fsync(fd); }) < 0) {
    return Error::from_errno(errno, "fsync");
  }
  return {};
}

namespace {

bool poll_for(int fd, short events, std::optional<std::chrono::nanoseconds> timeout) {
  const auto start = std::chrono::steady_clock::now();
  while (true) {
    timespec rest{};
    if (timeout) {
      const auto passed = std::chrono::steady_clock::now() - start;
      const auto left = std::max(*timeout - passed, std::chrono::nanoseconds{0});
      rest.tv_sec = left / std::chrono::seconds{1};
      rest.tv_nsec = (left % std::chrono::seconds{1}).count();
    }
    pollfd entry{.fd = fd, .events = events, .revents = 0};
    const int count = ::ppoll(&entry, 1, timeout ? &rest : nullptr, nullptr);
    if (count > 0) return true;
    if (count == 0) return false;
    if (errno != EINTR) return true;  // a broken descriptor: the caller's call tells why
  }
}

}  // namespace

bool poll_readable(int fd, std::optional<std::chrono::nanoseconds> timeout) { return poll_for(fd, POLLIN, timeout); }
bool poll_writable(int fd, std::optional<std::chrono::nanoseconds> timeout) { return poll_for(fd, POLLOUT, timeout); }
void wait_readable(int fd) { static_cast<void>(poll_readable(fd, std::nullopt)); }

std::string proc_path(int fd) { return fmt::format("/proc/self/fd/{}", fd); }

}  // namespace sys
