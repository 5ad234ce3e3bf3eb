#pragma once
/// An answer that is a sequence of JSON values while it lasts: events, progress.

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "codec/describe.h"
#include "http/client.h"

namespace client {

class JsonTextStream {
 public:
  explicit JsonTextStream(std::unique_ptr<http::Reply> reply) : reply_{std::move(reply)} {}

  /// Blocks for the next value; nullopt at the end. Errors: Unavailable (the daemon went away),
  /// InvalidArgument (no JSON).
  base::Result<std::optional<codec::Json>> next();

 private:
  std::unique_ptr<http::Reply> reply_;
  std::string buffer_;
  std::size_t begin_ = 0;  ///< of what is not parsed yet
};

/// The same with values of one described type.
template <class T>
class JsonStream {
 public:
  explicit JsonStream(std::unique_ptr<http::Reply> reply) : text_{std::move(reply)} {}

  base::Result<std::optional<T>> next() {
    const auto json = TRY(text_.next());
    if (!json) return std::optional<T>{};
    return std::optional<T>{TRY(codec::from_json<T>(*json))};
  }

 private:
  JsonTextStream text_;
};

}  // namespace client
