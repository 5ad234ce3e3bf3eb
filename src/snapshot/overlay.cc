#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/scope_guard.h"
#include "snapshot/detail/directory_tree.h"
#include "snapshot/detail/layer_order.h"
#include "snapshot/detail/root_attributes.h"
#include "snapshot/snapshotter.h"
#include "sys/crash_point.h"
#include "sys/file.h"
#include "sys/overlay.h"
#include "sys/storage.h"

namespace snapshot {

using base::Result;

namespace {

/// Whatever this kernel's defaults are: a rename must not become a mark in the upper folder that other
/// programs and layer/diff.h can't read (redirect_dir), nor a chmod a file without its content
/// (metacopy), and lowers are shared by many uppers (index).
std::vector<std::string> mount_options() { return {"redirect_dir=off", "metacopy=off", "index=off"}; }

/// One folder per layer, put together by the kernel at mount time.
class OverlaySnapshotter final : public Snapshotter {
 public:
  explicit OverlaySnapshotter(std::unique_ptr<DirectoryTree> tree) : tree_{std::move(tree)} {}

  [[nodiscard]] std::string_view name() const override { return "overlay"; }
  [[nodiscard]] bool keeps_changes() const override { return true; }

  Result<Staging> stage() override { return tree_->stage(); }

  Result<> commit(std::vector<NewLayer> layers) override {
    std::map<std::string, int> staged;
    for (const auto& layer : layers) staged[layer.chain_id] = layer.staging.dir();
    // A layer may stand before its parent here, but rows and root attributes need parents first.
    const auto ordered = TRY(detail::parents_first(layers));
    for (const std::size_t index : ordered) {
      const NewLayer& layer = layers[index];
      if (layer.describes_root || layer.parent.empty()) continue;
      const auto parent = staged.find(layer.parent);
      TRY(parent != staged.end() ? detail::copy_root_attributes(parent->second, layer.staging.dir())
                                 : inherit_root(layer.parent, layer.staging.dir()));
    }
    TRY(sys::sync_file_system(tree_->root_fd()).context("make layers durable"));
    CRASH_POINT("snapshot.commit.synced");
    std::vector<RowOfSnapshot> rows;
    for (const std::size_t index : ordered) {
      NewLayer& layer = layers[index];
      rows.push_back({{layer.chain_id, Kind::Layer, layer.parent, base::now()},
                      DirectoryTree::number_of(layer.staging)});
    }
    std::vector<std::uint64_t> skipped;
    TRY(tree_->insert_layers(rows, skipped));
    CRASH_POINT("snapshot.commit.recorded");
    for (auto& layer : layers) {
      // A layer that somebody else committed meanwhile stays with its staging, which removes it.
      const bool mine = std::ranges::find(skipped, DirectoryTree::number_of(layer.staging)) == skipped.end();
      if (mine) DirectoryTree::release(layer.staging);
    }
    return {};
  }

  Result<> prepare(const std::string& key, const std::string& parent) override {
    const std::uint64_t number = TRY(tree_->make_folder());
    base::ScopeGuard undo{[&] { tree_->discard(number); }};
    TRY(sys::make_dir(sys::kCwd, tree_->work_of(number), 0700));
    if (!parent.empty()) {
      const sys::UniqueFd fs = TRY(sys::open_dir(sys::kCwd, tree_->fs_of(number)));
      TRY(inherit_root(parent, fs.get()));
    }
    CRASH_POINT("snapshot.prepare.made");
    TRY(tree_->insert_writable({{key, Kind::Writable, parent, base::now()}, number}));
    undo.release();
    return {};
  }

  Result<> promote(const std::string& key, const std::string& chain_id) override {
    const auto row = TRY(require(key));
    if (row.info.kind == Kind::Layer) return base::conflict("snapshot " + key + " is a layer already");
    TRY(sys::sync_file_system(tree_->root_fd()));
    CRASH_POINT("snapshot.promote.synced");
    const bool renamed = TRY(tree_->promote(key, chain_id));
    CRASH_POINT("snapshot.promote.recorded");
    if (!renamed) {
      tree_->discard(row.number);
      return {};
    }
    return sys::remove_tree(sys::kCwd, tree_->work_of(row.number));
    return {};
  }

