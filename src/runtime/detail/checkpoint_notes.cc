#include "runtime/detail/checkpoint_notes.h"

#include <algorithm>

#include "runtime/detail/mount_options.h"
#include "sys/file.h"

namespace runtime::detail {

void note_for_checkpoint(State& state, const spec::oci::Spec& spec, const Stdio& stdio) {
  for (const auto& mount : spec.mounts) {
    if (parse_mount_options(mount).bind) state.binds.push_back(mount.destination);
  }
  for (const auto& one : spec.linux_section->namespaces) {
    if (!one.path.empty()) state.joined_namespaces.push_back(one.type);
  }
  if (spec.process->terminal) return;
  for (const int number : numbers_of(stdio)) {
    const auto link = sys::read_link(sys::kCwd, sys::proc_path(number));
    state.descriptors.push_back(link ? *link : std::string{});
  }
  // Anything else is found by its path, or can't be restored.
  const bool pipes = std::ranges::any_of(state.descriptors, [](const auto& one) { return one.starts_with("pipe:"); });
  if (!pipes) state.descriptors.clear();
}

std::array<int, 3> numbers_of(const Stdio& stdio) {
  const auto number = [](const sys::UniqueFd& fd, int otherwise) { return fd ? fd.get() : otherwise; };
  return {number(stdio.in, 0), number(stdio.out, 1), number(stdio.err, 2)};
}

}  // namespace runtime::detail
