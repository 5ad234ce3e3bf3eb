#include <algorithm>

#include <fmt/format.h>

#include "base/scope_guard.h"
#include "snapshot/detail/copy_tree.h"
#include "snapshot/detail/directory_tree.h"
#include "snapshot/detail/layer_order.h"
#include "snapshot/detail/root_attributes.h"
#include "snapshot/snapshotter.h"
#include "sys/crash_point.h"
#include "sys/file.h"
#include "sys/storage.h"

namespace snapshot {

using base::Result;

namespace {

/// Every snapshot is a whole tree: a copy of its parent's, with blocks shared where the file system can.
/// Slow and large, and it works everywhere.
class NativeSnapshotter final : public Snapshotter {
 public:
  explicit NativeSnapshotter(std::unique_ptr<DirectoryTree> tree) : tree_{std::move(tree)} {}

  [[nodiscard]] std::string_view name() const override { return "native"; }
  [[nodiscard]] bool keeps_changes() const override { return false; }

  Result<Staging> stage() override { return tree_->stage(); }

  Result<> commit(std::vector<NewLayer> layers) override {
    std::vector<RowOfSnapshot> rows;
    base::ScopeGuard undo{[&] {
      for (const auto& row : rows) tree_->discard(row.number);
    }};
    for (const std::size_t index : TRY(detail::parents_first(layers))) {
      const NewLayer& layer = layers[index];
      const std::uint64_t number = TRY(tree_->make_folder());
      rows.push_back({{layer.chain_id, Kind::Layer, layer.parent, base::now()}, number});
      const sys::UniqueFd whole = TRY(sys::open_dir(sys::kCwd, tree_->fs_of(number)));
      if (!layer.parent.empty()) {
        const sys::UniqueFd below = TRY(open_parent(layer.parent, rows));
        TRY(detail::copy_tree(below.get(), whole.get()).context("copy the layer below"));
      }
      TRY(detail::merge_layer(layer.staging.dir(), whole.get()).context("merge a layer"));
      if (layer.describes_root) TRY(detail::copy_root_attributes(layer.staging.dir(), whole.get()));
    }
    TRY(sys::sync_file_system(tree_->root_fd()).context("make layers durable"));
    CRASH_POINT("snapshot.commit.synced");
    std::vector<std::uint64_t> skipped;
    TRY(tree_->insert_layers(rows, skipped));
    CRASH_POINT("snapshot.commit.recorded");
    undo.release();
    for (const std::uint64_t number : skipped) tree_->discard(number);
    return {};
  }

  Result<> prepare(const std::string& key, const std::string& parent) override {
    const std::uint64_t number = TRY(tree_->make_folder());
    base::ScopeGuard undo{[&] { tree_->discard(number); }};
    if (!parent.empty()) {
      const sys::UniqueFd whole = TRY(sys::open_dir(sys::kCwd, tree_->fs_of(number)));
      const sys::UniqueFd below = TRY(open_parent(parent, {}));
      TRY(detail::copy_tree(below.get(), whole.get()).context("copy the layer below"));
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
    if (!renamed) tree_->discard(row.number);
    return {};
  }

  Result<Mounts> mounts(const std::string& key) override {
    const auto row = TRY(require(key));
    Mounts out;
    (row.info.kind == Kind::Writable ? out.upper : out.bind_source) = tree_->fs_of(row.number);
    return out;
  }

  Result<std::string> changes(const std::string& key) override {
    return base::not_implemented("the native snapshotter keeps no changes of " + key + ": compare the trees");
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

  /// A layer of the same commit, or one that is there.
  Result<sys::UniqueFd> open_parent(const std::string& parent, const std::vector<RowOfSnapshot>& fresh) {
    const auto found =
        std::ranges::find(fresh, parent, [](const RowOfSnapshot& row) { return row.info.key; });
    const std::uint64_t number = found != fresh.end() ? found->number : TRY(require(parent)).number;
    return sys::open_dir(sys::kCwd, tree_->fs_of(number));
  }

  std::unique_ptr<DirectoryTree> tree_;
};

}  // namespace

Result<std::unique_ptr<Snapshotter>> open_native(const std::string& root, state::Database& database) {
  auto tree = TRY(DirectoryTree::open(root, "native", database));
  return std::unique_ptr<Snapshotter>{std::make_unique<NativeSnapshotter>(std::move(tree))};
}

}  // namespace snapshot
