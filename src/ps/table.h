#pragma once
/// Rows of cells as ps(1) prints them. Pure.

#include <string>
#include <vector>

#include "ps/format.h"

namespace ps {

/// The titles, then one line per row: numbers to the right, text to the left, each column at least as wide as
/// ps has it and as its widest cell, the last one as it comes. Every row has a cell for each column.
[[nodiscard]] std::string table(const std::vector<Column>& columns,
                                const std::vector<std::vector<std::string>>& rows);

}  // namespace ps
