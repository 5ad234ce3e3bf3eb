/// The help's lines, laid out as pflag lays them out.
#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "flags/flag_set.h"

namespace flags {
namespace {

struct Line {
  std::string left;
  std::string text;
};

/// The word for the value, and the help without the back quotes that may mark it.
std::pair<std::string, std::string> word_and_help(const Flag& flag) {
  const std::string_view help = flag.info.help;
  if (const auto open = base::cut(help, "`")) {
    if (const auto close = base::cut(open->second, "`")) {
      return {std::string{close->first}, fmt::format("{}{}{}", open->first, close->first, close->second)};
    }
  }
  return {std::string{flag.info.type.empty() ? flag.value.type : flag.info.type}, std::string{help}};
}

Line line_of(const Flag& flag) {
  const auto& info = flag.info;
  auto [word, text] = word_and_help(flag);
  std::string left = info.shorthand != '\0' && info.shorthand_deprecated.empty()
                         ? fmt::format("  -{}, --{}", info.shorthand, info.name)
                         : fmt::format("      --{}", info.name);
  if (!word.empty()) left += " " + word;
  if (const auto alone = info.without_value; !alone.empty() && alone != flag.value.without_value) {
    left += flag.value.type == "string" ? fmt::format("[=\"{}\"]", alone) : fmt::format("[={}]", alone);
  }
  if (info.shown_default) {
    if (!info.shown_default->empty()) text += fmt::format(" (default {})", *info.shown_default);
  } else if (!flag.value.initial_is_zero) {
    text += fmt::format(" (default {})", flag.value.initial);
  }
  return {std::move(left), std::move(text)};
}

void append_indented(std::string& out, std::string_view text, std::string_view line_break) {
  for (const char c : text) {
    if (c == '\n') {
      out += line_break;
    } else {
      out += c;
    }
  }
}

/// The length of the first line of at most `width` columns; a rest that is no longer than the width
/// and `slack` stays whole, so that no short last word stands alone.
std::size_t break_at(std::string_view text, std::size_t width, std::size_t slack) {
  if (text.size() < width + slack) return text.size();
  const auto space = text.substr(0, width).find_last_of(" \t\n");
  if (space == std::string_view::npos || space == 0) return text.size();
  const auto newline = text.substr(0, width).rfind('\n');
  return newline != std::string_view::npos && newline > 0 && newline < space ? newline : space;
}

void append_wrapped(std::string& out, std::string_view text, std::size_t indent, std::size_t columns) {
  constexpr std::size_t kNarrowest = 24;
  constexpr std::size_t kBlockIndent = 16;
  constexpr std::size_t kSlack = 5;
  if (columns == 0) return append_indented(out, text, "\n" + std::string(indent, ' '));
  if (columns < indent + kNarrowest) {
    indent = kBlockIndent;
    const std::string line_break = "\n" + std::string(indent, ' ');
    if (columns < indent + kNarrowest) return append_indented(out, text, line_break);
    out += line_break;
  }
  const std::string line_break = "\n" + std::string(indent, ' ');
  const std::size_t width = columns - indent - kSlack;
  while (true) {
    const std::size_t length = break_at(text, width, kSlack);
    append_indented(out, text.substr(0, length), line_break);
    if (length + 1 >= text.size()) return;
    text.remove_prefix(length + 1);
    out += line_break;
  }
}

}  // namespace

std::vector<const Flag*> FlagSet::sorted() const {
  std::vector<const Flag*> out;
  for (const auto& flag : flags_) out.push_back(&flag);
  std::ranges::sort(out, {}, [](const Flag* flag) { return flag->info.name; });
  return out;
}

bool FlagSet::has_visible() const {
  return std::ranges::any_of(flags_, [](const Flag& flag) { return !flag.info.hidden; });
}

std::string FlagSet::help(std::size_t columns) const {
  std::vector<Line> lines;
  std::size_t widest = 0;
  for (const Flag* flag : sorted()) {
    if (flag->info.hidden) continue;
    lines.push_back(line_of(*flag));
    widest = std::max(widest, lines.back().left.size());
  }
  std::string out;
  for (const auto& line : lines) {
    const std::size_t indent = widest + 3;
    out += line.left;
    out.append(indent - line.left.size(), ' ');
    append_wrapped(out, line.text, indent, columns);
    out += '\n';
  }
  return out;
}

}  // namespace flags
