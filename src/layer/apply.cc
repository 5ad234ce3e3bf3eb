#include "layer/apply.h"

#include <fmt/format.h>

#include "base/strings.h"
#include "codec/compression.h"
#include "codec/read_ahead.h"
#include "codec/sha256.h"
#include "codec/tar.h"
#include "layer/recipe.h"
#include "tree/names.h"
#include "tree/placer.h"

namespace layer {

using base::Result;

namespace {

/// Below this an expansion is harmless, whatever its ratio: a megabyte of zeros is a small file.
constexpr std::uint64_t kRatioFrom = std::uint64_t{1} << 30U;

enum class Hash : std::uint8_t { No, Yes };

/// Watches the uncompressed bytes go by, in the thread that decompresses.
class Meter final : public base::ByteSource {
 public:
  Meter(codec::Decompressor& source, const Limits& limits, Hash hash, RecipeRecorder* recorder)
      : source_{source}, limits_{limits}, hashing_{hash}, recorder_{recorder} {}

  Result<std::size_t> read(std::span<char> buffer) override {
    const std::size_t count = TRY(source_.read(buffer));
    bytes_ += count;
    if (limits_.tar_bytes != 0 && bytes_ > limits_.tar_bytes) {
      return base::invalid(fmt::format("the archive has more than the allowed {} bytes", limits_.tar_bytes));
    }
    if (limits_.ratio != 0 && bytes_ > kRatioFrom && bytes_ / limits_.ratio > source_.compressed_bytes()) {
      return base::invalid(fmt::format("the archive expands to more than {} times its size: {} bytes from {}",
                                       limits_.ratio, bytes_, source_.compressed_bytes()));
    }
    if (hashing_ == Hash::Yes) hash_.update({buffer.data(), count});
    if (recorder_ != nullptr) recorder_->bytes({buffer.data(), count});
    return count;
  }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] base::Digest digest() const {
    return hashing_ == Hash::Yes ? hash_.digest() : base::Digest{};
  }

 private:
  codec::Decompressor& source_;
  const Limits& limits_;
  Hash hashing_;
  RecipeRecorder* recorder_;
  codec::Sha256 hash_;
  std::uint64_t bytes_ = 0;
};

/// Where a file of the archive stands now; "" for one whose name means something else.
std::string placed_path(const std::string& name, const Limits& limits) {
  auto path = tree::clean_path(name, limits.path_bytes);
  if (!path || tree::split_path(*path).name.starts_with(tree::kWhiteoutPrefix)) return {};
  return *std::move(path);
}

/// Reads `tar` to its end; what follows the end marker belongs to the digest as well.
Result<std::uint64_t> place_all(base::ByteSource& tar, tree::Placer& placer, const Limits& limits,
                                RecipeRecorder* recorder) {
  codec::TarReader reader{tar};
  codec::TarEntry entry;
  std::uint64_t entries = 0;
  while (true) {
    const bool more = TRY(reader.next(entry));
    if (!more) break;
    ++entries;
    if (limits.entries != 0 && entries > limits.entries) {
      return base::invalid(fmt::format("the archive has more than the allowed {} entries", limits.entries));
    }
    auto placed = placer.place(entry, reader);
    if (!placed) {
      return std::move(placed).error().context(
          fmt::format("{} {}", codec::name_of(entry.type), base::quoted(entry.path)));
    }
    if (recorder != nullptr && entry.type == codec::TarType::File && entry.size > 0) {
      recorder->file(placed_path(entry.path, limits), entry.size);
    }
  }
  TRY(placer.finish());
  std::vector<char> rest(std::size_t{64} << 10U);
  while (true) {
    const std::size_t count = TRY(tar.read(rest));
    if (count == 0) return entries;
  }
}

Result<Applied> run(base::ByteSource& blob, int root, tree::Whiteouts whiteouts,
                    ExtractOptions options, Hash hash, RecipeRecorder* recorder) {
  options.place.path_bytes = options.limits.path_bytes;
  const auto plain = TRY(codec::decompress(blob));
  Meter meter{*plain, options.limits, hash, recorder};
  tree::Placer placer{root, whiteouts, options.place};
  Applied applied;
  {
    codec::ReadAhead ahead{meter};
    applied.entries = TRY(place_all(ahead, placer, options.limits, recorder));
  }
  applied.diff_id = meter.digest();
  applied.blob_bytes = plain->compressed_bytes();
  applied.tar_bytes = meter.bytes();
  applied.content_bytes = placer.content_bytes();
  applied.describes_root = placer.describes_root();
  return applied;
}

}  // namespace

Result<Applied> apply(base::ByteSource& blob, int root, const Limits& limits, RecipeRecorder* recorder) {
  const ExtractOptions options{.limits = limits, .place = {}};
  return run(blob, root, tree::Whiteouts::ToOverlay, options, Hash::Yes, recorder).context("unpack layer");
}

Result<Applied> extract(base::ByteSource& archive, int root, const ExtractOptions& options) {
  return run(archive, root, tree::Whiteouts::Plain, options, Hash::No, nullptr).context("extract archive");
}

}  // namespace layer
