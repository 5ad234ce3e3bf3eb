#pragma once
/// One line on its way, and how a feed's bytes become lines.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/id.h"
#include "base/time.h"
#include "logs/driver.h"
#include "logs/line_splitter.h"

namespace forward {

/// Which piece of a line over 16 KiB it is.
struct Piece {
  std::string id;  ///< the same for all pieces of a line
  std::uint32_t ordinal = 0;
  bool last = false;
};

struct Message {
  logs::Stream stream = logs::Stream::Stdout;
  base::Time time{};
  std::string line;  ///< without its newline
  std::optional<Piece> piece;
};

/// Makes messages of bytes as they were read from a process.
class Assembler {
 public:
  template <class Take>
  void feed(logs::Stream stream, std::string_view bytes, base::Time time, Take take) {
    lines_.feed(stream, bytes, [&](std::string_view text, bool complete) { take(make(stream, time, text, complete)); });
  }
  template <class Take>
  void end(logs::Stream stream, base::Time time, Take take) {
    // A last line without a newline is a line, unless it is the rest of a long one.
    lines_.end(stream, [&](std::string_view text, bool /*complete*/) { take(make(stream, time, text, true)); });
  }

 private:
  Message make(logs::Stream stream, base::Time time, std::string_view text, bool complete) {
    auto& piece = pieces_[stream == logs::Stream::Stdout ? 0 : 1];
    if (!complete && !piece) piece = Piece{.id = base::random_id()};
    if (piece) {
      ++piece->ordinal;
      piece->last = complete;
    }
    Message message{stream, time, std::string{text}, piece};
    if (complete) piece.reset();
    return message;
  }

  logs::LineSplitter lines_;
  std::array<std::optional<Piece>, 2> pieces_;
};

}  // namespace forward
