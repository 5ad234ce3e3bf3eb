#include "tree/glob.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "sys/file.h"

namespace tree {

using base::Result;

namespace {

constexpr std::string_view kSpecial = "*?[\\";

/// One "[…]" at the front of `pattern` against `c`; the length of the set, 0 when it has no end.
std::size_t match_set(std::string_view pattern, unsigned char c, bool& matched) {
  std::size_t at = 1;
  const bool negated = at < pattern.size() && (pattern[at] == '!' || pattern[at] == '^');
  if (negated) ++at;
  bool found = false;
  for (bool first = true; at < pattern.size() && (first || pattern[at] != ']'); first = false) {
    const auto take = [&] {
      if (pattern[at] == '\\' && at + 1 < pattern.size()) ++at;
      return static_cast<unsigned char>(pattern[at++]);
    };
    const unsigned char low = take();
    unsigned char high = low;
    if (at + 1 < pattern.size() && pattern[at] == '-' && pattern[at + 1] != ']') {
      ++at;
      high = take();
    }
    found = found || (low <= c && c <= high);
  }
  if (at >= pattern.size()) return 0;
  matched = found != negated;
  return at + 1;
}

/// What stands at the front of `pattern`, but a star, against `c`; the letters that it takes, 0 for no match.
std::size_t match_one(std::string_view pattern, char c) {
  if (pattern.empty()) return 0;
  if (pattern[0] == '?') return 1;
  if (pattern[0] == '[') {
    bool matched = false;
    const std::size_t length = match_set(pattern, static_cast<unsigned char>(c), matched);
    if (length != 0) return matched ? length : 0;
  }
  if (pattern[0] == '\\' && pattern.size() > 1) return pattern[1] == c ? 2 : 0;
  return pattern[0] == c ? 1 : 0;
}

std::string without_escapes(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    out += text[i];
  }
  return out;
}

bool is_directory(int root, const std::string& path) {
  return sys::open_in_root(root, path, O_PATH | O_DIRECTORY).has_value();
}

/// The paths below each of `folders` by one component of the pattern.
Result<std::vector<std::string>> step(int root, const std::vector<std::string>& folders, std::string_view component,
                                      std::size_t limit) {
  const bool is_literal = component.find_first_of("*?[") == std::string_view::npos;
  const std::string literal = without_escapes(component);
  std::vector<std::string> out;
  for (const auto& folder : folders) {
    if (is_literal) {
      std::string path = folder + "/" + literal;
      if (sys::open_in_root(root, path, O_PATH | O_NOFOLLOW)) out.push_back(std::move(path));
    } else {
      const auto opened = sys::open_in_root(root, folder.empty() ? "/" : folder, O_RDONLY | O_DIRECTORY);
      if (!opened) continue;
      const auto entries = sys::list_dir(opened->get());
      if (!entries) continue;
      for (const auto& entry : *entries) {
        if (matches(component, entry.name)) out.push_back(folder + "/" + entry.name);
      }
    }
    if (out.size() > limit) return base::invalid(fmt::format("the pattern matches more than {} paths", limit));
  }
  return out;
}

}  // namespace

bool has_pattern(std::string_view path) { return path.find_first_of(kSpecial) != std::string_view::npos; }

bool matches(std::string_view pattern, std::string_view name) {
  const bool shows_dot = pattern.starts_with('.') || pattern.starts_with("\\.");
  if (name.starts_with('.') && !shows_dot) return false;
  std::size_t at = 0;
  std::size_t in_name = 0;
  // Where to go on when the last star has to take one letter more.
  std::size_t after_star = std::string_view::npos;
  std::size_t taken = 0;
  while (in_name < name.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      after_star = ++at;
      taken = in_name;
      continue;
    }
    if (const std::size_t length = match_one(pattern.substr(at), name[in_name]); length != 0) {
      at += length;
      ++in_name;
      continue;
    }
    if (after_star == std::string_view::npos) return false;
    at = after_star;
    in_name = ++taken;
  }
  while (at < pattern.size() && pattern[at] == '*') ++at;
  return at == pattern.size();
}

Result<std::vector<std::string>> expand(int root, std::string_view pattern, std::size_t limit) {
  std::string_view suffix;
  if (pattern.ends_with("/.")) {
    suffix = "/.";
  } else if (pattern.ends_with('/')) {
    suffix = "/";
  }
  std::vector<std::string> out{""};
  for (const auto component : base::split_words(pattern, '/')) {
    if (component == ".") continue;
    out = TRY(step(root, out, component, limit));
  }
  if (!suffix.empty()) std::erase_if(out, [&](const std::string& path) { return !is_directory(root, path); });
  for (auto& path : out) path += suffix;
  std::ranges::sort(out);
  return out;
}

}  // namespace tree
