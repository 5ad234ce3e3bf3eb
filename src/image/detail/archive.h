#pragma once
/// An image archive, read once from front to back.
///
/// A tar stream can't be asked for its manifest first, so what each file is shows by its content: a
/// tar (plain, gzip or zstd) is a layer, which is stored as a blob and unpacked at once; anything else
/// that is small is kept in memory. When the stream has ended, `load.cc` reads the documents and finds
/// the layers by name or digest.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "image/detail/install.h"
#include "image/detail/progress.h"

namespace image::detail {

/// A layer of the archive.
struct ArchiveLayer {
  spec::Descriptor blob;
  base::Digest diff_id;
  /// Unpacked and not used yet; empty where the layer was in the store before, or used up: a second
  /// image needs it under another chain id. Then the blob serves.
  std::optional<snapshot::Staging> staging;
  bool describes_root = false;
  std::uint64_t tar_size = 0;
  std::uint64_t size = 0;
  base::Digest recipe;  ///< as LayerRecord has it
};

class Archive {
 public:
  /// Reads all of `stream`. `progress` may be null. Errors: InvalidArgument (no archive, a malformed
  /// layer, a blob of another digest than its name), those of the stores and of the stream.
  static base::Result<Archive> read(Core& core, base::ByteSource& stream, content::Lease& lease,
                                    Progress* progress, const std::stop_token& stop);

  /// A document by its path; null if there is none.
  [[nodiscard]] const std::string* document(const std::string& path) const;
  /// A document that is a blob of the layout.
  [[nodiscard]] const std::string* blob(const base::Digest& digest) const;
  /// By path, symlinks and hard links followed; null if there is none.
  [[nodiscard]] ArchiveLayer* layer(const std::string& path);
  [[nodiscard]] ArchiveLayer* layer(const base::Digest& blob);

 private:
  class Reading;
  std::map<std::string, std::string> documents_;
  std::map<std::string, std::shared_ptr<ArchiveLayer>> layers_;  // by path
  std::map<std::string, std::string> links_;
  std::vector<std::unique_ptr<Pin>> pins_;  ///< layers that a blob may be made again from
};

/// "./a//b/../c" → "a/c": names in an archive, as keys. Climbing out of the top stays at the top.
[[nodiscard]] std::string clean_path(std::string_view path);

}  // namespace image::detail
