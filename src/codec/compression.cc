#include "codec/compression.h"

#include <algorithm>

#include <fmt/format.h>

#include "codec/detail/codecs.h"

namespace codec {

using base::Result;

namespace {

class PlainSource final : public Decompressor {
 public:
  explicit PlainSource(std::unique_ptr<detail::SourceBuffer> input, base::ByteSource& source)
      : input_{std::move(input)}, source_{source} {}

  Result<std::size_t> read(std::span<char> buffer) override {
    const std::string_view ready = input_->rest();
    if (!ready.empty()) {
      const std::size_t count = std::min(ready.size(), buffer.size());
      std::copy_n(ready.begin(), count, buffer.begin());
      input_->consume(count);
      return count;
    }
    const std::size_t count = TRY(source_.read(buffer));
    direct_ += count;
    return count;
  }
  [[nodiscard]] Compression compression() const override { return Compression::None; }
  [[nodiscard]] std::uint64_t compressed_bytes() const override { return input_->total() + direct_; }

 private:
  std::unique_ptr<detail::SourceBuffer> input_;
  base::ByteSource& source_;
  std::uint64_t direct_ = 0;
};

class PlainSink final : public Compressor {
 public:
  explicit PlainSink(base::ByteSink& sink) : sink_{sink} {}
  Result<> write(std::string_view bytes) override { return sink_.write(bytes); }
  Result<> finish() override { return {}; }

 private:
  base::ByteSink& sink_;
};

bool is_zstd(std::string_view head) {
  if (head.starts_with("\x28\xb5\x2f\xfd")) return true;
  // A skippable frame, with which zstd:chunked and pzstd files may begin.
  return head.size() >= 4 && (static_cast<unsigned char>(head[0]) & 0xf0U) == 0x50 &&
         head.substr(1, 3) == "\x2a\x4d\x18";
}

}  // namespace

std::string_view name_of(Compression compression) {
  switch (compression) {
    case Compression::None: return "none";
    case Compression::Gzip: return "gzip";
    case Compression::Zstd: return "zstd";
  }
  return "none";
}

Result<Compression> detect_compression(std::string_view head) {
  if (head.starts_with("\x1f\x8b")) return Compression::Gzip;
  if (is_zstd(head)) return Compression::Zstd;
  std::string_view unread;
  if (head.starts_with("BZh")) unread = "bzip2";
  if (head.starts_with("\xfd"
                       "7zX"))
    unread = "xz";
  if (head.starts_with("\x04\x22\x4d\x18")) unread = "lz4";
  if (!unread.empty()) {
    return base::invalid(fmt::format("{} compression is not supported; use gzip, zstd or none", unread));
  }
  return Compression::None;
}

Result<std::unique_ptr<Decompressor>> decompress(base::ByteSource& source) {
  auto input = std::make_unique<detail::SourceBuffer>(source);
  static_cast<void>(TRY(input->fill(4)));  // an empty stream is a plain one
  switch (TRY(detect_compression(input->rest().substr(0, 4)))) {
    case Compression::Gzip: return detail::make_gunzip(std::move(input));
    case Compression::Zstd: return detail::make_unzstd(std::move(input));
    case Compression::None: break;
  }
  return std::make_unique<PlainSource>(std::move(input), source);
}

std::unique_ptr<Compressor> compress(base::ByteSink& sink, Compression compression) {
  switch (compression) {
    case Compression::Gzip: return detail::make_gzip(sink);
    case Compression::Zstd: return detail::make_zstd(sink);
    case Compression::None: break;
  }
  return std::make_unique<PlainSink>(sink);
}

}  // namespace codec
