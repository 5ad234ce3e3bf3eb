#include "logs/detail/rotation.h"

#include <fmt/format.h>

#include "sys/crash_point.h"
#include "sys/file.h"

namespace logs::detail {
namespace {

using base::Result;

Result<> remove_if_there(const std::string& path) {
  auto removed = sys::unlink_at(sys::kCwd, path);
  if (removed.failed_as(base::ErrorKind::NotFound)) return {};
  return removed;
}

Result<> rename_if_there(const std::string& from, const std::string& to) {
  auto renamed = sys::rename_at(sys::kCwd, from, sys::kCwd, to);
  if (renamed.failed_as(base::ErrorKind::NotFound)) return {};
  return renamed;
}

}  // namespace

std::string rotated_name(const std::string& path, unsigned index) {
  return index == 0 ? path : fmt::format("{}.{}", path, index);
}

Result<> rotate(const std::string& path, unsigned max_files) {
  if (max_files == 1) return remove_if_there(path);
  // Up to the first free number, not to `max_files`: that may be a million.
  unsigned last = 1;
  while (last < max_files - 1) {
    const std::string name = rotated_name(path, last);
    if (!TRY(sys::exists(sys::kCwd, name)) && !TRY(sys::exists(sys::kCwd, name + ".gz"))) break;
    ++last;
  }
  TRY(remove_if_there(rotated_name(path, last)));
  TRY(remove_if_there(rotated_name(path, last) + ".gz"));
  for (unsigned index = last; index > 0; --index) {
    const std::string from = rotated_name(path, index - 1);
    const std::string to = rotated_name(path, index);
    TRY(rename_if_there(from, to));
    if (index > 1) TRY(rename_if_there(from + ".gz", to + ".gz"));
    CRASH_POINT("logs.rotate.renamed");
  }
  return {};
}

}  // namespace logs::detail
