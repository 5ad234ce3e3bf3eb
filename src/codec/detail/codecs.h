#pragma once
/// The implementations behind codec/compression.h.

#include <memory>

#include "codec/compression.h"
#include "codec/detail/source_buffer.h"

namespace codec::detail {

std::unique_ptr<Decompressor> make_gunzip(std::unique_ptr<SourceBuffer> input);
std::unique_ptr<Decompressor> make_unzstd(std::unique_ptr<SourceBuffer> input);
std::unique_ptr<Compressor> make_gzip(base::ByteSink& sink);
std::unique_ptr<Compressor> make_zstd(base::ByteSink& sink);

}  // namespace codec::detail
