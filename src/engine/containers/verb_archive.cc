#include <sys/stat.h>

#include "base/strings.h"
#include "engine/containers/tree_view.h"
#include "engine/containers/verbs.h"
#include "sys/file.h"
#include "tree/writer.h"

namespace engine {
namespace {

/// The last component as Go's filepath.Base has it: "/etc/" → "etc", "/etc/." → ".", "/" → "/".
std::string base_name(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  if (path == "/") return "/";
  return std::string{path.substr(path.rfind('/') + 1)};
}

/// "etc/./x/../y/" → "/etc/y/": docker cleans the path and puts a last "/" or "/." back.
std::string clean(std::string_view path) {
  std::vector<std::string_view> parts;
  for (const std::string_view part : base::split_words(path, '/')) {
    if (part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  std::string out;
  for (const std::string_view part : parts) out.append("/").append(part);
  if (path.ends_with("/.") || path == ".") return out + "/.";
  if (out.empty() || path.ends_with('/')) out += "/";
  return out;
}

std::uint32_t go_mode_of(const struct ::stat& status) {
  namespace go = spec::api::go_mode;
  std::uint32_t mode = status.st_mode & 0777U;
  if (S_ISDIR(status.st_mode)) mode |= go::kDirectory;
  if (S_ISLNK(status.st_mode)) mode |= go::kSymlink;
  if (S_ISFIFO(status.st_mode)) mode |= go::kNamedPipe;
  if (S_ISSOCK(status.st_mode)) mode |= go::kSocket;
  if (S_ISBLK(status.st_mode)) mode |= go::kDevice;
  if (S_ISCHR(status.st_mode)) mode |= go::kDevice | go::kCharDevice;
  if ((status.st_mode & S_ISUID) != 0) mode |= go::kSetuid;
  if ((status.st_mode & S_ISGID) != 0) mode |= go::kSetgid;
  if ((status.st_mode & S_ISVTX) != 0) mode |= go::kSticky;
  return mode;
}

base::Error not_there(base::Error error, const std::string& path, const std::string& ref) {
  if (!error.is(base::ErrorKind::NotFound)) return std::move(error).as(base::ErrorKind::Internal);
  return base::not_found("Could not find the file " + path + " in container " + ref);
}

struct Found {
  sys::UniqueFd object;  ///< O_PATH
  spec::api::PathStat stat;
};

base::Result<Found> find(const TreeView& view, const std::string& path) {
  auto object = sys::open_in_root(view.root(), path, O_PATH | O_NOFOLLOW);
  if (!object) return base::Error{object.error()};
  const struct ::stat status = TRY(sys::stat_fd(object->get()));
  Found found{.object = *std::move(object), .stat = {}};
  found.stat.name = base_name(path);
  found.stat.size = status.st_size;
  found.stat.mode = go_mode_of(status);
  const auto& time = status.st_mtim;
  found.stat.mtime = base::to_rfc3339(base::Time{std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec}});
  if (S_ISLNK(status.st_mode)) found.stat.link_target = TRY(sys::resolve_missing_in_root(view.root(), path));
  return found;
}

class PathArchive final : public OutgoingArchive {
 public:
  PathArchive(TreeView view, std::string path, bool directory)
      : view_{std::move(view)}, path_{std::move(path)}, directory_{directory} {}

  base::Result<> write(base::ByteSink& sink) override {
    tree::Writer writer{sink, tree::Form::Plain};
    if (directory_) {
      const auto folder = TRY(sys::open_in_root(view_.root(), path_, O_PATH | O_DIRECTORY));
      TRY(writer.add(folder.get(), ".", base_name(path_), tree::Writer::Below::Yes));
    } else {
      const auto slash = path_.rfind('/');
      const auto folder = TRY(sys::open_in_root(view_.root(), path_.substr(0, slash + 1), O_PATH | O_DIRECTORY));
      const std::string name = path_.substr(slash + 1);
      TRY(writer.add(folder.get(), name, name, tree::Writer::Below::No));
    }
    TRY(writer.finish());
    return {};
  }

 private:
  TreeView view_;
  std::string path_;
  bool directory_;
};

}  // namespace

base::Result<spec::api::PathStat> stat_path(Core& core, const ContainerPtr& container, const std::string& ref,
                                            const std::string& path) {
  const TreeView view = TRY(open_tree_view(core, container));
  auto found = find(view, clean(path));
  if (!found) return not_there(std::move(found).error(), path, ref);
  return std::move(found->stat);
}

base::Result<ArchivedPath> archive_path(Core& core, const ContainerPtr& container, const std::string& ref,
                                        const std::string& path) {
  TreeView view = TRY(open_tree_view(core, container));
  const auto record = view.record;
  std::string cleaned = clean(path);
  auto found = find(view, cleaned);
  if (!found) return not_there(std::move(found).error(), path, ref);
  const bool directory = (found->stat.mode & spec::api::go_mode::kDirectory) != 0;
  ArchivedPath archived{.stat = std::move(found->stat), .archive = nullptr};
  archived.archive = std::make_unique<PathArchive>(std::move(view), std::move(cleaned), directory);
  publish(core, *record, "archive-path");
  return archived;
}

}  // namespace engine
