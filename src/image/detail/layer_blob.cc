#include "image/detail/layer_blob.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/log.h"
#include "base/scope_guard.h"
#include "codec/sha256.h"
#include "layer/recipe.h"
#include "sys/crash_point.h"
#include "sys/file.h"

namespace image::detail {
namespace {

using base::Digest;
using base::ErrorKind;
using base::Result;

constexpr std::size_t kRecipeLimit = std::size_t{1} << 30U;

class MadeAgain final : public base::ByteSource {
 public:
  MadeAgain(Board& board, const LayerRecord& layer, std::unique_ptr<base::ByteSource> source)
      : pin_{board, {layer.chain_id}}, layer_{layer}, source_{std::move(source)} {}

  Result<std::size_t> read(std::span<char> buffer) override {
    auto count = source_->read(buffer);
    if (!count) return std::move(count).error().context(advice());
    hash_.update({buffer.data(), *count});
    if (*count == 0 && !buffer.empty() && hash_.digest() != layer_.blob) return base::internal(advice());
    return count;
  }

 private:
  [[nodiscard]] std::string advice() const {
    return "layer " + layer_.chain_id + " was changed on disk, so its blob " + layer_.blob.str() +
           " can't be made again; see `caisson system fsck`";
  }

  const Pin pin_;
  const LayerRecord layer_;
  std::unique_ptr<base::ByteSource> source_;
  codec::Sha256 hash_;
};

Result<std::unique_ptr<base::ByteSource>> make_again(Core& core, const LayerRecord& layer) {
  auto recipe = TRY(core.content.read(layer.recipe, kRecipeLimit).context("recipe of layer " + layer.chain_id));
  auto folder = TRY(sys::open_dir(sys::kCwd, TRY(core.snapshotter.changes(layer.chain_id))));
  auto source = TRY(layer::rebuild(std::move(recipe), std::move(folder)));
  return std::unique_ptr<base::ByteSource>{std::make_unique<MadeAgain>(core.board, layer, std::move(source))};
}

Result<> skip(base::ByteSource& source, std::uint64_t bytes) {
  std::array<char, 65536> buffer{};
  while (bytes > 0) {
    const auto piece = std::span{buffer}.first(static_cast<std::size_t>(std::min<std::uint64_t>(bytes, buffer.size())));
    const std::size_t count = TRY(source.read(piece));
    if (count == 0) return base::internal("a blob is shorter than it was");
    bytes -= count;
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<base::ByteSource>> open_layer_blob(Core& core, const Digest& blob, std::uint64_t offset) {
  auto kept = core.content.source(blob, offset);
  if (!kept.failed_as(ErrorKind::NotFound)) return kept;
  const auto layer = TRY(core.records.layer_with_blob(blob));
  if (!layer || layer->recipe.empty()) return kept;
  auto source = TRY(make_again(core, *layer));
  TRY(skip(*source, offset));
  return source;
}

Result<bool> has_layer_blob(const Core& core, const Digest& blob) {
  if (TRY(core.content.has(blob))) return true;
  const auto layer = TRY(core.records.layer_with_blob(blob));
  if (!layer || layer->recipe.empty()) return false;
  return core.content.has(layer->recipe);
}

Result<bool> comes_out_again(Core& core, const LayerRecord& layer) {
  auto source = make_again(core, layer);
  if (!source) return false;
  std::vector<char> buffer(std::size_t{1} << 20U);
  while (true) {
    const auto count = (*source)->read(buffer);
    if (!count) return false;
    if (*count == 0) return true;
  }
}

Dropper::Dropper(Core& core) : core_{core}, thread_{[this] { run(); }} {}

Dropper::~Dropper() {
  {
    const std::scoped_lock lock{mutex_};
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Dropper::wake() {
  const std::scoped_lock lock{mutex_};
  ++asked_;
  changed_.notify_all();
}

void Dropper::wait() {
  std::unique_lock lock{mutex_};
  const auto wanted = asked_;
  changed_.wait(lock, [&] { return stopping_ || done_ >= wanted; });
}

void Dropper::run() {
  std::unique_lock lock{mutex_};
  while (true) {
    changed_.wait(lock, [&] { return stopping_ || done_ < asked_; });
    if (stopping_) return;
    const auto round = asked_;
    lock.unlock();
    if (const auto dropped = drop_all(); !dropped) base::log::warn("layer blobs: {}", dropped.error().message());
    lock.lock();
    done_ = round;
    changed_.notify_all();
  }
}

Result<> Dropper::drop_all() {
  for (const auto& layer : TRY(core_.records.layers())) {
    {
      const std::scoped_lock lock{mutex_};
      if (stopping_) return {};
    }
    if (layer.recipe.empty() || !TRY(core_.content.has(layer.blob))) continue;
    const Pin pin{core_.board, {layer.chain_id}};
    if (!TRY(core_.records.layer(layer.chain_id))) continue;  // removed meanwhile
    if (!TRY(comes_out_again(core_, layer))) {
      TRY(core_.records.set_recipe(layer.chain_id, Digest{}));
      continue;
    }
    CRASH_POINT("image.drop.seen");
    // The same blob may be another layer's, too, which came otherwise and has no recipe.
    const auto of_all = [&]() -> Result<bool> {
      const auto layers = TRY(core_.records.layers());
      return std::ranges::none_of(
          layers, [&](const LayerRecord& other) { return other.blob == layer.blob && other.recipe.empty(); });
    };
    TRY(core_.content.remove_unleased(layer.blob, of_all));
    CRASH_POINT("image.drop.removed");
  }
  return {};
}

}  // namespace image::detail
