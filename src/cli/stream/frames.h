#pragma once
/// The frames in which a container without a terminal sends stdout and stderr over one connection:
/// {stream, 0, 0, 0, size as 4 bytes big-endian} and the bytes. Source: the Engine API, "Stream format".

#include <cstdint>
#include <string>
#include <string_view>

#include "base/function_ref.h"
#include "base/result.h"

namespace cli {

enum class FrameStream : std::uint8_t { In = 0, Out = 1, Err = 2, SystemErr = 3 };

/// What one call of the sink gets. A frame may come in several pieces.
struct FramePiece {
  FrameStream stream;
  std::string_view bytes;
  bool first;  ///< the frame begins here
  bool last;   ///< and ends with these bytes
};

class FrameReader {
 public:
  /// Errors: InvalidArgument for an unknown stream ("Unrecognized input header: 7"), Internal for what the
  /// daemon reports on the error stream.
  base::Result<> feed(std::string_view bytes, base::FunctionRef<void(const FramePiece&)> sink);
  /// In the middle of a frame.
  [[nodiscard]] bool incomplete() const { return !head_.empty() || left_ > 0; }

 private:
  std::string head_;  ///< the bytes of a head that is not complete
  std::size_t left_ = 0;
  FrameStream stream_ = FrameStream::Out;
  bool first_ = false;
  std::string system_error_;
};

}  // namespace cli
