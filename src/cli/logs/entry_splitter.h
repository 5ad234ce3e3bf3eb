#pragma once
/// Takes a log apart into its entries: each begins with its time, as `timestamps` asks for.

#include <string>
#include <string_view>

#include "base/function_ref.h"
#include "base/result.h"
#include "cli/stream/frames.h"

namespace cli {

/// A piece of one entry's text. The first piece of an entry has its time.
struct LogPiece {
  FrameStream stream;
  std::string_view time;  ///< "2026-11-20T22:38:46.123456789Z"
  std::string_view text;
  bool first;
};

class EntrySplitter {
 public:
  /// `framed`: one entry per frame; else one per line (a container with a terminal).
  explicit EntrySplitter(bool framed) : framed_{framed} {}
  base::Result<> feed(std::string_view bytes, base::FunctionRef<void(const LogPiece&)> sink);

 private:
  void take(FrameStream stream, std::string_view bytes, base::FunctionRef<void(const LogPiece&)> sink);

  bool framed_;
  FrameReader frames_;
  bool in_text_ = false;  ///< the time of the present entry is complete
  std::string time_;
};

}  // namespace cli
