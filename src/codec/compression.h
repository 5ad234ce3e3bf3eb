#pragma once
/// gzip (RFC 1952, by ISA-L) and zstd (RFC 8878, by libzstd) as decorators of byte streams.
///
/// Not for static programs: Debian has no static ISA-L, so these files link into the daemon and the
/// tools only (cmake/Programs.cmake).

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/byte_stream.h"
#include "base/result.h"

namespace codec {

enum class Compression : std::uint8_t { None, Gzip, Zstd };

/// "none", "gzip", "zstd".
[[nodiscard]] std::string_view name_of(Compression compression);

/// By the first four bytes. Errors: InvalidArgument for bzip2, xz and lz4, which are known but not
/// read here; everything else is None.
base::Result<Compression> detect_compression(std::string_view head);

/// A plain stream made from a compressed one. All members or frames are read, checksums checked.
/// Errors: InvalidArgument (malformed, cut off, wrong checksum, garbage behind the end), and those of
/// the source. One thread at a time.
class Decompressor : public base::ByteSource {
 public:
  [[nodiscard]] virtual Compression compression() const = 0;
  /// Taken from the source so far.
  [[nodiscard]] virtual std::uint64_t compressed_bytes() const = 0;
};

/// Finds the compression by the first bytes of `source`, which must outlive the result.
base::Result<std::unique_ptr<Decompressor>> decompress(base::ByteSource& source);

/// A sink that must be finished: without `finish` the output is cut off.
class Compressor : public base::ByteSink {
 public:
  virtual base::Result<> finish() = 0;
};

/// The output depends on the input only (no time, no name in the header, no threads), so that equal
/// layers get equal digests. `sink` must outlive the result.
std::unique_ptr<Compressor> compress(base::ByteSink& sink, Compression compression);

}  // namespace codec
