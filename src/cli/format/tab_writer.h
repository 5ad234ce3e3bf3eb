#pragma once
/// Text with tabs as aligned columns: Go's text/tabwriter. A cell is text that a tab ends; consecutive
/// lines with a cell in one column form a block of one width. Source: the package's documentation.

#include <string>
#include <string_view>

namespace cli {

struct TabLayout {
  std::size_t least_width = 10;  ///< of a column with its padding, as docker's tables have it
  std::size_t padding = 3;
};

/// Columns are counted in characters (code points).
[[nodiscard]] std::string align_tabs(std::string_view text, TabLayout layout = {});

/// The terminal columns of `text`, by code points.
[[nodiscard]] std::size_t display_width(std::string_view text);
/// At most `width` columns, the last one an ellipsis when something was cut.
[[nodiscard]] std::string ellipsis(std::string_view text, std::size_t width);

}  // namespace cli
