#include "runtime/detail/cgroup_record.h"

#include <csignal>

#include "codec/describe.h"
#include "sys/file.h"

namespace runtime::detail {

using base::Result;

namespace {

/// A link, since one call makes it whole.
std::string path_link(const std::string& directory) { return directory + "/cgroup"; }
/// A file: its text may be longer than a link's.
std::string unit_file(const std::string& directory) { return directory + "/unit.json"; }

struct UnitRecord {
  cgroup::SystemdUnit unit;
  std::vector<std::string> directories;
};
void describe(auto& v, UnitRecord& x) {
  v("unit", x.unit);
  v("directories", x.directories);
}

Result<std::optional<cgroup::Cgroup>> recorded(const std::string& directory) {
  const cgroup::Host host = TRY(cgroup::Host::detect());
  if (const auto text = sys::read_file(sys::kCwd, unit_file(directory))) {
    auto record = TRY(codec::from_json<UnitRecord>(TRY(codec::Json::parse(*text))));
    // Not planned anew: that would need the configuration, and ask systemd again.
    return std::optional{TRY(cgroup::Cgroup::open(host, record.directories, std::move(record.unit)))};
  }
  const auto path = sys::read_link(sys::kCwd, path_link(directory));
  if (!path) return std::optional<cgroup::Cgroup>{};
  const auto planned = TRY(cgroup::Cgroup::plan(host, *path));
  return std::optional{TRY(cgroup::Cgroup::open(host, planned.directories()))};
}

}  // namespace

Result<> record_planned_cgroup(const std::string& directory, const std::string& path, const cgroup::Cgroup& planned) {
  if (!planned.unit()) return sys::symlink_at(path, sys::kCwd, path_link(directory));
  const UnitRecord record{*planned.unit(), planned.directories()};
  return sys::write_file_atomic(sys::kCwd, unit_file(directory), codec::to_json(record).dump(), 0600);
}

Result<> remove_planned_cgroup(const std::string& directory) {
  auto group = TRY(recorded(directory));
  if (!group) return {};
  if (!group->directories().empty()) TRY(group->signal_all(SIGKILL));
  return group->remove();
}

}  // namespace runtime::detail
