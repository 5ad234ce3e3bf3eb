#include "client/json_stream.h"

#include <array>

#include "base/strings.h"

namespace client {

using base::Result;

namespace {
constexpr std::size_t kReadBytes = 16 * 1024;
/// One value: docker's largest are a few hundred kilobytes.
constexpr std::size_t kMaxValue = std::size_t{64} << 20U;
}  // namespace

Result<std::optional<codec::Json>> JsonTextStream::next() {
  while (true) {
    std::size_t used = 0;
    const std::string_view rest = std::string_view{buffer_}.substr(begin_);
    auto value = TRY(codec::Json::parse_prefix(rest, used).context("read the daemon's stream"));
    if (used != 0) {
      begin_ += used;
      return std::optional{std::move(value)};
    }
    if (rest.size() > kMaxValue) return base::invalid("read the daemon's stream: a JSON value without end");
    buffer_.erase(0, std::exchange(begin_, 0));
    std::array<char, kReadBytes> bytes;
    const std::size_t count = TRY(reply_->read(bytes));
    if (count == 0) {
      if (base::trim(buffer_).empty()) return std::optional<codec::Json>{};
      return base::unavailable("read the daemon's stream: unexpected EOF");
    }
    buffer_.append(bytes.data(), count);
  }
}

}  // namespace client