  Result<Mounts> mounts(const std::string& key) override {
    const auto rows = TRY(tree_->chain(key));
    Mounts out;
    const bool writable = rows.front().info.kind == Kind::Writable;
    if (writable) {
      out.upper = tree_->fs_of(rows.front().number);
      out.work = tree_->work_of(rows.front().number);
    }
    for (std::size_t i = writable ? 1 : 0; i < rows.size(); ++i)
      out.lowers.push_back(tree_->fs_of(rows[i].number));
    if (out.lowers.empty()) {  // on nothing: the folder is the whole tree
      out.work.clear();
    } else if (!writable && out.lowers.size() == 1) {  // an overlay needs an upper or a second lower
      out.bind_source = out.lowers.front();
      out.lowers.clear();
    }
    if (out.is_overlay()) out.options = mount_options();
    return out;
  }

  Result<std::string> changes(const std::string& key) override {
    return tree_->fs_of(TRY(require(key)).number);
  }

  Result<> remove(const std::string& key) override {
    const auto number = TRY(tree_->erase(key));
    CRASH_POINT("snapshot.remove.erased");
    if (number) tree_->discard(*number);
    return {};
  }

  Result<Info> info(const std::string& key) override { return TRY(require(key)).info; }
  Result<bool> has(const std::string& key) override { return tree_->has(key); }
  Result<Usage> usage(const std::string& key) override { return tree_->usage(TRY(require(key))); }

  Result<std::vector<Info>> list() override {
    std::vector<Info> out;
    for (auto& row : TRY(tree_->all())) out.push_back(std::move(row.info));
    return out;
  }

  Result<std::vector<Damage>> check() override { return tree_->check(); }
  Result<> repair(const Damage& damage) override { return tree_->repair(damage); }
  Result<Space> space() override { return tree_->space(); }

  void wait_for_trash() override { tree_->wait_for_trash(); }

 private:
  Result<RowOfSnapshot> require(const std::string& key) {
    auto row = TRY(tree_->find(key));
    if (!row) return base::not_found("no snapshot " + key);
    return std::move(*row);
  }

  /// The root of a merged tree looks like the root of its uppermost folder.
  Result<> inherit_root(const std::string& parent, int to) {
    const auto row = TRY(tree_->find(parent));
    if (!row) return base::not_found("the layer " + parent + " is not there");
    const sys::UniqueFd from = TRY(sys::open_dir(sys::kCwd, tree_->fs_of(row->number)));
    return detail::copy_root_attributes(from.get(), to);
  }

  std::unique_ptr<DirectoryTree> tree_;
};

/// A mount of two folders made for it tells what the kernel and the file system can.
Result<> probe(const std::string& root) {
  const std::string folder = root + "/probe";
  base::ScopeGuard cleanup{
      [&] { base::ignore(sys::remove_tree(sys::kCwd, folder), "the next start does it"); }};
  for (const char* name : {"/lower", "/upper", "/work"}) TRY(sys::make_dirs(sys::kCwd, folder + name, 0700));
  auto mount = sys::make_overlay({.lowers = {folder + "/lower"},
                                  .upper = folder + "/upper",
                                  .work = folder + "/work",
                                  .options = mount_options()});
  if (mount) return {};
  return base::not_implemented(
      fmt::format("overlayfs does not work on {} ({}): use the storage driver \"native\", or another "
                  "file system for the data root",
                  root, mount.error().message()));
}

}  // namespace

Result<std::unique_ptr<Snapshotter>> open_overlay(const std::string& root, state::Database& database) {
  auto tree = TRY(DirectoryTree::open(root, "overlay", database));
  TRY(probe(root));
  return std::unique_ptr<Snapshotter>{std::make_unique<OverlaySnapshotter>(std::move(tree))};
}

}  // namespace snapshot
