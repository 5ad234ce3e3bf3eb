#pragma once
/// A layer that is made here, of a plain tar that is written: for commit and import.

#include <cstdint>
#include <memory>
#include <string_view>

#include "codec/compression.h"
#include "codec/sha256.h"
#include "content/store.h"
#include "image/detail/install.h"
#include "image/detail/layer_blob.h"

namespace image::detail {

/// Hashes what goes to be compressed, and counts what comes out.
class LayerSink final : public base::ByteSink {
 public:
  explicit LayerSink(content::Ingest& ingest)
      : counter_{ingest}, compressor_{codec::compress(counter_, codec::Compression::Gzip)} {}

  base::Result<> write(std::string_view bytes) override {
    hash_.update(bytes);
    return compressor_->write(bytes);
  }
  base::Result<> finish() { return compressor_->finish(); }
  [[nodiscard]] base::Digest diff_id() const { return hash_.digest(); }
  [[nodiscard]] std::uint64_t compressed_bytes() const { return counter_.bytes; }

 private:
  struct Counter final : base::ByteSink {
    explicit Counter(base::ByteSink& the_sink) : sink{the_sink} {}
    base::Result<> write(std::string_view text) override {
      bytes += text.size();
      return sink.write(text);
    }
    base::ByteSink& sink;
    std::uint64_t bytes = 0;
  };

  Counter counter_;
  std::unique_ptr<codec::Compressor> compressor_;
  codec::Sha256 hash_;
};

/// Unpacks layers from their blobs, which are in the store.
class BlobMaker final : public LayerMaker {
 public:
  explicit BlobMaker(Core& core) : core_{core} {}
  base::Result<Prepared> make(const LayerJob& job, const std::stop_token& /*stop*/) override {
    const auto source = TRY(open_layer_blob(core_, job.blob.digest()));
    return unpack(core_, *source, job);
  }
  void exists(const LayerJob& /*job*/) override {}
  void planned(const LayerJob& /*job*/) override {}
  void waits(const LayerJob& /*job*/) override {}
  void finished(const LayerJob& /*job*/) override {}

 private:
  Core& core_;
};

}  // namespace image::detail
