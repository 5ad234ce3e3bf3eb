#include "cli/copy/patterns.h"

#include <sys/stat.h>

#include "sys/file.h"
#include "tree/glob.h"

namespace cli::copy {

using base::Result;

namespace {

constexpr std::size_t kMostPaths = 10'000;

}  // namespace

Result<std::vector<std::string>> matching_in_container(client::ContainerFiles& files, const Argument& source) {
  const std::vector<std::string> literal{source.path};
  if (!tree::has_pattern(source.path)) return literal;
  // A failed look says only its status: what is wrong beside a missing file, the copy itself tells.
  if (files.stat(source.container, source.path)) return literal;
  auto paths = files.expand(source.container, source.path);
  if (paths.failed_as(base::ErrorKind::NotFound)) return literal;
  auto found = TRY(std::move(paths));
  return found.empty() ? literal : found;
}

Result<std::vector<std::string>> matching_here(const std::string& path) {
  const std::vector<std::string> literal{path};
  if (path == "-" || !tree::has_pattern(path) || TRY(sys::exists(sys::kCwd, path))) return literal;
  const auto root = TRY(sys::open_dir(sys::kCwd, "/"));
  // Patterns in the working directory's own name are meant as they are.
  std::string pattern = path;
  if (!path.starts_with('/')) {
    pattern.clear();
    for (const char c : TRY(absolute("."))) {
      if (std::string_view{"*?[\\"}.find(c) != std::string_view::npos) pattern += '\\';
      pattern += c;
    }
    pattern += (pattern.ends_with('/') ? "" : "/") + path;
  }
  auto found = TRY(tree::expand(root.get(), pattern, kMostPaths));
  return found.empty() ? literal : found;
}

Result<bool> is_local_directory(const std::string& path) {
  const auto object = sys::open_at(sys::kCwd, path, O_PATH);
  if (!object) return object.failed_as(base::ErrorKind::NotFound) ? Result<bool>{false} : Result<bool>{object.error()};
  return S_ISDIR(TRY(sys::stat_fd(object->get())).st_mode);
}

}  // namespace cli::copy
