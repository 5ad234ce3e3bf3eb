#include "sys/limits.h"

#include <array>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/strings.h"
#include "sys/file.h"

namespace sys {

using base::Error;
using base::Result;

std::optional<int> rlimit_number(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, int>, 16> kTable{{
      {"RLIMIT_AS", RLIMIT_AS},           {"RLIMIT_CORE", RLIMIT_CORE},
      {"RLIMIT_CPU", RLIMIT_CPU},         {"RLIMIT_DATA", RLIMIT_DATA},
      {"RLIMIT_FSIZE", RLIMIT_FSIZE},     {"RLIMIT_LOCKS", RLIMIT_LOCKS},
      {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK}, {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
      {"RLIMIT_NICE", RLIMIT_NICE},       {"RLIMIT_NOFILE", RLIMIT_NOFILE},
      {"RLIMIT_NPROC", RLIMIT_NPROC},     {"RLIMIT_RSS", RLIMIT_RSS},
      {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},   {"RLIMIT_RTTIME", RLIMIT_RTTIME},
      {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING}, {"RLIMIT_STACK", RLIMIT_STACK},
  }};
  for (const auto& [known, number] : kTable) {
    if (known == name) return number;
  }
  return std::nullopt;
}

Result<Rlimit> rlimit_of(pid_t pid, int resource) {
  struct ::rlimit64 limit {};
  if (::syscall(SYS_prlimit64, pid, resource, nullptr, &limit) < 0) {
    return Error::from_errno(errno, fmt::format("read resource limit {}", resource));
  }
  return Rlimit{limit.rlim_cur, limit.rlim_max};
}

Result<> set_rlimit(pid_t pid, int resource, std::uint64_t soft, std::uint64_t hard) {
  const struct ::rlimit64 limit { soft, hard };
  if (::syscall(SYS_prlimit64, pid, resource, &limit, nullptr) < 0) {
    return Error::from_errno(errno, fmt::format("set resource limit {} to {}:{}", resource, soft, hard));
  }
  return {};
}

Result<> set_oom_score_adj(pid_t pid, int value) {
  const std::string who = pid == 0 ? "self" : fmt::format("{}", pid);
  return write_file(kCwd, fmt::format("/proc/{}/oom_score_adj", who), fmt::format("{}", value));
}

Result<> set_scheduler(pid_t pid, const SchedulerAttributes& wanted) {
  // struct sched_attr, which glibc does not have; linux/sched/types.h clashes with <sched.h>.
  struct Attributes {
    std::uint32_t size;
    std::uint32_t policy;
    std::uint64_t flags;
    std::int32_t nice;
    std::uint32_t priority;
    std::uint64_t runtime;
    std::uint64_t deadline;
    std::uint64_t period;
  } attributes{sizeof(Attributes), wanted.policy,  wanted.flags,    wanted.nice,
               wanted.priority,    wanted.runtime, wanted.deadline, wanted.period};
  if (::syscall(SYS_sched_setattr, pid, &attributes, 0) < 0) return Error::from_errno(errno, "sched_setattr");
  return {};
}

Result<> set_io_priority(int io_class, int priority) {
  constexpr int kWhoProcess = 1;
  if (::syscall(SYS_ioprio_set, kWhoProcess, 0, io_class << 13 | priority) < 0) {
    return Error::from_errno(errno, "ioprio_set");
  }
  return {};
}

Result<std::vector<unsigned>> parse_number_list(std::string_view list) {
  std::vector<unsigned> numbers;
  for (const auto part : base::split_words(list, ',')) {
    const auto trimmed = base::trim(part);
    const auto range = base::cut(trimmed, "-");
    const auto first = base::parse_uint(range ? range->first : trimmed);
    const auto last = range ? base::parse_uint(range->second) : first;
    if (!first || !last || *last < *first || *last >= 65536) {
      return base::invalid(fmt::format("invalid list {}", base::quoted(list)));
    }
    for (auto i = *first; i <= *last; ++i) numbers.push_back(static_cast<unsigned>(i));
  }
  return numbers;
}

namespace {

Result<std::vector<unsigned long>> bit_mask(std::string_view list) {
  constexpr std::size_t kBits = 8 * sizeof(unsigned long);
  std::vector<unsigned long> mask;
  for (const unsigned number : TRY(parse_number_list(list))) {
    if (number / kBits >= mask.size()) mask.resize(number / kBits + 1);
    mask[number / kBits] |= 1UL << (number % kBits);
  }
  return mask;
}

}  // namespace

Result<> set_cpu_affinity(std::string_view list) {
  const auto mask = TRY(bit_mask(list));
  if (::syscall(SYS_sched_setaffinity, 0, mask.size() * sizeof(unsigned long), mask.data()) < 0) {
    return Error::from_errno(errno, fmt::format("set CPU affinity to {}", list));
  }
  return {};
}

Result<> reset_cpu_affinity() {
  // Of the 8192 that a kernel may have at most it takes as many as it knows.
  std::array<unsigned char, 1024> all{};
  all.fill(0xff);
  if (::syscall(SYS_sched_setaffinity, 0, all.size(), all.data()) < 0) {
    return Error::from_errno(errno, "reset the CPU affinity");
  }
  return {};
}

Result<> set_memory_policy(int mode, std::string_view nodes) {
  const auto mask = TRY(bit_mask(nodes));
  const unsigned long bits = mask.size() * 8 * sizeof(unsigned long) + (mask.empty() ? 0UL : 1UL);
  if (::syscall(SYS_set_mempolicy, mode, mask.empty() ? nullptr : mask.data(), bits) < 0) {
    return Error::from_errno(errno, "set_mempolicy");
  }
  return {};
}

Result<> set_personality(unsigned long persona) {
  if (::personality(persona) < 0) return Error::from_errno(errno, "personality");
  return {};
}

Result<> join_session_keyring(const std::string& name) {
  const auto ring = ::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name.c_str());
  if (ring < 0) {
    if (errno == ENOSYS) return {};
    return Error::from_errno(errno, "join a session keyring");
  }
  // Root of the container may search it: KEY_USR_SEARCH.
  constexpr std::uint32_t kUserSearch = 0x00080000;
  constexpr std::uint32_t kPossessorAll = 0x3f000000;
  constexpr std::uint32_t kUserView = 0x00010000;
  constexpr std::uint32_t kUserRead = 0x00020000;
  if (::syscall(SYS_keyctl, KEYCTL_SETPERM, ring, kPossessorAll | kUserView | kUserRead | kUserSearch) < 0) {
    return Error::from_errno(errno, "set the session keyring's permissions");
  }
  return {};
}

Result<> hide_from_tracing() {
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) return Error::from_errno(errno, "become untraceable");
  return {};
}

}  // namespace sys
