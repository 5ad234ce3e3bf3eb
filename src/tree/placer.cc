#include "tree/placer.h"

#include <algorithm>
#include <cerrno>

#include <sys/stat.h>

#include <fmt/format.h>

#include "base/strings.h"
#include "sys/crash_point.h"
#include "sys/file.h"
#include "sys/node.h"
#include "sys/storage.h"

namespace tree {

using base::Error;
using base::ErrorKind;
using base::Result;
using codec::TarEntry;
using codec::TarType;

namespace {

/// From this size on the kernel is told to begin writing a file when it is complete, so that the sync
/// at the end does not begin with everything.
constexpr std::uint64_t kEarlyWriteback = std::uint64_t{1} << 20U;

bool failed_with(const auto& result, int error) { return !result && result.error().errno_value() == error; }

}  // namespace

bool is_whiteout(const struct ::stat& status) { return S_ISCHR(status.st_mode) && status.st_rdev == 0; }

Result<> apply_xattrs(int fd, const std::vector<std::pair<std::string, std::string>>& xattrs) {
  for (const auto& [name, value] : xattrs) {
    switch (rule_of(name)) {
      case XattrRule::Keep: TRY(sys::set_xattr(fd, name, value)); break;
      case XattrRule::Ignore: break;
      case XattrRule::Refuse: return base::invalid(fmt::format("extended attribute {} is not allowed", name));
    }
  }
  return {};
}

// Folders -------------------------------------------------------------------------------------------

/// Their names may lead elsewhere now. The descriptors stay: the present entry may be using one.
void Placer::forget_folders() {
  for (auto& folder : folders_) folder.path = "/";
}

Result<int> Placer::open_folder(std::string_view path, Missing missing) {
  if (path.empty()) return root_;
  CachedDir* oldest = folders_.data();
  for (auto& folder : folders_) {
    if (folder.fd.valid() && folder.path == path) {
      folder.used = ++clock_;
      return folder.fd.get();
    }
    if (folder.used < oldest->used) oldest = &folder;
  }
  auto opened = sys::open_in_root(root_, std::string{path}, O_PATH | O_DIRECTORY);
  const bool in_the_way = failed_with(opened, ENOENT) || failed_with(opened, ENOTDIR);
  if (in_the_way && missing == Missing::Create) opened = walk(path);
  oldest->fd = TRY(std::move(opened));
  oldest->path = path;
  oldest->used = ++clock_;
  return oldest->fd.get();
}

/// Component by component, making what is missing.
Result<sys::UniqueFd> Placer::walk(std::string_view path) {
  sys::UniqueFd here = TRY(sys::open_in_root(root_, "/", O_PATH | O_DIRECTORY));
  std::size_t end = 0;
  while (end < path.size()) {
    const std::size_t begin = end == 0 ? 0 : end + 1;
    end = std::min(path.find('/', begin), path.size());
    auto next = sys::open_in_root(root_, std::string{path.substr(0, end)}, O_PATH | O_DIRECTORY);
    if (failed_with(next, ENOENT) || failed_with(next, ENOTDIR)) {
      next = make_folder_on_way(here.get(), std::string{path.substr(begin, end - begin)});
    }
    here = TRY(std::move(next));
  }
  return here;
}

/// A folder that the archive has no entry for (yet).
Result<sys::UniqueFd> Placer::make_folder_on_way(int dir, const std::string& name) {
  bool hides_lower = false;
  const auto there = sys::stat_at(dir, name);
  if (there && whiteouts_ == Whiteouts::ToOverlay && is_whiteout(*there)) {
    TRY(sys::unlink_at(dir, name));
    hides_lower = true;
  } else if (there) {
    return base::invalid(fmt::format("{} is no directory", base::quoted(name)));
  }
  TRY(sys::make_dir(dir, name, 0755));
  TRY(sys::set_mode_at(dir, name, 0755));
  if (options_.owner == PlaceOptions::Owner::Given) TRY(sys::set_owner_at(dir, name, options_.uid, options_.gid));
  sys::UniqueFd made = TRY(sys::open_beneath_no_symlinks(dir, name, O_PATH | O_DIRECTORY));
  if (hides_lower) TRY(make_opaque(made.get()));
  return made;
}

Result<> Placer::make_opaque(int dir) { return sys::set_xattr(dir, kOverlayOpaque, "y"); }

/// Removes what stands where a new object goes.
Result<> Placer::make_room(const Target& target, TarType type) {
  const auto there = sys::stat_at(target.dir, target.name);
  if (there.failed_as(ErrorKind::NotFound)) return {};
  if (!there) return Error{there.error()};
  const bool directory = S_ISDIR(there->st_mode);
  if (options_.keep_kinds && directory != (type == TarType::Directory)) {
    const std::string_view is = directory ? "directory" : "non-directory";
    const std::string_view wanted = directory ? "non-directory" : "directory";
    return base::invalid(
        fmt::format("cannot overwrite {} {} with {} {}", is, base::quoted("/" + target.path), wanted,
                    base::quoted("/" + options_.folder)));
  }
  if (directory || S_ISLNK(there->st_mode)) forget_folders();
  return sys::remove_tree(target.dir, target.name);
}

// Entries -------------------------------------------------------------------------------------------

Result<> Placer::own(int fd, const TarEntry& entry) const {
  if (options_.owner == PlaceOptions::Owner::Caller) return {};
  const bool given = options_.owner == PlaceOptions::Owner::Given;
  return sys::set_owner(fd, given ? options_.uid : entry.uid, given ? options_.gid : entry.gid);
}

Result<> Placer::own_at(const Target& target, const TarEntry& entry) const {
  if (options_.owner == PlaceOptions::Owner::Caller) return {};
  const bool given = options_.owner == PlaceOptions::Owner::Given;
  return sys::set_owner_at(target.dir, target.name, given ? options_.uid : entry.uid,
                           given ? options_.gid : entry.gid);
}

Result<> Placer::set_xattrs(int fd, const TarEntry& entry) const {
  auto set = apply_xattrs(fd, entry.xattrs);
  const bool may_lack = options_.owner == PlaceOptions::Owner::Caller;
  if (may_lack && (failed_with(set, EPERM) || failed_with(set, EACCES) || failed_with(set, EOPNOTSUPP))) return {};
  return set;
}

Result<std::string> Placer::path_of(const std::string& name) const {
  std::string path = TRY(clean_path(name, options_.path_bytes));
  if (options_.folder.empty()) return path;
  return path.empty() ? options_.folder : options_.folder + "/" + path;
}

Result<> Placer::place(const TarEntry& entry, codec::TarContent& content) {
  Target target;
  target.path = TRY(path_of(entry.path));
  if (target.path == options_.folder) return place_root(entry);
  const Place split = split_path(target.path);
  target.name = split.name;
  const bool whiteouts = whiteouts_ == Whiteouts::ToOverlay;
  const bool marker = whiteouts && split.name.starts_with(kWhiteoutPrefix);
  if (whiteouts && split.name != kOpaqueMarker &&
      (split.name.starts_with(kWhiteoutMetaPrefix) || target.path.starts_with(kWhiteoutMetaPrefix))) {
    return {};
  }
  target.dir = TRY(open_folder(split.folder, Missing::Create));
  if (marker) return place_whiteout(target);
  switch (entry.type) {
    case TarType::Directory: return place_directory(target, entry);
    case TarType::File: return place_file(target, entry, content);
    case TarType::Symlink: return place_symlink(target, entry);
    case TarType::HardLink: return place_hard_link(target, entry);
    case TarType::CharDevice:
    case TarType::BlockDevice:
    case TarType::Fifo: return place_node(target, entry);
  }
  return {};
}

Result<> Placer::place_root(const TarEntry& entry) {
  if (entry.type != TarType::Directory) {
    return base::invalid(fmt::format("the root can't be a {}", codec::name_of(entry.type)));
  }
  if (!options_.describe_root) return {};
  describes_root_ = true;
  const std::string place = options_.folder.empty() ? "." : options_.folder;
  const sys::UniqueFd root = TRY(sys::open_beneath_no_symlinks(root_, place, O_RDONLY | O_DIRECTORY));
  TRY(own(root.get(), entry));
  TRY(sys::set_mode(root.get(), entry.mode));
  TRY(set_xattrs(root.get(), entry));
  times_.push_back({options_.folder, entry.mtime});
  return {};
}

Result<> Placer::place_whiteout(const Target& target) {
  if (target.name == kOpaqueMarker) return make_opaque(target.dir);
  const std::string hidden = target.name.substr(kWhiteoutPrefix.size());
  if (hidden.empty() || hidden == "." || hidden == "..") return base::invalid("a whiteout of no file");
  const auto there = sys::stat_at(target.dir, hidden);
  if (there.failed_as(ErrorKind::NotFound)) return sys::make_node(target.dir, hidden, S_IFCHR, 0, 0);
  if (!there) return Error{there.error()};
  // A whiteout speaks of lower layers only. What this layer itself has under the name stays; only of
  // a directory overlayfs would show the lower one's files too.
  if (!S_ISDIR(there->st_mode)) return {};
  const sys::UniqueFd dir = TRY(sys::open_beneath_no_symlinks(target.dir, hidden, O_PATH | O_DIRECTORY));
  return make_opaque(dir.get());
}

Result<> Placer::place_directory(const Target& target, const TarEntry& entry) {
  auto made = sys::make_dir(target.dir, target.name, 0700);
  bool hides_lower = false;
  if (failed_with(made, EEXIST)) {
    const struct ::stat there = TRY(sys::stat_at(target.dir, target.name));
    if (!S_ISDIR(there.st_mode)) {
      hides_lower = whiteouts_ == Whiteouts::ToOverlay && is_whiteout(there);
      TRY(make_room(target, entry.type));
      TRY(sys::make_dir(target.dir, target.name, 0700));
    }
  } else {
    TRY(std::move(made));
  }
  const sys::UniqueFd dir =
      TRY(sys::open_beneath_no_symlinks(target.dir, target.name, O_RDONLY | O_DIRECTORY));
  TRY(own(dir.get(), entry));
  TRY(sys::set_mode(dir.get(), entry.mode));
  TRY(set_xattrs(dir.get(), entry));
  if (hides_lower) TRY(make_opaque(dir.get()));
  times_.push_back({target.path, entry.mtime});
  return {};
}

Result<> Placer::place_file(const Target& target, const TarEntry& entry, codec::TarContent& content) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
  auto created = sys::open_at(target.dir, target.name, kFlags, 0600);
  if (failed_with(created, EEXIST)) {
    TRY(make_room(target, entry.type));
    created = sys::open_at(target.dir, target.name, kFlags, 0600);
  }
  const sys::UniqueFd file = TRY(std::move(created));
  TRY(write_content(file.get(), entry, content));
  // Writing and chown drop setuid and capabilities, so the order matters.
  TRY(own(file.get(), entry));
  TRY(sys::set_mode(file.get(), entry.mode));
  TRY(set_xattrs(file.get(), entry));
  return sys::set_times(file.get(), entry.mtime);
}

