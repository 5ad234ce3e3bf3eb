#pragma once
/// What <string_view> lacks. All functions are pure.

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace base {

/// A string that ends with the expression: views of its parts would outlive it.
template <class S>
concept TemporaryString = std::same_as<std::remove_const_t<S>, std::string>;

[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);
std::vector<std::string_view> split(TemporaryString auto&& text, char separator) = delete;
/// As split, dropping empty parts.
[[nodiscard]] std::vector<std::string_view> split_words(std::string_view text, char separator = ' ');
std::vector<std::string_view> split_words(TemporaryString auto&& text, char separator = ' ') = delete;
/// The parts before and after the first `separator`; nullopt if there is none.
[[nodiscard]] std::optional<std::pair<std::string_view, std::string_view>> cut(
    std::string_view text, std::string_view separator);
std::optional<std::pair<std::string_view, std::string_view>> cut(TemporaryString auto&& text,
                                                                 std::string_view separator) = delete;
[[nodiscard]] std::string_view trim(std::string_view text);
[[nodiscard]] std::string to_lower(std::string_view text);
/// ASCII only, as HTTP header names and Go's JSON field names want it.
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b);
[[nodiscard]] std::string join(std::span<const std::string> parts, std::string_view separator);

/// Decimal, whole text, no sign for the unsigned one; nullopt if malformed or out of range.
[[nodiscard]] std::optional<std::int64_t> parse_int(std::string_view text);
[[nodiscard]] std::optional<std::uint64_t> parse_uint(std::string_view text);
[[nodiscard]] std::optional<std::uint64_t> parse_octal(std::string_view text);

[[nodiscard]] std::string to_hex(std::span<const std::uint8_t> bytes);
/// nullopt for an odd length or a byte that is no hex digit.
[[nodiscard]] std::optional<std::string> from_hex(std::string_view text);

/// RFC 4648. `base64_decode` takes the standard and the URL alphabet, with or without padding.
[[nodiscard]] std::string base64(std::string_view bytes);
[[nodiscard]] std::string base64_url(std::string_view bytes);
[[nodiscard]] std::optional<std::string> base64_decode(std::string_view text);

/// Go's %q: quoted, with \n, \t, \" and \xNN escapes. For messages that docker quotes so.
[[nodiscard]] std::string quoted(std::string_view text);

}  // namespace base
