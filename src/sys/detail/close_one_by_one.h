#pragma once
/// close_range(2) for kernels before 5.9. Makes system calls only, so it may be used between vfork(2)
/// and execve(2).

namespace sys::detail {

/// By the list in /proc, or without one by all numbers up to RLIMIT_NOFILE. False with errno.
[[nodiscard]] bool close_one_by_one(unsigned first, unsigned last, bool on_exec_only);

}  // namespace sys::detail
