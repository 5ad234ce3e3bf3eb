#include <algorithm>
#include <vector>

#include <isa-l/igzip_lib.h>

#include "codec/detail/codecs.h"

namespace codec::detail {

using base::Result;

namespace {

std::uint8_t* bytes_of(std::string_view text) {
  // ISA-L takes its input as non-const and does not write to it.
  return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
}

class Gunzip final : public Decompressor {
 public:
  explicit Gunzip(std::unique_ptr<SourceBuffer> input) : input_{std::move(input)} { start_member(); }

  Result<std::size_t> read(std::span<char> buffer) override {
    if (ended_ || buffer.empty()) return 0U;
    auto result = inflate(buffer);
    if (!result) ended_ = true;
    return result;
  }
  [[nodiscard]] Compression compression() const override { return Compression::Gzip; }
  [[nodiscard]] std::uint64_t compressed_bytes() const override { return input_->total(); }

 private:
  void start_member() {
    isal_inflate_init(&state_);
    state_.crc_flag = ISAL_GZIP;  // ISA-L reads the header and checks CRC and length
  }

  Result<std::size_t> inflate(std::span<char> buffer) {
    const auto room = static_cast<std::uint32_t>(std::min<std::size_t>(buffer.size(), 1U << 30U));
    while (true) {
      if (state_.block_state == ISAL_BLOCK_FINISH) {
        if (!TRY(next_member())) return 0U;
      }
      // With no input left ISA-L may still hold output, so the end of the source is no failure yet.
      const bool more = TRY(input_->fill());
      const std::string_view ready = input_->rest();
      state_.next_in = bytes_of(ready);
      state_.avail_in = static_cast<std::uint32_t>(ready.size());
      state_.next_out = reinterpret_cast<std::uint8_t*>(buffer.data());
      state_.avail_out = room;
      const int status = isal_inflate(&state_);
      input_->consume(ready.size() - state_.avail_in);
      if (status < 0) return malformed(status);
      const std::size_t produced = room - state_.avail_out;
      if (produced > 0) return produced;
      if (!more && state_.block_state != ISAL_BLOCK_FINISH) {
        return base::invalid("gzip: unexpected end of the stream");
      }
    }
  }

  /// Another member, or nothing but the zeros that tape archives are padded with.
  Result<bool> next_member() {
    while (TRY(input_->fill(2))) {
      const std::string_view ready = input_->rest();
      if (ready.starts_with("\x1f\x8b")) {
        start_member();
        return true;
      }
      const auto junk = ready.find_first_not_of('\0');
      if (junk != std::string_view::npos) return base::invalid("gzip: garbage behind the end of the stream");
      input_->consume(ready.size());
    }
    ended_ = true;
    return false;
  }

  static base::Error malformed(int status) {
    switch (status) {
      case ISAL_INCORRECT_CHECKSUM: return base::invalid("gzip: wrong checksum");
      case ISAL_INVALID_WRAPPER: return base::invalid("gzip: malformed header");
      case ISAL_UNSUPPORTED_METHOD: return base::invalid("gzip: unknown compression method");
      default: return base::invalid("gzip: malformed data");
    }
  }

  std::unique_ptr<SourceBuffer> input_;
  inflate_state state_{};
  bool ended_ = false;
};

class Gzip final : public Compressor {
 public:
  explicit Gzip(base::ByteSink& sink) : sink_{sink}, work_(ISAL_DEF_LVL2_DEFAULT), out_(kOut) {
    isal_deflate_init(&stream_);
    stream_.level = 2;
    stream_.level_buf = work_.data();
    stream_.level_buf_size = static_cast<std::uint32_t>(work_.size());
    stream_.gzip_flag = IGZIP_GZIP;
    stream_.flush = NO_FLUSH;
  }

  Result<> write(std::string_view bytes) override {
    while (!bytes.empty()) {
      const std::string_view part = bytes.substr(0, 1U << 30U);
      TRY(deflate(part));
      bytes.remove_prefix(part.size());
    }
    return {};
  }

  Result<> finish() override {
    stream_.end_of_stream = 1;
    TRY(deflate({}));
    return {};
  }

 private:
  static constexpr std::size_t kOut = std::size_t{64} << 10U;

  Result<> deflate(std::string_view part) {
    stream_.next_in = bytes_of(part);
    stream_.avail_in = static_cast<std::uint32_t>(part.size());
    do {
      stream_.next_out = out_.data();
      stream_.avail_out = static_cast<std::uint32_t>(out_.size());
      CAISSON_INVARIANT(isal_deflate(&stream_) == COMP_OK);
      const std::size_t count = out_.size() - stream_.avail_out;
      if (count > 0) TRY(sink_.write({reinterpret_cast<const char*>(out_.data()), count}));
    } while (stream_.avail_out == 0 || stream_.avail_in > 0);
    return {};
  }

  base::ByteSink& sink_;
  isal_zstream stream_{};
  std::vector<std::uint8_t> work_;
  std::vector<std::uint8_t> out_;
};

}  // namespace

std::unique_ptr<Decompressor> make_gunzip(std::unique_ptr<SourceBuffer> input) {
  return std::make_unique<Gunzip>(std::move(input));
}

std::unique_ptr<Compressor> make_gzip(base::ByteSink& sink) { return std::make_unique<Gzip>(sink); }

}  // namespace codec::detail
