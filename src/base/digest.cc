#include "base/digest.h"

#include <algorithm>

#include "base/strings.h"

namespace base {

Result<Digest> Digest::parse(std::string_view text) {
  const auto parts = cut(text, ":");
  if (!parts) return invalid("invalid digest " + quoted(text) + ": want ALGORITHM:HEX");
  const auto [algorithm, hex] = *parts;
  const std::size_t want = algorithm == "sha256" ? 64 : algorithm == "sha512" ? 128 : 0;
  if (want == 0) {
    return invalid("invalid digest " + quoted(text) + ": unsupported digest algorithm");
  }
  if (hex.size() != want) {
    return invalid("invalid digest " + quoted(text) + ": invalid checksum digest length");
  }
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (!std::ranges::all_of(hex, is_hex)) {
    return invalid("invalid digest " + quoted(text) + ": invalid checksum digest format");
  }
  return Digest{std::string{text}};
}

Digest Digest::sha256(std::string_view hex) {
  CAISSON_INVARIANT(hex.size() == 64);
  return Digest{"sha256:" + std::string{hex}};
}

std::string_view Digest::algorithm() const {
  return std::string_view{text_}.substr(0, text_.find(':'));
}

std::string_view Digest::hex() const {
  const auto at = text_.find(':');
  return at == std::string::npos ? std::string_view{} : std::string_view{text_}.substr(at + 1);
}

}  // namespace base
