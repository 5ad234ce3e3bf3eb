#pragma once
/// Result<T>: a value or an Error, and TRY to pass the Error on.
///
///   Result<Manifest> read_manifest(const Digest& digest) {
///     const std::string text = TRY(store.read(digest).context("read manifest"));
///     return parse_manifest(text);
///   }

#include <expected>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace base {

template <class T = void>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using std::expected<T, Error>::expected;
  Result(Error error) : std::expected<T, Error>{std::unexpect, std::move(error)} {}  // NOLINT

  /// Puts the caller's intent before the message of a failure; a success passes unchanged.
  Result&& context(std::string_view intent) && {
    if (!this->has_value()) std::move(this->error()).context(intent);
    return std::move(*this);
  }
  Result&& as(ErrorKind kind) && {
    if (!this->has_value()) std::move(this->error()).as(kind);
    return std::move(*this);
  }
  /// True for a failure of this kind.
  [[nodiscard]] bool failed_as(ErrorKind kind) const {
    return !this->has_value() && this->error().is(kind);
  }
};

/// For a failure that is of no interest, with the reason why in the argument's place.
template <class T>
void ignore(const Result<T>& /*result*/, const char* /*why*/) {}

}  // namespace base

#define BASE_CONCAT_IMPL(a, b) a##b
#define BASE_CONCAT(a, b) BASE_CONCAT_IMPL(a, b)
/// The value of a Result, or return its Error from the enclosing function.
#define TRY(...) TRY_IMPL(BASE_CONCAT(try_result_, __COUNTER__), __VA_ARGS__)
#define TRY_IMPL(r, ...)                                     \
  __extension__({                                            \
    auto r = (__VA_ARGS__);                                  \
    if (!r) return ::base::Error{std::move(r).error()};      \
    *std::move(r);                                           \
  })
