#include "runtime/detail/exec_cgroup.h"

#include <unistd.h>

#include <fmt/format.h>

#include "base/strings.h"
#include "runtime/detail/container_data.h"
#include "sys/file.h"
#include "sys/namespace.h"

namespace runtime::detail {

using base::Result;

namespace {

constexpr std::string_view kIntent = "error adding pid of the new process to cgroups";

/// The v2 cgroup that init is in now.
Result<cgroup::Entry> entry_of_init(const Container::Data& data) {
  const std::string text = TRY(sys::read_file(sys::kCwd, fmt::format("/proc/{}/cgroup", data.state.pid)));
  for (const auto line : base::split_words(text, '\n')) {
    if (!line.starts_with("0::")) continue;
    const std::string directory = data.host.v2()->mount_point + std::string{line.substr(3)};
    cgroup::Entry entry;
    entry.v2_directory = TRY(sys::open_dir(sys::kCwd, directory));
    return entry;
  }
  return base::not_found("init has no cgroup");
}

/// What the kernel says of a cgroup that is gone, or whose controllers are handed down so that only those below it
/// hold processes.
bool holds_no_processes(int code) { return code == EBUSY || code == EOPNOTSUPP || code == ENODEV || code == ENOENT; }
bool forbidden(int code) { return code == EACCES || code == EPERM || code == EROFS; }

/// A clone that waits until `place` has moved it.
Result<sys::Process> clone_and_place(base::FunctionRef<Result<>(pid_t)> place) {
  auto gate = TRY(sys::make_pipe());
  sys::Process child = TRY(sys::clone_process({}));
  if (!child.valid()) {
    gate.write.reset();
    char byte = 0;
    const auto told = sys::read_some(gate.read.get(), {&byte, 1});
    // Closed without a word: it was not moved.
    if (!told || *told == 0) ::_exit(1);
    return child;
  }
  auto placed = place(child.pid());
  if (placed) {
    TRY(sys::write_some(gate.write.get(), "0"));
    return child;
  }
  gate.write.reset();
  base::ignore(child.wait(), "only to reap it");
  return std::move(placed).error();
}

}  // namespace

Result<cgroup::Entry> exec_entry(Container::Data& data, const cgroup::Subgroups& below) {
  auto* group = TRY(data.open_cgroup());
  const bool v2_only = data.host.v2_only();
  const bool gone = v2_only && group->directories().empty() && !data.state.cgroups.empty();
  if (gone && below.empty()) return entry_of_init(data);
  auto entry = group->entry(below);
  if (entry) return entry;
  if (forbidden(entry.error().errno_value()) && (group->unit() || data.state.rootless)) {
    // Only the right to write is missing: systemd has it, or nobody needs it.
    cgroup::Entry without;
    if (group->unit() && v2_only) without.v2_directory = TRY(sys::open_dir(sys::kCwd, group->directory_of("")));
    return without;
  }
  if (entry.failed_as(base::ErrorKind::InvalidArgument)) return entry;
  return std::move(entry).context(kIntent);
}

Result<sys::Process> clone_into(Container::Data& data, cgroup::Entry& entry, const cgroup::Subgroups& below) {
  auto cloned = sys::clone_process({.cgroup = entry.v2_directory.get()});
  if (cloned || !entry.v2_directory) return cloned;
  const int code = cloned.error().errno_value();
  if (holds_no_processes(code) && below.empty()) {
    entry = TRY(entry_of_init(data).context(kIntent));
    return sys::clone_process({.cgroup = entry.v2_directory.get()}).context(kIntent);
  }
  auto* group = TRY(data.open_cgroup());
  if (forbidden(code) && group->unit()) {
    const auto found = below.find("");
    const std::string subgroup = found == below.end() ? std::string{} : found->second;
    return clone_and_place([&](pid_t pid) { return group->attach(subgroup, pid); }).context(kIntent);
  }
  if (forbidden(code) && data.state.rootless) return sys::clone_process({});
  return std::move(cloned).context(kIntent);
}

}  // namespace runtime::detail
