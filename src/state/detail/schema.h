#pragma once
/// The tables and how an old file becomes a new one. See schema.cc for the picture.

#include <span>
#include <string_view>

namespace state::detail {

struct Migration {
  int to;                ///< the version that the file has afterwards
  std::string_view sql;  ///< statements that bring version `to - 1` there
};

/// In order: to = 1, 2, 3, …
std::span<const Migration> migrations();

/// Marks a SQLite file as ours (PRAGMA application_id): "CAIS".
inline constexpr int kApplicationId = 0x43414953;

}  // namespace state::detail
