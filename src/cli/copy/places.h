#pragma once
/// `docker cp`'s rules about its two paths: what a last "/" or "/." means, which folder an archive is unpacked in,
/// and under which name. Source: docker's reference of `docker container cp`. Pure, but for `local_source` and
/// `local_destination`, which look at the disk.

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cli::copy {

/// "container:path", or a path of this machine: one that begins with "/" or whose part before ':' with ".".
struct Argument {
  std::string container;  ///< "" : here
  std::string path;
};
[[nodiscard]] Argument parse_argument(std::string_view text);

/// One end of a copy, as far as it is known.
struct Place {
  std::string path;
  bool exists = false, directory = false;
  std::string rebase_name;  ///< what the source is to be called in the archive instead of its last component
};

/// As Go's path/filepath: "" → ".", no "//", "." or ".." inside.
[[nodiscard]] std::string clean(std::string_view path);
[[nodiscard]] std::string join(std::string_view folder, std::string_view path);
/// Folder and last component; "a/." → {"a", "."}.
struct Split {
  std::string folder, base;
};
[[nodiscard]] Split split(std::string_view path);
[[nodiscard]] std::string base_name(std::string_view path);
/// A path that a link led to gets the last "/" or "/." of the path with the link, and the old name as its rebase name.
[[nodiscard]] Place follow(std::string_view path, std::string target);

/// Absolute, with its last "/" or "/.". Errors: the working directory's.
base::Result<std::string> absolute(const std::string& path);
/// Errors: NotFound "lstat x: no such file or directory", as Go prints it.
base::Result<Place> local_source(const std::string& path, bool follow_link);
/// Its folder must be there. Links are followed, since what they lead to is meant.
base::Result<Place> local_destination(const std::string& path);
/// Neither a device nor a socket, and in a folder that is there.
base::Result<> check_output(const std::string& path);
base::Result<> check_output_mode(std::uint32_t go_mode);

/// How the archive of `source` gets to `destination`.
struct Plan {
  std::string folder;  ///< to unpack in
  /// The first `from` in each name becomes `to`; nothing: names stay.
  std::optional<std::pair<std::string, std::string>> rename;
};
/// Errors: "cannot copy directory", "no such directory".
base::Result<Plan> plan(const Place& source, const Place& destination);
/// A name of the archive by the plan.
[[nodiscard]] std::string renamed(const Plan& plan, std::string name);

}  // namespace cli::copy
