#include "base/byte_stream.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include <fmt/format.h>

namespace base {
namespace {
constexpr std::size_t kCopyBytes = 64 * 1024;
}

Result<std::size_t> StringSource::read(std::span<char> buffer) {
  const std::size_t count = std::min(buffer.size(), rest_.size());
  std::memcpy(buffer.data(), rest_.data(), count);
  rest_.remove_prefix(count);
  return count;
}

Result<> StringSink::write(std::string_view bytes) {
  text += bytes;
  return {};
}

Result<std::string> read_all(ByteSource& source, std::size_t limit) {
  std::string out;
  std::vector<char> buffer(kCopyBytes);
  while (true) {
    const std::size_t count = TRY(source.read(buffer));
    if (count == 0) return out;
    if (out.size() + count > limit) {
      return invalid(fmt::format("input is longer than the limit of {} bytes", limit));
    }
    out.append(buffer.data(), count);
  }
}

Result<std::size_t> copy(ByteSource& source, ByteSink& sink) {
  std::vector<char> buffer(kCopyBytes);
  std::size_t total = 0;
  while (true) {
    const std::size_t count = TRY(source.read(buffer));
    if (count == 0) return total;
    TRY(sink.write({buffer.data(), count}));
    total += count;
  }
}

}  // namespace base
