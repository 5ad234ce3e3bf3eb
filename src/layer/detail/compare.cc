#include "layer/detail/compare.h"

#include <algorithm>
#include <map>
#include <optional>

#include "tree/names.h"
#include "tree/placer.h"
#include "sys/file.h"
#include "sys/node.h"

namespace layer::detail {

using base::Error;
using base::ErrorKind;
using base::Result;

namespace {

constexpr const char* kCapability = "security.capability";

/// Changes by path; the order of a map of "/a/b" is not the tree's, so '/' sorts first.
struct TreeOrder {
  bool operator()(const std::string& a, const std::string& b) const {
    return std::ranges::lexicographical_compare(a, b, {}, rank, rank);
  }
  static int rank(char c) { return c == '/' ? -1 : static_cast<unsigned char>(c); }
};

class Changes {
 public:
  void add(const std::string& path, ChangeKind kind) {
    found_.insert_or_assign(path, kind);
    // Whoever lists a file expects its directories before it.
    for (auto slash = path.rfind('/'); slash != 0 && slash != std::string::npos;
         slash = path.rfind('/', slash - 1)) {
      if (!found_.try_emplace(path.substr(0, slash), ChangeKind::Modified).second) break;
    }
  }
  std::vector<Change> take() && {
    std::vector<Change> out;
    for (const auto& [path, kind] : found_) out.push_back({path, kind});
    return out;
  }

 private:
  std::map<std::string, ChangeKind, TreeOrder> found_;
};

using Status = std::optional<struct ::stat>;

Result<Status> stat_if_there(int dir, const std::string& name) {
  if (dir < 0) return Status{};
  const auto status = sys::stat_at(dir, name);
  if (status) return Status{*status};
  const int error = status.error().errno_value();
  if (error == ENOENT || error == ENOTDIR) return Status{};
  return Error{status.error()};
}

bool same_attributes(const struct ::stat& a, const struct ::stat& b) {
  return a.st_mode == b.st_mode && a.st_uid == b.st_uid && a.st_gid == b.st_gid;
}
bool same_time(const struct ::stat& a, const struct ::stat& b) {
  return a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

/// Both directories, or both something else.
Result<bool> is_same(int old_dir, int new_dir, const std::string& name, const struct ::stat& a,
                     const struct ::stat& b) {
  if (!same_attributes(a, b)) return false;
  if (S_ISDIR(a.st_mode)) return true;
  if (a.st_size != b.st_size || a.st_rdev != b.st_rdev || !same_time(a, b)) return false;
  if (S_ISLNK(a.st_mode)) return TRY(sys::read_link(old_dir, name)) == TRY(sys::read_link(new_dir, name));
  if (!S_ISREG(a.st_mode)) return true;
  return TRY(sys::xattr_at(old_dir, name, kCapability)) == TRY(sys::xattr_at(new_dir, name, kCapability));
}

Result<sys::UniqueFd> enter(int dir, const std::string& name) {
  return sys::open_at(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

/// The directory `name` in `dir`, or none if there is none.
Result<sys::UniqueFd> enter_if_directory(int dir, const std::string& name, const Status& status) {
  if (!status || !S_ISDIR(status->st_mode)) return sys::UniqueFd{};
  return enter(dir, name);
}

class TreeComparison {
 public:
  explicit TreeComparison(Changes& changes) : changes_{changes} {}

  Result<> compare(int old_dir, int new_dir, const std::string& path) {
    for (const auto& entry : TRY(sys::list_dir(new_dir))) {
      TRY(one(old_dir, new_dir, entry.name, path + "/" + entry.name));
    }
    if (old_dir < 0) return {};
    for (const auto& entry : TRY(sys::list_dir(old_dir))) {
      const Status now = TRY(stat_if_there(new_dir, entry.name));
      if (!now) changes_.add(path + "/" + entry.name, ChangeKind::Deleted);
    }
    return {};
  }

 private:
  Result<> one(int old_dir, int new_dir, const std::string& name, const std::string& path) {
    const Status now = TRY(stat_if_there(new_dir, name));
    if (!now) return {};
    const Status before = TRY(stat_if_there(old_dir, name));
    if (!before) {
      changes_.add(path, ChangeKind::Added);
    } else {
      const bool same = TRY(is_same(old_dir, new_dir, name, *before, *now));
      if (!same) changes_.add(path, ChangeKind::Modified);
    }
    if (!S_ISDIR(now->st_mode)) return {};
    const sys::UniqueFd below = TRY(enter(new_dir, name));
    const sys::UniqueFd old_below = TRY(enter_if_directory(old_dir, name, before));
    return compare(old_below.get(), below.get(), path);
  }

  Changes& changes_;
};

class UpperWalk {
 public:
  explicit UpperWalk(Changes& changes) : changes_{changes} {}

  /// `below` is the merged directory that `upper` covers, or -1 where there is none.
  Result<> walk(int below, int upper, const std::string& path) {
    for (const auto& entry : TRY(sys::list_dir(upper))) {
      TRY(one(below, upper, entry.name, path + "/" + entry.name));
    }
    if (below < 0) return {};
    const auto opaque = TRY(sys::xattr_of(upper, tree::kOverlayOpaque));
    if (opaque != "y") return {};
    for (const auto& entry : TRY(sys::list_dir(below))) {
      const Status now = TRY(stat_if_there(upper, entry.name));
      if (!now) changes_.add(path + "/" + entry.name, ChangeKind::Deleted);
    }
    return {};
  }

 private:
  Result<> one(int below, int upper, const std::string& name, const std::string& path) {
    const Status now = TRY(stat_if_there(upper, name));
    if (!now) return {};
    Status before = TRY(stat_if_there(below, name));
    if (before && tree::is_whiteout(*before)) before.reset();  // a single lowest layer is looked at as it is
    if (tree::is_whiteout(*now)) {
      if (before) changes_.add(path, ChangeKind::Deleted);
      return {};
    }
    const bool directories = before && S_ISDIR(before->st_mode) && S_ISDIR(now->st_mode);
    // A directory also comes up because something in it did; then it is no change of its own.
    if (!directories || !same_attributes(*before, *now) || !same_time(*before, *now)) {
      changes_.add(path, before ? ChangeKind::Modified : ChangeKind::Added);
    }
    if (!S_ISDIR(now->st_mode)) return {};
    const sys::UniqueFd inside = TRY(enter(upper, name));
    const sys::UniqueFd covered = TRY(enter_if_directory(below, name, before));
    return walk(covered.get(), inside.get(), path);
  }

  Changes& changes_;
};

}  // namespace

Result<std::vector<Change>> compare_trees(int old_root, int new_root) {
  Changes changes;
  TRY(TreeComparison{changes}.compare(old_root, new_root, ""));
  return std::move(changes).take();
}

Result<std::vector<Change>> changes_of_upper(int below, int upper) {
  Changes changes;
  TRY(UpperWalk{changes}.walk(below, upper, ""));
  return std::move(changes).take();
}

}  // namespace layer::detail
