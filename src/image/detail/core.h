#pragma once
/// What the parts of the store share.

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "content/store.h"
#include "distribution/client.h"
#include "image/detail/board.h"
#include "image/detail/records.h"
#include "image/store.h"
#include "snapshot/snapshotter.h"
#include "spec/oci_image.h"

namespace image::detail {

class Dropper;

struct Core {
  Core(state::Database& the_database, content::Store& the_content, snapshot::Snapshotter& the_snapshotter,
       Options the_options);
  ~Core();

  content::Store& content;
  snapshot::Snapshotter& snapshotter;
  const Options options;
  Records records;
  std::unique_ptr<distribution::Client> client;
  Board board;
  std::atomic<int> max_downloads, max_uploads;  ///< what a reload changes
  Slots downloads;
  /// Over reading the names and changing them (untag, delete, move a tag): rows only, no bytes move.
  std::mutex names_mutex;
  std::mutex index_mutex;  ///< over reading all names and writing index.json
  /// The last one, since its thread uses the others. Null where blobs are kept.
  std::unique_ptr<Dropper> dropper;
};

/// The image that a user's word means. Errors: as Store::get.
base::Result<ImageRecord> find_image(const Core& core, const std::string& ref);
base::Result<spec::ImageConfig> read_config(const Core& core, const base::Digest& id);
/// "No such image: x:latest"
[[nodiscard]] base::Error no_such_image(const std::string& ref);
[[nodiscard]] std::vector<std::string> chain_texts(const std::vector<base::Digest>& diff_ids);

/// Makes the layout's index.json say what the records say.
base::Result<> write_index(Core& core);

/// Why each blob is here: "config of image sha256:…".
using Needs = std::unordered_map<base::Digest, std::string>;
base::Result<Needs> needed_blobs(const Core& core);
/// What index.json is to say.
base::Result<std::vector<content::IndexEntry>> index_entries(const Core& core);

/// What a collection gave back.
struct Freed {
  std::vector<std::string> chain_ids;  ///< of the layers that went, the topmost first
  std::uint64_t bytes = 0;             ///< of files
};
/// Removes layers that are of no image, not pinned and below nothing.
base::Result<Freed> remove_unused(Core& core);
/// As content::Store::collect, with what the records need as roots. The bytes that it freed.
base::Result<std::uint64_t> remove_unused_blobs(Core& core, std::chrono::seconds grace);
/// Layers that a crash left without a record.
base::Result<> remove_unrecorded_snapshots(Core& core);

}  // namespace image::detail
