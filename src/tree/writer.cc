#include "tree/writer.h"

#include <algorithm>

#include <sys/sysmacros.h>

#include <fmt/format.h>

#include "base/strings.h"
#include "tree/names.h"
#include "tree/placer.h"
#include "sys/file.h"
#include "sys/node.h"

namespace tree {

using base::ErrorKind;
using base::Result;
using codec::TarEntry;
using codec::TarType;

namespace {

TarEntry entry_of(const struct ::stat& status, const std::string& path, TarType type) {
  TarEntry entry;
  entry.path = path;
  entry.type = type;
  entry.mode = status.st_mode & 07777U;
  entry.uid = status.st_uid;
  entry.gid = status.st_gid;
  // Whole seconds, as all builders of layers write them: fractions would cost each file a kilobyte.
  entry.mtime.tv_sec = status.st_mtim.tv_sec;
  return entry;
}

}  // namespace

Result<> Writer::put(const TarEntry& entry) {
  ++written_.entries;
  return tar_.add(entry);
}

Result<bool> Writer::take_xattrs(TarEntry& entry,
                                     std::vector<std::pair<std::string, std::string>> xattrs) const {
  bool opaque = false;
  for (auto& [name, value] : xattrs) {
    if (form_ == Form::OverlayToOci) {
      opaque = opaque || (name == kOverlayOpaque && value == "y");
      if (name == "trusted.overlay.redirect" || name == "trusted.overlay.metacopy") {
        return base::not_implemented(fmt::format(
            "it has {}: the snapshot was mounted by another program with redirect_dir or metacopy", name));
      }
    }
    if (rule_of(name) == XattrRule::Keep) entry.xattrs.emplace_back(std::move(name), std::move(value));
  }
  return opaque;
}

Result<> Writer::add_whiteout(const std::string& path, const struct ::timespec& mtime) {
  const Place place = split_path(path);
  TarEntry entry;
  entry.path =
      fmt::format("{}{}{}{}", place.folder, place.folder.empty() ? "" : "/", kWhiteoutPrefix, place.name);
  entry.mode = 0600;
  entry.mtime.tv_sec = mtime.tv_sec;
  return put(entry);
}

Result<> Writer::add(int dir, const std::string& name, const std::string& path, Below below) {
  if (left_out_.contains(path)) return {};
  const auto status = sys::stat_at(dir, name);
  if (status.failed_as(ErrorKind::NotFound)) return {};
  if (!status) return base::Error{status.error()};
  const auto done = [&]() -> Result<> {
    if (form_ == Form::OverlayToOci && is_whiteout(*status)) return add_whiteout(path, status->st_mtim);
    if (S_ISDIR(status->st_mode)) return add_directory(dir, name, *status, path, below);
    if (S_ISSOCK(status->st_mode)) return {};
    if (status->st_nlink > 1) {
      const auto [first, is_new] = linked_.try_emplace({status->st_dev, status->st_ino}, path);
      if (!is_new) {
        TarEntry entry = entry_of(*status, path, TarType::HardLink);
        entry.link_target = first->second;
        return put(entry);
      }
    }
    if (S_ISREG(status->st_mode)) return add_file(dir, name, *status, path);
    return add_other(dir, name, *status, path);
  }();
  // Somebody removed it, or put something else there, between two looks.
  if (done.failed_as(ErrorKind::NotFound)) return {};
  return done;
}

Result<> Writer::add_directory(int dir, const std::string& name, const struct ::stat& status,
                                   const std::string& path, Below below) {
  const sys::UniqueFd opened = TRY(sys::open_at(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  const std::string prefix = path.ends_with('/') ? path : path + "/";
  TarEntry entry = entry_of(status, prefix, TarType::Directory);
  auto xattrs = TRY(sys::xattrs_of(opened.get()));
  const bool opaque = TRY(take_xattrs(entry, std::move(xattrs)).context(base::quoted(path)));
  TRY(put(entry));
  if (opaque) {
    TarEntry marker = entry_of(status, prefix + std::string{kOpaqueMarker}, TarType::File);
    marker.mode = 0600;
    TRY(put(marker));
  }
  if (below == Below::No) return {};
  return add_children(opened.get(), prefix);
}

Result<> Writer::add_children(int dir, const std::string& path) {
  auto entries = TRY(sys::list_dir(dir));
  std::ranges::sort(entries, {}, &sys::DirEntry::name);
  for (const auto& entry : entries) TRY(add(dir, entry.name, path + entry.name, Below::Yes));
  return {};
}

Result<> Writer::add_file(int dir, const std::string& name, const struct ::stat& status,
                              const std::string& path) {
  const sys::UniqueFd file = TRY(sys::open_regular_at(dir, name));
  TarEntry entry = entry_of(status, path, TarType::File);
  entry.size = static_cast<std::uint64_t>(TRY(sys::stat_fd(file.get())).st_size);
  auto xattrs = TRY(sys::xattrs_of(file.get()));
  TRY(take_xattrs(entry, std::move(xattrs)).context(base::quoted(path)));
  TRY(put(entry));
  return add_content(file.get(), entry.size).context(base::quoted(path));
}

/// Exactly `size` bytes, whatever becomes of the file meanwhile.
Result<> Writer::add_content(int file, std::uint64_t size) {
  written_.content_bytes += size;
  std::uint64_t left = size;
  bool ended = false;
  while (left > 0) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left, buffer_.size()));
    std::size_t count = 0;
    if (!ended) count = TRY(sys::read_some(file, std::span{buffer_}.first(wanted)));
    if (count == 0) {
      ended = true;
      count = wanted;
      std::fill_n(buffer_.begin(), count, '\0');
    }
    TRY(tar_.write({buffer_.data(), count}));
    left -= count;
  }
  return {};
}

Result<> Writer::add_other(int dir, const std::string& name, const struct ::stat& status,
                               const std::string& path) {
  TarEntry entry = entry_of(status, path, TarType::Fifo);
  if (S_ISLNK(status.st_mode)) {
    entry.type = TarType::Symlink;
    entry.link_target = TRY(sys::read_link(dir, name));
  } else if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) {
    entry.type = S_ISCHR(status.st_mode) ? TarType::CharDevice : TarType::BlockDevice;
    entry.device_major = ::major(status.st_rdev);
    entry.device_minor = ::minor(status.st_rdev);
  }
  return put(entry);
}

Result<Written> Writer::finish() {
  TRY(tar_.finish());
  written_.tar_bytes = tar_.bytes();
  return written_;
}

}  // namespace tree
