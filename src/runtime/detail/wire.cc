#include "runtime/detail/wire.h"

#include <cstring>

namespace runtime::detail {

using base::Result;

namespace {

struct Header {
  std::uint32_t present = 0;
  std::uint32_t flags = 0;
  std::uint32_t notifies = 0;
};

}  // namespace

Result<> send_go(const Channel& channel, const cgroup::Entry& entry) {
  std::vector<int> fds;
  for (const auto& tasks : entry.v1_tasks) fds.push_back(tasks.get());
  return channel.send(Topic::Go, {}, fds);
}

Result<> send_filter(const Channel& channel, const std::optional<SeccompProgram>& seccomp) {
  Header header;
  if (seccomp) header = {1, seccomp->flags, seccomp->notifies ? 1U : 0U};
  std::string text{reinterpret_cast<const char*>(&header), sizeof header};
  if (seccomp) {
    text.append(reinterpret_cast<const char*>(seccomp->code.data()), seccomp->code.size() * sizeof(::sock_filter));
  }
  return channel.send(Topic::Filter, text);
}

Result<std::optional<SeccompProgram>> unpack_filter(const Packet& packet) {
  Header header;
  if (packet.text.size() < sizeof header) return base::internal("a malformed message from the parent");
  std::memcpy(&header, packet.text.data(), sizeof header);
  if (header.present == 0) return std::optional<SeccompProgram>{};
  SeccompProgram program;
  program.flags = header.flags;
  program.notifies = header.notifies != 0;
  const std::size_t size = packet.text.size() - sizeof header;
  program.code.resize(size / sizeof(::sock_filter));
  std::memcpy(program.code.data(), packet.text.data() + sizeof header, program.code.size() * sizeof(::sock_filter));
  return std::optional{std::move(program)};
}

Result<> join_cgroups(const std::vector<sys::UniqueFd>& tasks) {
  for (const auto& one : tasks) TRY(sys::write_some(one.get(), "0").context("join a cgroup"));
  return {};
}

}  // namespace runtime::detail
