#pragma once
/// Cuts what was read from a process into lines, wherever the reads were cut. A line of more than 16 KiB
/// comes in pieces, as docker's copier has it, but none of them ends within a UTF-8 character.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "logs/driver.h"

namespace logs {

/// Longer lines are cut in partial ones.
inline constexpr std::size_t kLineLimit = 16 * 1024;

/// Where to cut a text that is too long: before a character that would be cut in two.
[[nodiscard]] std::size_t cut_length(std::string_view text);

class LineSplitter {
 public:
  /// Calls `emit(text, complete)` for each line, without its newline. The start of one whose newline has
  /// not come yet is kept.
  template <class Emit>
  void feed(Stream stream, std::string_view bytes, Emit emit) {
    std::string& start = carry(stream);
    while (!bytes.empty()) {
      const std::string_view window = bytes.substr(0, kLineLimit - start.size());
      const auto newline = window.find('\n');
      if (newline == std::string_view::npos && window.size() + start.size() < kLineLimit) {
        start.append(window);
        break;
      }
      const std::size_t taken = newline == std::string_view::npos ? window.size() : newline + 1;
      std::string_view text = window.substr(0, newline);
      if (!start.empty()) text = start.append(text);
      if (newline != std::string_view::npos) {
        emit(text, true);
        start.clear();
      } else {
        const std::size_t cut = cut_length(text);
        emit(text.substr(0, cut), false);
        // What was cut off is at most three bytes, which came with this window or the one before it.
        start = std::string{text.substr(cut)};
      }
      bytes.remove_prefix(taken);
    }
  }
  /// The stream has ended: what stands there without its newline.
  template <class Emit>
  void end(Stream stream, Emit emit) {
    std::string& start = carry(stream);
    if (!start.empty()) emit(std::string_view{start}, false);
    start = {};
  }

  [[nodiscard]] std::string_view unfinished(Stream stream) const {
    return carry_[stream == Stream::Stdout ? 0 : 1];
  }
  /// Gives memory back.
  void trim() {
    for (auto& start : carry_) {
      if (start.empty()) start = {};
    }
  }

 private:
  std::string& carry(Stream stream) { return carry_[stream == Stream::Stdout ? 0 : 1]; }

  std::array<std::string, 2> carry_;
};

}  // namespace logs
