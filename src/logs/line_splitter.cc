#include "logs/line_splitter.h"

namespace logs {

std::size_t cut_length(std::string_view text) {
  for (std::size_t back = 1; back <= 3 && back < text.size(); ++back) {
    const auto byte = static_cast<std::uint8_t>(text[text.size() - back]);
    if (byte < 0x80) break;
    if (byte < 0xc0) continue;
    const std::size_t length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length > back ? text.size() - back : text.size();
  }
  return text.size();
}

}  // namespace logs