Result<> Placer::write_content(int file, const TarEntry& entry, codec::TarContent& content) {
  codec::TarBlock block;
  std::uint64_t end = 0;
  while (true) {
    const bool more = TRY(content.next_block(block));
    if (!more) break;
    if (block.offset < end || block.offset + block.bytes.size() > entry.size) {
      return base::invalid("its parts overlap or pass its size");
    }
    TRY(sys::inject("layer.write"));
    TRY(sys::write_all_at(file, block.bytes, block.offset));
    end = block.offset + block.bytes.size();
    content_bytes_ += block.bytes.size();
  }
  if (end < entry.size) TRY(sys::truncate_file(file, entry.size));
  if (end >= kEarlyWriteback) sys::start_writeback(file, 0, 0);
  return {};
}

Result<> Placer::place_symlink(const Target& target, const TarEntry& entry) {
  if (entry.link_target.empty()) return base::invalid("a symlink to nothing");
  if (entry.link_target.find('\0') != std::string::npos) return base::invalid("the target has a NUL byte");
  auto made = sys::symlink_at(entry.link_target, target.dir, target.name);
  if (failed_with(made, EEXIST)) {
    TRY(make_room(target, entry.type));
    made = sys::symlink_at(entry.link_target, target.dir, target.name);
  }
  TRY(std::move(made));
  TRY(own_at(target, entry));
  return sys::set_times_at(target.dir, target.name, entry.mtime);
}

