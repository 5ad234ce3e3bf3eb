#include "image/detail/archive.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/strings.h"
#include "codec/compression.h"
#include "codec/sha256.h"
#include "codec/tar.h"
#include "image/detail/layer_blob.h"
#include "image/detail/tee.h"
#include "layer/apply.h"
#include "layer/recipe.h"

namespace image::detail {
namespace {

using base::Digest;
using base::ErrorKind;
using base::Result;

constexpr std::size_t kHead = 512;
constexpr std::size_t kDocumentLimit = distribution::kConfigLimit;
constexpr std::size_t kDocumentsLimit = std::size_t{128} << 20U;
constexpr std::string_view kBlobs = "blobs/sha256/";
constexpr int kMostLinks = 8;

/// The first bytes can be looked at before they are read.
class Peek final : public base::ByteSource {
 public:
  explicit Peek(base::ByteSource& source) : source_{source} {}

  Result<std::string_view> head() {
    while (have_ < head_.size()) {
      const std::size_t count = TRY(source_.read(std::span{head_}.subspan(have_)));
      if (count == 0) break;
      have_ += count;
    }
    return std::string_view{head_.data(), have_};
  }
  Result<std::size_t> read(std::span<char> buffer) override {
    if (taken_ == have_) return source_.read(buffer);
    const std::size_t count = std::min(buffer.size(), have_ - taken_);
    std::memcpy(buffer.data(), head_.data() + taken_, count);
    taken_ += count;
    return count;
  }

 private:
  base::ByteSource& source_;
  std::array<char, kHead> head_{};
  std::size_t have_ = 0;
  std::size_t taken_ = 0;
};

/// Ends with an error when the client goes away.
class Stoppable final : public base::ByteSource {
 public:
  Stoppable(base::ByteSource& source, std::stop_token stop) : source_{source}, stop_{std::move(stop)} {}
  Result<std::size_t> read(std::span<char> buffer) override {
    if (stop_.stop_requested()) return base::unavailable("context canceled");
    return source_.read(buffer);
  }

