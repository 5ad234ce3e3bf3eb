#pragma once
/// A blob that is stored and unpacked by one reading.

#include <memory>
#include <span>

#include "base/byte_stream.h"
#include "content/store.h"
#include "image/detail/progress.h"

namespace image::detail {

/// First what an Ingest has already, then `rest`, which is written to the Ingest on its way.
class Tee final : public base::ByteSource {
 public:
  /// `written` may be null. `ingest` may be null: then nothing is written. All outlive the Tee.
  Tee(base::ByteSource* written, base::ByteSource& rest, content::Ingest* ingest, Meter* meter)
      : written_{written}, rest_{rest}, ingest_{ingest}, meter_{meter} {}

  base::Result<std::size_t> read(std::span<char> buffer) override {
    if (written_ != nullptr) {
      const std::size_t count = TRY(written_->read(buffer));
      if (count != 0) return count_in(count);
      written_ = nullptr;
    }
    const std::size_t count = TRY(rest_.read(buffer));
    if (count != 0 && ingest_ != nullptr) TRY(ingest_->write({buffer.data(), count}));
    return count_in(count);
  }

 private:
  std::size_t count_in(std::size_t count) {
    bytes_ += count;
    if (meter_ != nullptr) meter_->advance_to(bytes_);
    return count;
  }

  base::ByteSource* written_;
  base::ByteSource& rest_;
  content::Ingest* ingest_;
  Meter* meter_;
  std::uint64_t bytes_ = 0;
};

}  // namespace image::detail
