#pragma once
/// Reading and writing the small text files of a cgroup directory.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cgroup::detail {

base::Result<std::string> read(const std::string& directory, std::string_view file);
/// nullopt when the file is not there.
base::Result<std::optional<std::string>> read_if_there(const std::string& directory, std::string_view file);
base::Result<> write(const std::string& directory, std::string_view file, std::string_view text);
/// v2: whether the parent hands this controller down to the directory.
base::Result<bool> has_controller(const std::string& directory, std::string_view controller);
base::Result<bool> has_file(const std::string& directory, std::string_view file);

/// A file of one number; "max" is UINT64_MAX.
base::Result<std::uint64_t> read_number(const std::string& directory, std::string_view file);
/// 0 when the file is not there or holds no number.
std::uint64_t number_or_zero(const std::string& directory, std::string_view file);
[[nodiscard]] std::uint64_t to_number(std::string_view text);

/// Lines of "name value". Empty when the file is not there.
std::map<std::string, std::uint64_t> read_table(const std::string& directory, std::string_view file);

}  // namespace cgroup::detail