 private:
  base::ByteSource& source_;
  const std::stop_token stop_;
};

bool is_tar_block(std::string_view head) {
  constexpr std::size_t kMagic = 257;
  if (head.size() < kHead) return false;
  if (head.substr(kMagic, 5) == "ustar") return true;
  // An archive without entries: nothing but zeros.
  return std::all_of(head.begin(), head.end(), [](char c) { return c == '\0'; });
}

bool looks_like_layer(std::string_view path, std::string_view head, codec::Compression compression) {
  return compression != codec::Compression::None || is_tar_block(head) || path.ends_with("layer.tar");
}

std::string_view media_type_of(codec::Compression compression) {
  switch (compression) {
    case codec::Compression::Gzip: return spec::media::kOciLayerGzip;
    case codec::Compression::Zstd: return spec::media::kOciLayerZstd;
    case codec::Compression::None: break;
  }
  return spec::media::kOciLayer;
}

/// Twelve characters that tell layers apart: of the blob's digest, or of the folder's or file's name.
std::string layer_label(std::string_view path) {
  if (path.starts_with(kBlobs)) path.remove_prefix(kBlobs.size());
  if (path.ends_with("/layer.tar")) path.remove_suffix(std::string_view{"/layer.tar"}.size());
  if (const auto slash = path.rfind('/'); slash != path.npos) path.remove_prefix(slash + 1);
  return std::string{path.substr(0, 12)};
}

Result<> drain(base::ByteSource& source) {
  std::array<char, 65536> ignored{};
  while (TRY(source.read(ignored)) != 0) {
  }
  return {};
}

}  // namespace

std::string clean_path(std::string_view path) {
  std::vector<std::string> parts;
  for (const auto part : base::split_words(path, '/')) {
    if (part == ".") continue;
    if (part != "..") {
      parts.emplace_back(part);
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  return base::join(parts, "/");
}

class Archive::Reading {
 public:
  Reading(Core& core, content::Lease& lease, Progress* progress, Archive& out)
      : core_{core}, lease_{lease}, progress_{progress}, out_{out} {}

  Result<> run(base::ByteSource& tar);

 private:
  Result<> file(const std::string& path, std::uint64_t size, base::ByteSource& data);
  Result<> layer(const std::string& path, std::uint64_t size, Peek& data, codec::Compression compression);
  Result<bool> layer_is_here(const std::string& path, std::uint64_t size, codec::Compression compression);
  Result<> unpack(ArchiveLayer& layer, base::ByteSource& data, codec::Compression compression);

  Core& core_;
  content::Lease& lease_;
  Progress* progress_;
  Archive& out_;
  std::size_t document_bytes_ = 0;
};

Result<> Archive::Reading::run(base::ByteSource& tar) {
  codec::TarReader reader{tar};
  codec::TarEntry entry;
  while (TRY(reader.next(entry))) {
    const std::string path = clean_path(entry.path);
    switch (entry.type) {
      case codec::TarType::File: TRY(file(path, entry.size, reader.data()).context(path)); break;
      case codec::TarType::HardLink: out_.links_[path] = clean_path(entry.link_target); break;
      case codec::TarType::Symlink: {
        const auto slash = path.rfind('/');
        const std::string folder = slash == std::string::npos ? std::string{} : path.substr(0, slash);
        out_.links_[path] = clean_path(folder + "/" + entry.link_target);
        break;
      }
      default: break;
    }
  }
  return {};
}

Result<> Archive::Reading::file(const std::string& path, std::uint64_t size, base::ByteSource& data) {
  Peek peek{data};
  const auto head = TRY(peek.head());
  const auto compression = codec::detect_compression(head);
  // A tar in a compression that is not read here may be an attachment that no image needs.
  if (!compression) return {};
  if (looks_like_layer(path, head, *compression)) return layer(path, size, peek, *compression);
  document_bytes_ += size;
  if (size > kDocumentLimit || document_bytes_ > kDocumentsLimit) {
    return base::invalid("invalid archive: this document is too large: " + std::to_string(size) + " bytes");
  }
  out_.documents_[path] = TRY(base::read_all(peek, kDocumentLimit));
  return {};
}

/// A blob that the store has, of a layer that it has too, need not be read.
Result<bool> Archive::Reading::layer_is_here(const std::string& path, std::uint64_t size,
                                             codec::Compression compression) {
  if (!path.starts_with(kBlobs)) return false;
  const auto digest = Digest::parse("sha256:" + path.substr(kBlobs.size()));
  if (!digest) return false;
  lease_.add(*digest);
  auto known = TRY(core_.records.layer_with_blob(*digest));
  if (!known) return false;
  // It may have to be made again from that layer, so the layer stays, too.
  if (!known->recipe.empty()) lease_.add(known->recipe);
  out_.pins_.push_back(std::make_unique<Pin>(core_.board, std::vector{known->chain_id}));
  known = TRY(core_.records.layer(known->chain_id));
  if (!known || !TRY(has_layer_blob(core_, *digest))) return false;
  auto layer = std::make_shared<ArchiveLayer>();
  layer->blob = spec::Descriptor::of(media_type_of(compression), *digest, size);
  layer->diff_id = known->diff_id;
  layer->tar_size = known->tar_size;
  layer->size = known->size;
  layer->recipe = known->recipe;
  out_.layers_[path] = std::move(layer);
  return true;
}

Result<> Archive::Reading::unpack(ArchiveLayer& layer, base::ByteSource& data, codec::Compression compression) {
  auto staging = TRY(core_.snapshotter.stage());
  std::optional<layer::RecipeRecorder> recorder;
  if (compression == codec::Compression::None && core_.dropper) recorder.emplace();
  const auto applied =
      TRY(layer::apply(data, staging.dir(), {}, recorder ? &*recorder : nullptr).context("failed to register layer"));
  if (recorder) {
    if (const auto recipe = TRY(recorder->finish())) {
      lease_.add(codec::sha256(*recipe));
      layer.recipe = TRY(core_.content.write_blob(*recipe));
    }
  }
  layer.diff_id = applied.diff_id;
  layer.describes_root = applied.describes_root;
  layer.tar_size = applied.tar_bytes;
  layer.size = applied.content_bytes;
  layer.staging = std::move(staging);
  return {};
}

Result<> Archive::Reading::layer(const std::string& path, std::uint64_t size, Peek& data,
                                 codec::Compression compression) {
  if (TRY(layer_is_here(path, size, compression))) return {};
  std::optional<Meter> meter;
  if (progress_ != nullptr) meter.emplace(*progress_, layer_label(path), "Loading layer", size);
  auto ingest = TRY(core_.content.ingest_new());
  detail::Tee tee{nullptr, data, &ingest, meter ? &*meter : nullptr};
  auto layer = std::make_shared<ArchiveLayer>();
  auto unpacked = unpack(*layer, tee, compression);
  if (!unpacked && !unpacked.failed_as(ErrorKind::InvalidArgument)) return unpacked;
  TRY(drain(tee));
  const Digest digest = TRY(ingest.commit());
  lease_.add(digest);
  if (path.starts_with(kBlobs) && path.substr(kBlobs.size()) != digest.hex()) {
    return base::invalid("digest mismatch: this file has " + digest.str());
  }
  TRY(std::move(unpacked));
  if (meter) meter->finish();
  layer->blob = spec::Descriptor::of(media_type_of(compression), digest, size);
  out_.layers_[path] = std::move(layer);
  return {};
}

Result<Archive> Archive::read(Core& core, base::ByteSource& stream, content::Lease& lease, Progress* progress,
                              const std::stop_token& stop) {
  Archive archive;
  Stoppable stoppable{stream, stop};
  const auto plain = TRY(codec::decompress(stoppable).context("invalid archive"));
  Reading reading{core, lease, progress, archive};
  TRY(reading.run(*plain).context("load"));
  // To the end, so that the peer can finish sending, and a cut-off compressed stream is seen.
  TRY(drain(*plain));
  return archive;
}

const std::string* Archive::document(const std::string& path) const {
  std::string at = clean_path(path);
  for (int i = 0; i < kMostLinks; ++i) {
    if (const auto it = documents_.find(at); it != documents_.end()) return &it->second;
    const auto link = links_.find(at);
    if (link == links_.end()) return nullptr;
    at = link->second;
  }
  return nullptr;
}

const std::string* Archive::blob(const Digest& digest) const {
  return document(std::string{kBlobs}.append(digest.hex()));
}

ArchiveLayer* Archive::layer(const std::string& path) {
  std::string at = clean_path(path);
  for (int i = 0; i < kMostLinks; ++i) {
    if (const auto it = layers_.find(at); it != layers_.end()) return it->second.get();
    const auto link = links_.find(at);
    if (link == links_.end()) return nullptr;
    at = link->second;
  }
  return nullptr;
}

ArchiveLayer* Archive::layer(const Digest& blob) { return layer(std::string{kBlobs}.append(blob.hex())); }

}  // namespace image::detail
