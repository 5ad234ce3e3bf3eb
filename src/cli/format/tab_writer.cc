#include "cli/format/tab_writer.h"

#include <algorithm>
#include <vector>

#include "base/strings.h"

namespace cli {

namespace {

using Line = std::vector<std::string_view>;  ///< cells; the last one has no tab behind it

class Aligner {
 public:
  Aligner(const std::vector<Line>& lines, TabLayout layout) : lines_{lines}, layout_{layout} {}

  std::string run() {
    std::size_t from = 0;
    format(from, lines_.size());
    return std::move(out_);
  }

 private:
  [[nodiscard]] bool has_cell(std::size_t line, std::size_t column) const {
    return column + 1 < lines_[line].size();
  }

  void write(std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) {
      const Line& line = lines_[i];
      for (std::size_t column = 0; column < line.size(); ++column) {
        out_ += line[column];
        if (column + 1 < line.size() && column < widths_.size()) {
          out_.append(widths_[column] - std::min(widths_[column], display_width(line[column])), ' ');
        }
      }
      if (i + 1 < lines_.size()) out_ += '\n';
    }
  }

  /// Formats the lines [from, to), of which the columns before widths_.size() have their widths.
  void format(std::size_t& from, std::size_t to) {
    const std::size_t column = widths_.size();
    for (std::size_t line = from; line < to; ++line) {
      if (!has_cell(line, column)) continue;
      write(from, line);
      from = line;
      std::size_t width = layout_.least_width;
      while (line < to && has_cell(line, column)) {
        const std::size_t cell = display_width(lines_[line][column]);
        width = std::max(width, cell + layout_.padding);
        ++line;
      }
      widths_.push_back(width);
      format(from, line);
      widths_.pop_back();
      --line;
    }
    write(from, to);
    from = to;
  }

  const std::vector<Line>& lines_;
  TabLayout layout_;
  std::vector<std::size_t> widths_;
  std::string out_;
};

bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }

}  // namespace

std::string align_tabs(std::string_view text, TabLayout layout) {
  std::vector<Line> lines;
  for (const auto line : base::split(text, '\n')) lines.push_back(base::split(line, '\t'));
  return Aligner{lines, layout}.run();
}

std::size_t display_width(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, starts_character));
}

std::string ellipsis(std::string_view text, std::size_t width) {
  if (width == 0) return {};
  if (display_width(text) <= width) return std::string{text};
  std::size_t end = 0;
  for (std::size_t count = 0; end < text.size(); ++end) {
    if (starts_character(text[end]) && count++ == width - 1) break;
  }
  return std::string{text.substr(0, end)} + "…";
}

}  // namespace cli
