#pragma once
/// base::ByteSource and ByteSink over a blocking descriptor that they own.

#include <utility>

#include "base/byte_stream.h"
#include "sys/fd.h"

namespace sys {

/// From the descriptor's present offset on.
class FdSource final : public base::ByteSource {
 public:
  explicit FdSource(UniqueFd fd) : fd_{std::move(fd)} {}
  base::Result<std::size_t> read(std::span<char> buffer) override { return read_some(fd_.get(), buffer); }

 private:
  UniqueFd fd_;
};

class FdSink final : public base::ByteSink {
 public:
  explicit FdSink(UniqueFd fd) : fd_{std::move(fd)} {}
  base::Result<> write(std::string_view bytes) override { return write_all(fd_.get(), bytes); }

 private:
  UniqueFd fd_;
};

}  // namespace sys