Result<> Placer::place_hard_link(const Target& target, const TarEntry& entry) {
  const std::string from = TRY(path_of(entry.link_target).context("hard link to " + base::quoted(entry.link_target)));
  if (from == options_.folder) return base::invalid("a hard link to the root");
  if (from == target.path) return base::invalid("a hard link to itself");
  const Place split = split_path(from);
  const std::string name{split.name};
  const auto intent = "hard link to " + base::quoted(entry.link_target);
  // `target.dir` was used last, so the cache does not let go of it for this one.
  const int from_dir = TRY(open_folder(split.folder, Missing::Fail).context(intent));
  auto made = sys::hard_link(from_dir, name, target.dir, target.name);
  if (failed_with(made, EEXIST)) {
    TRY(make_room(target, entry.type));
    made = sys::hard_link(from_dir, name, target.dir, target.name);
  }
  return std::move(made).context(intent);
}

Result<> Placer::place_node(const Target& target, const TarEntry& entry) {
  const mode_t type = entry.type == TarType::CharDevice    ? S_IFCHR
                      : entry.type == TarType::BlockDevice ? S_IFBLK
                                                           : S_IFIFO;
  auto made = sys::make_node(target.dir, target.name, type | 0600U, entry.device_major, entry.device_minor);
  if (failed_with(made, EEXIST)) {
    TRY(make_room(target, entry.type));
    made = sys::make_node(target.dir, target.name, type | 0600U, entry.device_major, entry.device_minor);
  }
  TRY(std::move(made));
  TRY(own_at(target, entry));
  TRY(sys::set_mode_at(target.dir, target.name, entry.mode));
  return sys::set_times_at(target.dir, target.name, entry.mtime);
}

Result<> Placer::finish() {
  for (const auto& [path, mtime] : times_) {
    const std::string place = path.empty() ? "." : path;
    const auto dir = sys::open_in_root(root_, place, O_PATH | O_DIRECTORY | O_NOFOLLOW);
    if (!dir) {
      // A later entry put something else there, or the way to it.
      const int error = dir.error().errno_value();
      if (error == ENOENT || error == ENOTDIR || error == ELOOP) continue;
      return Error{dir.error()};
    }
    TRY(sys::set_times_at(dir->get(), "", mtime).context(base::quoted(place)));
  }
  return {};
}

}  // namespace tree
