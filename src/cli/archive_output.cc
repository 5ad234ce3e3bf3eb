#include "cli/archive_output.h"

#include <fmt/format.h>

#include "base/id.h"
#include "base/scope_guard.h"
#include "cli/container/environment.h"
#include "cli/progress/meter.h"
#include "sys/fd_stream.h"
#include "sys/file.h"

namespace cli {

using base::Result;

namespace {

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Result<> check_archive_output(Cli& cli, const std::string& path, const std::string& intent) {
  if (path.empty()) {
    if (!cli.out().is_terminal()) return {};
    return base::invalid("cowardly refusing to save to a terminal. Use the -o flag or redirect");
  }
  const std::string folder = folder_of(path);
  const auto parent = sys::stat_at(sys::kCwd, folder + "/.");
  if (!parent) {
    return open_failure(folder, parent.error(), "stat").context(intent + ": invalid output path");
  }
  if (const auto there = sys::stat_at(sys::kCwd, path); there && S_ISDIR(there->st_mode)) {
    return base::invalid(intent + ": cannot write to a directory");
  }
  return {};
}

Result<> write_archive(Cli& cli, base::ByteSource& source, const std::string& path) {
  Meter meter{cli.err(), "Writing the archive"};
  MeteredSource archive{source, meter};
  if (path.empty()) {
    sys::FdSink sink{TRY(sys::duplicate(cli.out().fd()))};
    TRY(base::copy(archive, sink));
    return {};
  }
  const auto there = sys::stat_at(sys::kCwd, path);
  if (there && !S_ISREG(there->st_mode)) {
    auto target = sys::open_at(sys::kCwd, path, O_WRONLY);
    if (!target) return open_failure(path, target.error());
    sys::FdSink sink{std::move(*target)};
    TRY(base::copy(archive, sink));
    return {};
  }
  const std::string temporary = fmt::format("{}/.caisson-save-{}", folder_of(path), base::random_hex(12));
  auto file = sys::open_at(sys::kCwd, temporary, O_WRONLY | O_CREAT | O_EXCL, 0600);
  if (!file) return open_failure(temporary, file.error());
  base::ScopeGuard undo{[&] { base::ignore(sys::unlink_at(sys::kCwd, temporary), "the failure is reported"); }};
  sys::FdSink sink{std::move(*file)};
  TRY(base::copy(archive, sink));
  TRY(sys::rename_at(sys::kCwd, temporary, sys::kCwd, path));
  undo.release();
  return {};
}

}  // namespace cli
