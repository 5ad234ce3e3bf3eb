#include "cli/copy/places.h"

#include <cerrno>
#include <vector>

#include <fmt/format.h>

#include "base/strings.h"
#include "cli/container/environment.h"
#include "spec/engine/archive.h"
#include "sys/credentials.h"
#include "sys/file.h"

namespace cli::copy {

using base::Result;

namespace {

constexpr int kMaxLinks = 10;

bool asserts_current(std::string_view path) { return base_name(path) == "."; }
bool has_last_slash(std::string_view path) { return path.ends_with('/'); }

/// Every link on the way followed, as Go's EvalSymlinks. The kernel knows the answer.
Result<std::string> without_links(const std::string& path) {
  const auto object = sys::open_at(sys::kCwd, path, O_PATH);
  if (!object) return open_failure(path, object.error(), "lstat");
  return sys::read_link(sys::kCwd, sys::proc_path(object->get()));
}

Result<struct ::stat> lstat(const std::string& path) {
  auto status = sys::stat_at(sys::kCwd, path);
  if (!status) return open_failure(path, status.error(), "lstat");
  return status;
}

}  // namespace

Argument parse_argument(std::string_view text) {
  const auto parts = base::cut(text, ":");
  if (text.starts_with('/') || !parts || parts->first.starts_with('.')) return {{}, std::string{text}};
  return {std::string{parts->first}, std::string{parts->second}};
}

std::string clean(std::string_view path) {
  const bool rooted = path.starts_with('/');
  std::vector<std::string_view> parts;
  for (const auto part : base::split_words(path, '/')) {
    if (part == ".") continue;
    if (part == ".." && !parts.empty() && parts.back() != "..") {
      parts.pop_back();
    } else if (part != ".." || !rooted) {
      parts.push_back(part);
    }
  }
  std::string out = rooted ? "/" : "";
  for (const auto part : parts) {
    if (!out.empty() && !out.ends_with('/')) out += '/';
    out += part;
  }
  return out.empty() ? "." : out;
}

std::string join(std::string_view folder, std::string_view path) {
  return clean(fmt::format("{}/{}", folder, path));
}

std::string base_name(std::string_view path) {
  if (path.empty()) return ".";
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  if (path == "/") return "/";
  return std::string{path.substr(path.rfind('/') + 1)};
}

Split split(std::string_view path) {
  const std::string cleaned = clean(path);
  if (asserts_current(path)) return {cleaned, "."};
  const auto slash = cleaned.rfind('/');
  if (slash == std::string::npos) return {".", cleaned};
  return {slash == 0 ? "/" : cleaned.substr(0, slash), base_name(cleaned)};
}

Place follow(std::string_view path, std::string target) {
  if (asserts_current(path) && !asserts_current(target)) target += "/.";
  if (has_last_slash(path) && !has_last_slash(target)) target += "/";
  Place place{.path = std::move(target)};
  if (base_name(path) != base_name(place.path)) place.rebase_name = base_name(path);
  return place;
}

Result<std::string> absolute(const std::string& path) {
  const std::string whole = path.starts_with('/') ? clean(path) : join(TRY(sys::working_directory()), path);
  if (asserts_current(path) && !asserts_current(whole)) return whole.ends_with('/') ? whole + "." : whole + "/.";
  if (has_last_slash(path) && !has_last_slash(whole)) return whole + "/";
  return whole;
}

Result<Place> local_source(const std::string& path, bool follow_link) {
  Place place;
  if (follow_link) {
    place = follow(path, TRY(without_links(path)));
  } else {
    const auto slash = path.rfind('/');
    const std::string folder = TRY(without_links(path.substr(0, slash + 1)));
    place.path = (folder == "/" ? "" : folder) + "/" + path.substr(slash + 1);
    if (has_last_slash(path) && base_name(path) != base_name(place.path)) place.rebase_name = base_name(path);
  }
  place.exists = true;
  place.directory = S_ISDIR(TRY(lstat(place.path)).st_mode);
  return place;
}

Result<Place> local_destination(const std::string& path) {
  Place place{.path = path};
  auto status = sys::stat_at(sys::kCwd, path);
  for (int links = 0; status && S_ISLNK(status->st_mode); ++links) {
    if (links > kMaxLinks) return base::invalid("too many symlinks in " + path);
    // Not by TRY: at -O2, g++ 12 takes a string that came out of it here for uninitialized.
    auto target = sys::read_link(sys::kCwd, clean(place.path));
    if (!target) return std::move(target).error();
    place.path = target->starts_with('/') ? *target : join(split(place.path).folder, *target);
    status = sys::stat_at(sys::kCwd, place.path);
  }
  if (status) {
    place.exists = true;
    place.directory = S_ISDIR(status->st_mode);
    return place;
  }
  if (!status.error().is(base::ErrorKind::NotFound)) return open_failure(place.path, status.error(), "lstat");
  const std::string folder = split(place.path).folder;
  const auto parent = sys::open_at(sys::kCwd, folder, O_PATH);
  if (!parent) return open_failure(folder, parent.error(), "stat");
  if (!S_ISDIR(TRY(sys::stat_fd(parent->get())).st_mode)) return base::invalid("not a directory");
  return place;
}

Result<> check_output_mode(std::uint32_t go_mode) {
  if ((go_mode & spec::api::go_mode::kDevice) != 0) return base::invalid("got a device");
  return {};
}

Result<> check_output(const std::string& path) {
  const std::string folder = split(clean(path)).folder;
  if (const auto parent = sys::exists(sys::kCwd, folder); parent && !*parent) {
    return base::not_found(fmt::format("invalid output path: directory {} does not exist", base::quoted(folder)));
  }
  const auto there = sys::open_at(sys::kCwd, path, O_PATH);
  if (!there) return {};
  const struct ::stat status = TRY(sys::stat_fd(there->get()));
  if (!S_ISCHR(status.st_mode) && !S_ISBLK(status.st_mode)) return {};
  return check_output_mode(spec::api::go_mode::kDevice)
      .context(fmt::format("invalid output path: {} must be a directory or a regular file", base::quoted(path)));
}

Result<Plan> plan(const Place& source, const Place& destination) {
  if (destination.exists && destination.directory) return Plan{.folder = destination.path, .rename = {}};
  if (destination.exists && source.directory) return base::invalid("cannot copy directory");
  const bool asserts_directory = has_last_slash(destination.path) || asserts_current(destination.path);
  if (!destination.exists && !source.directory && asserts_directory) return base::invalid("no such directory");
  const Split to = split(destination.path);
  std::string from = source.rebase_name.empty() ? split(source.path).base : source.rebase_name;
  // All names in an archive of the root begin with "/".
  if (from == "/") from.clear();
  return Plan{.folder = to.folder, .rename = std::pair{std::move(from), to.base}};
}

std::string renamed(const Plan& plan, std::string name) {
  if (!plan.rename) return name;
  const auto at = name.find(plan.rename->first);
  if (at != std::string::npos) name.replace(at, plan.rename->first.size(), plan.rename->second);
  return name;
}

}  // namespace cli::copy
