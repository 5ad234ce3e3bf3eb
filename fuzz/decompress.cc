/// A compressed stream gives the same bytes, in whatever pieces it comes, or is refused in all.
///
/// Input: a byte with the size of the pieces, the stream.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "codec/compression.h"

namespace {

class Pieces final : public base::ByteSource {
 public:
  Pieces(std::string_view text, std::size_t size) : rest_{text}, size_{size} {}
  base::Result<std::size_t> read(std::span<char> buffer) override {
    const std::size_t count = std::min({rest_.size(), size_, buffer.size()});
    rest_.copy(buffer.data(), count);
    rest_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view rest_;
  std::size_t size_;
};

base::Result<std::string> plain(std::string_view stream, std::size_t piece) {
  Pieces source{stream, piece};
  const auto decompressor = TRY(codec::decompress(source));
  return base::read_all(*decompressor, std::size_t{1} << 20U);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view stream{reinterpret_cast<const char*>(data + 1), size - 1};
  const auto whole = plain(stream, stream.size() + 1);
  const auto pieces = plain(stream, 1U + data[0]);
  if (whole && pieces && *whole != *pieces) std::abort();
  // libzstd looks at a frame's promised size only when it has all of the frame at once.
  const bool gzip = stream.starts_with("\x1f\x8b");
  if (gzip && whole.has_value() != pieces.has_value()) std::abort();
  return 0;
}
