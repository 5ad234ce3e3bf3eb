#pragma once
/// A layer's tar made again, byte for byte, from the folder that it was unpacked into.
///
/// The recipe holds what the folder doesn't: headers, padding and the order of things; of each file's content
/// only where it stands. It is some 30 bytes for each file. Recording goes along with layer::apply; whether the
/// recipe is right is for the caller to try: archives that say the same name twice, sparse files and the like
/// don't come out the same, and the digest tells.
///
/// Format: "caisson-recipe 1\n", the length of the table as 16 hex digits, the table (zstd), the literal bytes
/// (zstd). The table has for each file: literal bytes before it, its size, the length of its path, the path;
/// then the literal bytes at the end, 0, 0. Numbers are LEB128.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_stream.h"
#include "base/result.h"
#include "codec/compression.h"
#include "sys/fd.h"

namespace layer {

/// `bytes` and `file` are called from two threads, each by one.
class RecipeRecorder {
 public:
  RecipeRecorder();
  ~RecipeRecorder();
  RecipeRecorder(const RecipeRecorder&) = delete;
  RecipeRecorder& operator=(const RecipeRecorder&) = delete;

  /// The archive as it comes, uncompressed.
  void bytes(std::string_view piece);
  /// A file of at least one byte was put at `path`, "" for one that was not.
  void file(std::string path, std::uint64_t size);
  /// The recipe; nullopt for an archive that is told to be beyond it. After both have ended.
  base::Result<std::optional<std::string>> finish();

 private:
  class Parser;
  struct Placed {
    std::string path;
    std::uint64_t size;
  };
  std::unique_ptr<Parser> parser_;
  std::vector<Placed> placed_;
};

/// The archive. `folder` is the layer's. What is not there any more, or has another size, is InvalidArgument;
/// other content shows in the digest only. The source owns all that it needs.
base::Result<std::unique_ptr<base::ByteSource>> rebuild(std::string recipe, sys::UniqueFd folder);

}  // namespace layer
