#include "logs/detail/segments.h"

#include <algorithm>

#include "base/strings.h"
#include "logs/detail/rotation.h"
#include "sys/file.h"

namespace logs::detail {
namespace {

using base::Result;

/// The highest number that a rotated file in the directory has.
Result<unsigned> highest_number(const std::string& path) {
  const std::string prefix = path.substr(path.rfind('/') + 1) + ".";
  unsigned highest = 0;
  const sys::UniqueFd directory = TRY(sys::open_dir(sys::kCwd, directory_of(path)));
  for (const auto& entry : TRY(sys::list_dir(directory.get()))) {
    std::string_view name = entry.name;
    if (!name.starts_with(prefix)) continue;
    name.remove_prefix(prefix.size());
    if (name.ends_with(".gz")) name.remove_suffix(3);
    if (const auto number = base::parse_uint(name); number && *number < 1'000'000) {
      highest = std::max(highest, static_cast<unsigned>(*number));
    }
  }
  return highest;
}

FileId id_of(const struct ::stat& status) { return {status.st_dev, status.st_ino}; }

/// nullopt if it is not there.
Result<std::optional<Segment>> open_segment(const std::string& name, bool compressed) {
  auto file = sys::open_at(sys::kCwd, name, O_RDONLY);
  if (file.failed_as(base::ErrorKind::NotFound)) return std::optional<Segment>{};
  sys::UniqueFd opened = TRY(std::move(file).context("open a log"));
  const FileId id = id_of(TRY(sys::stat_fd(opened.get())));
  return std::optional{Segment{std::move(opened), id, compressed}};
}

}  // namespace

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

Result<std::vector<Segment>> open_segments(const std::string& path, std::optional<FileId> after) {
  std::vector<Segment> found;
  auto listed = highest_number(path);
  if (listed.failed_as(base::ErrorKind::NotFound)) return found;
  const unsigned highest = TRY(std::move(listed));
  for (unsigned index = 0;; ++index) {
    const std::string name = rotated_name(path, index);
    auto segment = TRY(open_segment(name, false));
    if (!segment && index > 0) segment = TRY(open_segment(name + ".gz", true));
    if (!segment) {
      if (index >= highest) break;
      continue;
    }
    if (after && segment->id == *after) break;
    const bool seen = std::ranges::any_of(found, [&](const Segment& other) { return other.id == segment->id; });
    if (!seen) found.push_back(std::move(*segment));
  }
  std::ranges::reverse(found);
  return found;
}

Result<std::optional<FileId>> current_file(const std::string& path) {
  auto status = sys::stat_at(sys::kCwd, path);
  if (status.failed_as(base::ErrorKind::NotFound)) return std::optional<FileId>{};
  return std::optional{id_of(TRY(std::move(status)))};
}

}  // namespace logs::detail
