#include "image/detail/glob.h"

#include <optional>

namespace image::detail {
namespace {

/// One character of a set, its escape taken.
std::optional<char> set_character(std::string_view& pattern) {
  if (pattern.empty() || pattern.front() == '-' || pattern.front() == ']') return std::nullopt;
  if (pattern.front() == '\\') pattern.remove_prefix(1);
  if (pattern.empty()) return std::nullopt;
  const char c = pattern.front();
  pattern.remove_prefix(1);
  return c;
}

/// `pattern` stands behind '['; leaves it behind ']'. nullopt for a malformed set.
std::optional<bool> set_matches(std::string_view& pattern, char c) {
  const bool negated = pattern.starts_with('^');
  if (negated) pattern.remove_prefix(1);
  bool matched = false;
  for (bool first = true;; first = false) {
    if (!first && pattern.starts_with(']')) break;
    const auto low = set_character(pattern);
    if (!low) return std::nullopt;
    auto high = low;
    if (pattern.starts_with('-')) {
      pattern.remove_prefix(1);
      high = set_character(pattern);
      if (!high) return std::nullopt;
    }
    matched = matched || (*low <= c && c <= *high);
  }
  pattern.remove_prefix(1);
  return matched != negated;
}

/// One step of the pattern that is no '*'. nullopt: no match.
std::optional<std::string_view> step(std::string_view pattern, char c) {
  const char head = pattern.front();
  pattern.remove_prefix(1);
  switch (head) {
    case '?':
      if (c == '/') return std::nullopt;
      return pattern;
    case '[': {
      const auto matched = set_matches(pattern, c);
      if (!matched || !*matched) return std::nullopt;
      return pattern;
    }
    case '\\':
      if (pattern.empty() || pattern.front() != c) return std::nullopt;
      return pattern.substr(1);
    default:
      if (head != c) return std::nullopt;
      return pattern;
  }
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view text) {
  // Where to go on when what stands behind the last '*' does not match: that star takes one more.
  std::optional<std::string_view> star_pattern;
  std::string_view star_text;
  while (!text.empty() || !pattern.empty()) {
    if (pattern.starts_with('*')) {
      pattern.remove_prefix(1);
      star_pattern = pattern;
      star_text = text;
      continue;
    }
    const auto next = pattern.empty() || text.empty() ? std::nullopt : step(pattern, text.front());
    if (next) {
      pattern = *next;
      text.remove_prefix(1);
      continue;
    }
    if (!star_pattern || star_text.empty() || star_text.front() == '/') return false;
    star_text.remove_prefix(1);
    pattern = *star_pattern;
    text = star_text;
  }
  return true;
}

}  // namespace image::detail
