#include "sys/bpf.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

#include <sys/syscall.h>
#include <unistd.h>

namespace sys {

using base::Error;
using base::Result;

namespace {

long bpf(int command, ::bpf_attr& attributes) {
  return ::syscall(SYS_bpf, command, &attributes, sizeof attributes);
}

std::uint64_t address(const void* pointer) { return reinterpret_cast<std::uint64_t>(pointer); }

Result<UniqueFd> load(std::span<const ::bpf_insn> program) {
  static constexpr std::string_view kLicense = "Apache-2.0";
  std::string reason(16 * 1024, '\0');
  ::bpf_attr attributes{};
  attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attributes.insns = address(program.data());
  attributes.insn_cnt = static_cast<std::uint32_t>(program.size());
  attributes.license = address(kLicense.data());
  auto fd = bpf(BPF_PROG_LOAD, attributes);
  if (fd < 0 && errno != EPERM && errno != ENOSYS) {
    // Again with the verifier's log, which costs time.
    attributes.log_level = 1;
    attributes.log_buf = address(reason.data());
    attributes.log_size = static_cast<std::uint32_t>(reason.size());
    fd = bpf(BPF_PROG_LOAD, attributes);
  }
  if (fd < 0) {
    auto error = Error::from_errno(errno, "load the device filter");
    return Error{error.kind(), error.errno_value(), error.message() + " " + reason.c_str()};
  }
  return UniqueFd{static_cast<int>(fd)};
}

Result<std::vector<UniqueFd>> attached(int cgroup_directory) {
  std::array<std::uint32_t, 64> ids{};
  ::bpf_attr query{};
  query.query.target_fd = static_cast<std::uint32_t>(cgroup_directory);
  query.query.attach_type = BPF_CGROUP_DEVICE;
  query.query.prog_ids = address(ids.data());
  query.query.prog_cnt = ids.size();
  if (bpf(BPF_PROG_QUERY, query) < 0) {
    // EINVAL: the kernel has no device hook.
    if (errno == EINVAL) return base::not_implemented("this kernel has no device filters (CONFIG_CGROUP_BPF)");
    return Error::from_errno(errno, "ask for device filters");
  }
  std::vector<UniqueFd> programs;
  for (std::uint32_t i = 0; i < query.query.prog_cnt; ++i) {
    ::bpf_attr by_id{};
    by_id.prog_id = ids[i];
    const auto fd = bpf(BPF_PROG_GET_FD_BY_ID, by_id);
    if (fd < 0) return Error::from_errno(errno, "open a device filter");
    programs.emplace_back(static_cast<int>(fd));
  }
  return programs;
}

}  // namespace

Result<> attach_device_filter(int cgroup_directory, std::span<const ::bpf_insn> program) {
  const UniqueFd loaded = TRY(load(program));
  const auto old = TRY(attached(cgroup_directory));
  ::bpf_attr attach{};
  attach.target_fd = static_cast<std::uint32_t>(cgroup_directory);
  attach.attach_bpf_fd = static_cast<std::uint32_t>(loaded.get());
  attach.attach_type = BPF_CGROUP_DEVICE;
  attach.attach_flags = BPF_F_ALLOW_MULTI;
  if (bpf(BPF_PROG_ATTACH, attach) < 0) return Error::from_errno(errno, "attach the device filter");
  // All attached filters must agree to an access, so adding first leaves no gap.
  for (const auto& one : old) {
    ::bpf_attr detach{};
    detach.target_fd = static_cast<std::uint32_t>(cgroup_directory);
    detach.attach_bpf_fd = static_cast<std::uint32_t>(one.get());
    detach.attach_type = BPF_CGROUP_DEVICE;
    if (bpf(BPF_PROG_DETACH, detach) < 0) return Error::from_errno(errno, "detach the old device filter");
  }
  return {};
}

}  // namespace sys
