#include "cli/stream/frames.h"

#include <algorithm>

#include <fmt/format.h>

namespace cli {

base::Result<> FrameReader::feed(std::string_view bytes, base::FunctionRef<void(const FramePiece&)> sink) {
  constexpr std::size_t kHeadSize = 8;
  while (!bytes.empty()) {
    if (left_ == 0) {
      const std::size_t take = std::min(kHeadSize - head_.size(), bytes.size());
      head_ += bytes.substr(0, take);
      bytes.remove_prefix(take);
      if (head_.size() < kHeadSize) return {};
      const auto byte = [&](std::size_t i) {
        return static_cast<std::size_t>(static_cast<unsigned char>(head_[i]));
      };
      if (byte(0) > 3) return base::invalid(fmt::format("Unrecognized input header: {}", byte(0)));
      stream_ = static_cast<FrameStream>(byte(0));
      left_ = byte(4) << 24U | byte(5) << 16U | byte(6) << 8U | byte(7);
      head_.clear();
      first_ = true;
      if (left_ == 0) sink({stream_, {}, true, true});
      continue;
    }
    const std::string_view piece = bytes.substr(0, left_);
    left_ -= piece.size();
    bytes.remove_prefix(piece.size());
    if (stream_ == FrameStream::SystemErr) {
      system_error_ += piece;
      if (left_ == 0) return base::internal("error from daemon in stream: " + system_error_);
    } else {
      sink({stream_, piece, first_, left_ == 0});
    }
    first_ = false;
  }
  return {};
}

}  // namespace cli
