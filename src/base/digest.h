#pragma once
/// A content digest, "<algorithm>:<hex>", as a value.
/// Source: OCI image specification 1.1, descriptor.md, "Digests".

#include <compare>
#include <string>
#include <string_view>

#include "base/result.h"

namespace base {

/// Immutable. The default one is empty and stands for "none".
class Digest {
 public:
  Digest() = default;

  /// Takes sha256 (64 hex digits) and sha512 (128), lower case. Errors: InvalidArgument.
  static Result<Digest> parse(std::string_view text);
  /// From 64 hex digits that are known to be right (a hash that this program computed).
  static Digest sha256(std::string_view hex);

  [[nodiscard]] bool empty() const { return text_.empty(); }
  /// "sha256:4b82…"
  [[nodiscard]] const std::string& str() const { return text_; }
  [[nodiscard]] std::string_view algorithm() const;
  [[nodiscard]] std::string_view hex() const;
  /// The first 12 hex digits, as docker's tables show an id.
  [[nodiscard]] std::string short_hex() const { return std::string{hex().substr(0, 12)}; }

  auto operator<=>(const Digest&) const = default;

 private:
  explicit Digest(std::string text) : text_{std::move(text)} {}
  std::string text_;
};

}  // namespace base

template <>
struct std::hash<base::Digest> {
  std::size_t operator()(const base::Digest& digest) const noexcept {
    return std::hash<std::string>{}(digest.str());
  }
};
