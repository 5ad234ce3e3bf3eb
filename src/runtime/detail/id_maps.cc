#include "runtime/detail/id_maps.h"

#include <cstdlib>
#include <string>
#include <string_view>

#include <unistd.h>

#include <fmt/format.h>

#include "base/strings.h"
#include "sys/file.h"
#include "sys/process.h"

namespace runtime::detail {

using base::Result;
using sys::UniqueFd;

namespace {

/// What the kernel allows to somebody without privileges: its own id, once.
bool is_own(std::span<const sys::IdRange> ranges, std::uint32_t id) {
  return ranges.size() == 1 && ranges[0].count == 1 && ranges[0].outside == id;
}

Result<std::string> find_helper(std::string_view name) {
  const char* list = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): single-threaded
  for (const auto directory : base::split(list == nullptr ? "/usr/bin:/bin" : list, ':')) {
    if (!directory.starts_with('/')) continue;
    std::string path = fmt::format("{}/{}", directory, name);
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return base::not_found(fmt::format("{} is not in $PATH: mapping more than one's own id takes it (package uidmap)", name));
}

Result<> run_helper(std::string_view name, pid_t pid, std::span<const sys::IdRange> ranges) {
  sys::SpawnOptions options;
  options.path = TRY(find_helper(name));
  options.argv = {std::string{name}, fmt::format("{}", pid)};
  for (const auto& range : ranges) {
    for (const std::uint32_t number : {range.inside, range.outside, range.count}) options.argv.push_back(fmt::format("{}", number));
  }
  const UniqueFd output = TRY(sys::make_memory_file());
  options.fds = {{output.get(), 1}, {output.get(), 2}};
  const sys::ExitStatus status = TRY(TRY(sys::spawn(options)).wait());
  if (status.shell_code() == 0) return {};
  std::string text(1024, '\0');
  text.resize(TRY(sys::read_at(output.get(), text, 0)));
  return base::internal(fmt::format("{} failed: {}", name, base::trim(text)));
}

}  // namespace

Result<> map_ids(pid_t pid, std::span<const sys::IdRange> uids, std::span<const sys::IdRange> gids) {
  const bool plain_uids = is_own(uids, ::geteuid());
  const bool plain_gids = is_own(gids, ::getegid());
  if (::geteuid() == 0 || (plain_uids && plain_gids)) return sys::write_id_maps(pid, uids, gids);
  TRY(run_helper("newuidmap", pid, uids));
  return run_helper("newgidmap", pid, gids);
}

}  // namespace runtime::detail
