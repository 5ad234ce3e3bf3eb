#include "runtime/detail/intel_rdt.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/scope_guard.h"
#include "base/strings.h"
#include "sys/file.h"

namespace runtime::detail {

using base::ErrorKind;
using base::Result;
using sys::UniqueFd;

namespace {

std::vector<std::string> lines_of(const spec::oci::IntelRdt& wanted) {
  std::vector<std::string> out;
  if (!wanted.l3_cache_schema.empty()) out.push_back(wanted.l3_cache_schema);
  if (!wanted.mem_bw_schema.empty()) out.push_back(wanted.mem_bw_schema);
  for (const auto& line : wanted.schemata) out.push_back(line);
  return out;
}

/// "L3:0=7f0;1=1f" → (L3, 0) → 7f0. Masks are hexadecimal, bandwidths are compared as text all the same:
/// leading zeros and spaces are the kernel's way of alignment.
std::map<std::pair<std::string, std::string>, std::string> parse_schemata(std::string_view text) {
  std::map<std::pair<std::string, std::string>, std::string> out;
  for (const auto line : base::split(text, '\n')) {
    const auto head = base::cut(line, ":");
    if (!head) continue;
    for (const auto entry : base::split(head->second, ';')) {
      const auto pair = base::cut(entry, "=");
      if (!pair) continue;
      std::string value{base::trim(pair->second)};
      std::ranges::transform(value, value.begin(), [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c; });
      value.erase(0, std::min(value.find_first_not_of('0'), value.size() - 1));
      out[{std::string{base::trim(head->first)}, std::string{base::trim(pair->first)}}] = value;
    }
  }
  return out;
}

Result<> compare(const std::string& directory, const std::vector<std::string>& lines) {
  const auto present = parse_schemata(TRY(sys::read_file(sys::kCwd, directory + "/schemata")));
  for (const auto& line : lines) {
    for (const auto& [key, value] : parse_schemata(line)) {
      const auto found = present.find(key);
      if (found != present.end() && found->second == value) continue;
      return base::invalid(fmt::format("linux.intelRdt: group {} is there with other schemata: {} of domain {} is {}, not {}",
                                       directory, key.first, key.second, found == present.end() ? "not there" : found->second, value));
    }
  }
  return {};
}

/// Appends, so that each line is one write and the file may be an ordinary one.
Result<> write_line(const std::string& path, const std::string& line) {
  const UniqueFd file = TRY(sys::open_at(sys::kCwd, path, O_WRONLY | O_APPEND | O_CREAT, 0644));
  return sys::write_all(file.get(), line + "\n").context(fmt::format("write {} to {}", base::quoted(line), path));
}

Result<> remove_group(const std::string& directory) {
  if (directory.empty()) return {};
  auto removed = sys::unlink_at(sys::kCwd, directory, true);
  if (removed.failed_as(ErrorKind::NotFound)) return {};
  return removed;
}

}  // namespace

Result<> check_intel_rdt(const spec::oci::IntelRdt& wanted) {
  const std::string& name = wanted.clos_id;
  if (name != "/" && (name == "." || name == ".." || name.find('/') != std::string::npos)) {
    return base::invalid("linux.intelRdt.closID: " + base::quoted(name) + " is no name of a group");
  }
  for (const auto& line : lines_of(wanted)) {
    if (line.find('\n') != std::string::npos) return base::invalid("linux.intelRdt: a schema has a newline in it");
  }
  if (!wanted.mem_bw_schema.empty() && !wanted.mem_bw_schema.starts_with("MB:")) {
    return base::invalid("linux.intelRdt.memBwSchema must start with MB:");
  }
  return {};
}

Result<std::string> find_resctrl() {
  const std::string table = TRY(sys::read_file(sys::kCwd, "/proc/self/mountinfo"));
  for (const auto line : base::split(table, '\n')) {
    const auto halves = base::cut(line, " - ");
    if (!halves || !halves->second.starts_with("resctrl ")) continue;
    const auto fields = base::split_words(halves->first, ' ');
    if (fields.size() > 4) return std::string{fields[4]};
  }
  return base::not_implemented("linux.intelRdt: no resctrl file system is mounted");
}

Result<RdtGroup> join_rdt_group(const std::string& mount, const spec::oci::IntelRdt& wanted, const std::string& id, pid_t pid) {
  RdtGroup group;
  const auto lines = lines_of(wanted);
  group.directory = wanted.clos_id == "/" ? mount : mount + "/" + (wanted.clos_id.empty() ? id : wanted.clos_id);
  const bool there = TRY(sys::exists(sys::kCwd, group.directory));
  if (!there && !wanted.clos_id.empty() && lines.empty()) {
    return base::invalid(fmt::format("linux.intelRdt.closID: there is no group {}", group.directory));
  }
  bool created = false;
  base::ScopeGuard undo{[&] {
    base::ignore(remove_group(group.monitor), "the failure is what to tell");
    if (created) base::ignore(remove_group(group.directory), "the failure is what to tell");
  }};
  if (!there) {
    TRY(sys::make_dir(sys::kCwd, group.directory, 0755).context("linux.intelRdt: make a group"));
    created = true;
    group.made = wanted.clos_id.empty();
    for (const auto& line : lines) TRY(write_line(group.directory + "/schemata", line).context("linux.intelRdt"));
  } else if (!lines.empty()) {
    TRY(compare(group.directory, lines));
  }
  if (wanted.enable_monitoring) {
    std::string monitor = group.directory + "/mon_groups/" + id;
    TRY(sys::make_dir(sys::kCwd, monitor, 0755).context("linux.intelRdt.enableMonitoring: make a monitoring group"));
    group.monitor = std::move(monitor);
  }
  TRY(enter_rdt_group(group.directory, group.monitor, pid));
  undo.release();
  return group;
}

Result<> enter_rdt_group(const std::string& directory, const std::string& monitor, pid_t pid) {
  TRY(write_line(directory + "/tasks", fmt::format("{}", pid)).context("linux.intelRdt"));
  if (monitor.empty()) return {};
  return write_line(monitor + "/tasks", fmt::format("{}", pid)).context("linux.intelRdt");
}

Result<> leave_rdt_group(const std::string& made_directory, const std::string& monitor) {
  TRY(remove_group(monitor).context("remove the monitoring group"));
  return remove_group(made_directory).context("remove the resctrl group");
}

}  // namespace runtime::detail
