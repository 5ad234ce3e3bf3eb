#pragma once
/// Blobs of layers, whether they are kept or made again from the unpacked layer (layer/recipe.h).
///
/// With `LayerBlobs::DropRebuildable` a plain tar layer's blob goes as soon as it was seen to come out of the
/// unpacked layer with the same digest; then each image needs the disk once. Compressed blobs stay: what gzip
/// made of a tar depends on who compressed it.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/byte_stream.h"
#include "image/detail/core.h"

namespace image::detail {

/// The blob from `offset` on. One that is made again is hashed on its way, and its layer is pinned as long as the
/// source lives: the last read fails when it is not what it was. Errors: NotFound, Internal (the unpacked layer
/// was changed; what to do).
base::Result<std::unique_ptr<base::ByteSource>> open_layer_blob(Core& core, const base::Digest& blob,
                                                                std::uint64_t offset = 0);

/// It is here or can be made again.
base::Result<bool> has_layer_blob(const Core& core, const base::Digest& blob);

/// Whether the layer's blob comes out of its folder; reads all of it. An error is one of reading.
base::Result<bool> comes_out_again(Core& core, const LayerRecord& layer);

/// Drops blobs that can be made again, in a thread of its own, one after the other.
class Dropper {
 public:
  explicit Dropper(Core& core);
  ~Dropper();
  Dropper(const Dropper&) = delete;
  Dropper& operator=(const Dropper&) = delete;

  /// Looks at all layers soon.
  void wake();
  /// Until what was there at the call has been looked at.
  void wait();

 private:
  void run();
  base::Result<> drop_all();

  Core& core_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t asked_ = 0, done_ = 0;  ///< guarded by mutex_, as the next
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace image::detail
