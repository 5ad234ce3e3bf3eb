#include "cli/logs/entry_splitter.h"

#include <algorithm>

namespace cli {

base::Result<> EntrySplitter::feed(std::string_view bytes, base::FunctionRef<void(const LogPiece&)> sink) {
  if (framed_) {
    return frames_.feed(bytes, [&](const FramePiece& piece) {
      if (piece.first) {
        time_.clear();
        in_text_ = false;
      }
      take(piece.stream, piece.bytes, sink);
    });
  }
  while (!bytes.empty()) {
    const auto newline = bytes.find('\n');
    const std::size_t length = newline == std::string_view::npos ? bytes.size() : newline + 1;
    take(FrameStream::Out, bytes.substr(0, length), sink);
    if (newline != std::string_view::npos) {
      time_.clear();
      in_text_ = false;
    }
    bytes.remove_prefix(length);
  }
  return {};
}

void EntrySplitter::take(FrameStream stream, std::string_view bytes,
                         base::FunctionRef<void(const LogPiece&)> sink) {
  const bool first = !in_text_;
  if (first) {
    const auto space = bytes.find(' ');
    time_ += bytes.substr(0, space);
    if (space == std::string_view::npos) return;
    bytes.remove_prefix(space + 1);
    in_text_ = true;
  }
  sink({stream, time_, bytes, first});
}

}  // namespace cli
