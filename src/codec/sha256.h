#pragma once
/// SHA-256 (FIPS 180-4) by OpenSSL, which uses the processor's SHA instructions where it has them.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/byte_stream.h"
#include "base/digest.h"
#include "base/result.h"

namespace codec {

/// A running hash. Movable; one thread at a time.
class Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();

  void update(std::string_view bytes);
  /// The digest of everything so far, as "sha256:<hex>". The hash can go on afterwards.
  [[nodiscard]] base::Digest digest() const;
  /// Back to the empty input.
  void reset();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

[[nodiscard]] base::Digest sha256(std::string_view bytes);
/// Of the whole source, read to its end.
base::Result<base::Digest> sha256(base::ByteSource& source);
/// From the descriptor's present offset to its end, with read-ahead.
base::Result<base::Digest> sha256_of_file(int fd);

/// Passes on what it reads and hashes it. Does not own `source`.
class HashingSource final : public base::ByteSource {
 public:
  explicit HashingSource(base::ByteSource& source) : source_{source} {}
  base::Result<std::size_t> read(std::span<char> buffer) override;
  [[nodiscard]] base::Digest digest() const { return hash_.digest(); }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  base::ByteSource& source_;
  Sha256 hash_;
  std::uint64_t bytes_ = 0;
};

/// Passes on what it is given and hashes it. Does not own `sink`.
class HashingSink final : public base::ByteSink {
 public:
  explicit HashingSink(base::ByteSink& sink) : sink_{sink} {}
  base::Result<> write(std::string_view bytes) override;
  [[nodiscard]] base::Digest digest() const { return hash_.digest(); }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  base::ByteSink& sink_;
  Sha256 hash_;
  std::uint64_t bytes_ = 0;
};

}  // namespace codec
