#include "layer/diff.h"

#include <fmt/format.h>

#include "base/strings.h"
#include "layer/detail/compare.h"
#include "tree/names.h"
#include "tree/writer.h"
#include "sys/file.h"

namespace layer {

using base::Result;
using tree::Form;

namespace {

/// What the snapshot stands on; none for one without a parent.
Result<sys::UniqueFd> open_parent(snapshot::Snapshotter& snapshotter, const std::string& key) {
  const snapshot::Info info = TRY(snapshotter.info(key));
  if (info.parent.empty()) return sys::UniqueFd{};
  return snapshot::open_tree(TRY(snapshotter.mounts(info.parent)));
}

Result<sys::UniqueFd> open_changes(snapshot::Snapshotter& snapshotter, const std::string& key) {
  return sys::open_dir(sys::kCwd, TRY(snapshotter.changes(key)));
}

/// Only for snapshotters that keep whole trees: those have no upper that could be in use.
Result<std::vector<Change>> compare_with_parent(snapshot::Snapshotter& snapshotter, const std::string& key,
                                                int tree) {
  const sys::UniqueFd parent = TRY(open_parent(snapshotter, key));
  return detail::compare_trees(parent.get(), tree);
}

/// Names in an archive: without the first slash.
Paths names_of(const Paths& paths) {
  Paths names;
  for (const auto& path : paths) names.insert(path.substr(1));
  return names;
}

Result<Written> write_compared(int tree, const std::vector<Change>& changes, base::ByteSink& tar,
                               const Paths& leave_out) {
  tree::Writer writer{tar, Form::Plain};
  for (const auto& change : changes) {
    if (leave_out.contains(change.path)) continue;
    const std::string path = change.path.substr(1);
    const tree::Place place = tree::split_path(path);
    if (change.kind == ChangeKind::Deleted) {
      TRY(writer.add_whiteout(path, {}));
      continue;
    }
    const auto folder = sys::open_beneath_no_symlinks(
        tree, place.folder.empty() ? "." : std::string{place.folder}, O_PATH | O_DIRECTORY);
    if (folder.failed_as(base::ErrorKind::NotFound)) continue;  // went away since it was compared
    if (!folder) return base::Error{folder.error()};
    TRY(writer.add(folder->get(), std::string{place.name}, path, tree::Writer::Below::No));
  }
  return writer.finish();
}

}  // namespace

Result<Written> write_changes(int changes_dir, base::ByteSink& tar) {
  tree::Writer writer{tar, Form::OverlayToOci};
  TRY(writer.add_children(changes_dir, "").context("write a layer"));
  return writer.finish();
}

Result<Written> write_diff(snapshot::Snapshotter& snapshotter, const std::string& key, base::ByteSink& tar,
                           const Paths& leave_out) {
  if (snapshotter.keeps_changes()) {
    const sys::UniqueFd changes = TRY(open_changes(snapshotter, key));
    tree::Writer writer{tar, Form::OverlayToOci};
    writer.leave_out(names_of(leave_out));
    TRY(writer.add_children(changes.get(), "").context("write a layer"));
    return writer.finish();
  }
  const sys::UniqueFd tree = TRY(snapshot::open_tree(TRY(snapshotter.mounts(key))));
  const auto changes = TRY(compare_with_parent(snapshotter, key, tree.get()));
  return write_compared(tree.get(), changes, tar, leave_out).context("write a layer");
}

Result<Written> write_tree(int root, base::ByteSink& tar, const TreeOptions& options) {
  tree::Writer writer{tar, Form::Plain};
  auto done = [&]() -> Result<> {
    if (options.path.empty() && options.name.empty()) return writer.add_children(root, "");
    const std::string path = options.path.empty() ? std::string{} : TRY(tree::clean_path(options.path, 0));
    if (path.empty()) return writer.add(root, ".", options.name, tree::Writer::Below::Yes);
    const tree::Place place = tree::split_path(path);
    const std::string parent = place.folder.empty() ? "/" : std::string{place.folder};
    const sys::UniqueFd folder = TRY(sys::open_in_root(root, parent, O_PATH | O_DIRECTORY));
    const std::string name{place.name};
    const bool there = TRY(sys::exists(folder.get(), name));
    if (!there) return base::not_found(fmt::format("no such file or directory: {}", options.path));
    return writer.add(folder.get(), name, options.name.empty() ? name : options.name, tree::Writer::Below::Yes);
  }();
  if (!done) return std::move(done).error().context("archive a tree");
  return writer.finish();
}

Result<std::vector<Change>> list_changes(snapshot::Snapshotter& snapshotter, const std::string& key) {
  if (snapshotter.keeps_changes()) {
    const sys::UniqueFd changes = TRY(open_changes(snapshotter, key));
    const sys::UniqueFd parent = TRY(open_parent(snapshotter, key));
    return detail::changes_of_upper(parent.get(), changes.get());
  }
  const sys::UniqueFd tree = TRY(snapshot::open_tree(TRY(snapshotter.mounts(key))));
  return compare_with_parent(snapshotter, key, tree.get());
}

}  // namespace layer
