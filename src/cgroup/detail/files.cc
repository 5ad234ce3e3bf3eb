#include "cgroup/detail/files.h"

#include <algorithm>

#include "base/strings.h"
#include "sys/file.h"

namespace cgroup::detail {

using base::Result;

namespace {

std::string join(const std::string& directory, std::string_view file) {
  std::string path;
  path.reserve(directory.size() + 1 + file.size());
  return path.append(directory).append("/").append(file);
}

}  // namespace

Result<std::string> read(const std::string& directory, std::string_view file) {
  return sys::read_file(sys::kCwd, join(directory, file));
}

Result<std::optional<std::string>> read_if_there(const std::string& directory, std::string_view file) {
  auto text = read(directory, file);
  if (text.failed_as(base::ErrorKind::NotFound)) return std::optional<std::string>{};
  return std::optional{TRY(std::move(text))};
}

Result<> write(const std::string& directory, std::string_view file, std::string_view text) {
  return sys::write_file(sys::kCwd, join(directory, file), text);
}

Result<bool> has_file(const std::string& directory, std::string_view file) {
  return sys::exists(sys::kCwd, join(directory, file));
}

Result<bool> has_controller(const std::string& directory, std::string_view controller) {
  const std::string text = TRY(read_if_there(directory, "cgroup.controllers")).value_or("");
  const auto names = base::split_words(base::trim(text));
  return std::ranges::find(names, controller) != names.end();
}

std::uint64_t to_number(std::string_view text) {
  const auto trimmed = base::trim(text);
  if (trimmed == "max") return UINT64_MAX;
  return base::parse_uint(trimmed).value_or(0);
}

Result<std::uint64_t> read_number(const std::string& directory, std::string_view file) {
  const std::string text = TRY(read(directory, file));
  return to_number(text);
}

std::uint64_t number_or_zero(const std::string& directory, std::string_view file) {
  const auto text = read(directory, file);
  return text ? to_number(*text) : 0;
}

std::map<std::string, std::uint64_t> read_table(const std::string& directory, std::string_view file) {
  std::map<std::string, std::uint64_t> table;
  const auto text = read(directory, file);
  if (!text) return table;
  for (const auto line : base::split_words(*text, '\n')) {
    if (const auto parts = base::cut(line, " ")) table.emplace(parts->first, to_number(parts->second));
  }
  return table;
}

}  // namespace cgroup::detail
