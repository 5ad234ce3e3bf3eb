#include <string>
#include <vector>

#include <zstd.h>

#include "codec/detail/codecs.h"

namespace codec::detail {

using base::Result;

namespace {

base::Error malformed(std::size_t code) {
  return base::invalid(std::string{"zstd: "} + ZSTD_getErrorName(code));
}

class Unzstd final : public Decompressor {
 public:
  explicit Unzstd(std::unique_ptr<SourceBuffer> input)
      : input_{std::move(input)}, context_{ZSTD_createDCtx(), ZSTD_freeDCtx} {
    CAISSON_INVARIANT(context_ != nullptr);
  }

  Result<std::size_t> read(std::span<char> buffer) override {
    if (ended_ || buffer.empty()) return 0U;
    auto result = decompress(buffer);
    if (!result || *result == 0) ended_ = true;
    return result;
  }
  [[nodiscard]] Compression compression() const override { return Compression::Zstd; }
  [[nodiscard]] std::uint64_t compressed_bytes() const override { return input_->total(); }

 private:
  Result<std::size_t> decompress(std::span<char> buffer) {
    ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
    while (true) {
      const bool more = TRY(input_->fill());
      if (!more && between_frames_) return 0U;
      const std::string_view ready = input_->rest();
      ZSTD_inBuffer in{ready.data(), ready.size(), 0};
      const std::size_t status = ZSTD_decompressStream(context_.get(), &out, &in);
      input_->consume(in.pos);
      if (ZSTD_isError(status) != 0U) return malformed(status);
      between_frames_ = status == 0;
      if (out.pos > 0) return out.pos;
      if (!more && !between_frames_) return base::invalid("zstd: unexpected end of the stream");
    }
  }

  std::unique_ptr<SourceBuffer> input_;
  std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context_;
  bool between_frames_ = true;
  bool ended_ = false;
};

class Zstd final : public Compressor {
 public:
  explicit Zstd(base::ByteSink& sink)
      : sink_{sink}, context_{ZSTD_createCCtx(), ZSTD_freeCCtx}, out_(ZSTD_CStreamOutSize()) {
    CAISSON_INVARIANT(context_ != nullptr);
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, 3);
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
  }

  Result<> write(std::string_view bytes) override { return run(bytes, ZSTD_e_continue); }
  Result<> finish() override { return run({}, ZSTD_e_end); }

 private:
  Result<> run(std::string_view bytes, ZSTD_EndDirective directive) {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    while (true) {
      ZSTD_outBuffer out{out_.data(), out_.size(), 0};
      const std::size_t left = ZSTD_compressStream2(context_.get(), &out, &in, directive);
      if (ZSTD_isError(left) != 0U) return base::internal(std::string{"zstd: "} + ZSTD_getErrorName(left));
      if (out.pos > 0) TRY(sink_.write({out_.data(), out.pos}));
      if (directive == ZSTD_e_end ? left == 0 : in.pos == in.size) return {};
    }
  }

  base::ByteSink& sink_;
  std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> context_;
  std::vector<char> out_;
};

}  // namespace

std::unique_ptr<Decompressor> make_unzstd(std::unique_ptr<SourceBuffer> input) {
  return std::make_unique<Unzstd>(std::move(input));
}

std::unique_ptr<Compressor> make_zstd(base::ByteSink& sink) { return std::make_unique<Zstd>(sink); }

}  // namespace codec::detail
