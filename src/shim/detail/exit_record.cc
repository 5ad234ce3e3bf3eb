#include "shim/detail/exit_record.h"

#include "base/time.h"
#include "sys/file.h"

namespace shim::detail {

using base::Result;

Exit make_exit(const sys::ExitStatus& status) {
  Exit exit;
  exit.code = status.shell_code();
  exit.signal = status.signal();
  exit.finished_at = base::to_rfc3339(base::now());
  return exit;
}

Exit make_failure(const base::Error& error) {
  Exit exit;
  exit.code = exit_code_of_failure(error);
  exit.error = error.message();
  exit.finished_at = base::to_rfc3339(base::now());
  return exit;
}

Result<> write_exit(const std::string& path, const Exit& exit) {
  return sys::write_file_atomic(sys::kCwd, path, codec::to_json(exit).dump(), 0600).context("record the exit");
}

Result<std::optional<Exit>> read_exit_file(const std::string& path) {
  auto text = sys::read_file(sys::kCwd, path);
  if (text.failed_as(base::ErrorKind::NotFound)) return std::optional<Exit>{};
  return std::optional{TRY(codec::from_json_text<Exit>(TRY(std::move(text))).context(path))};
}

}  // namespace shim::detail
