#pragma once
/// The functions that a template can call: Go's own and docker's (json, join, split, lower, upper,
/// title, pad, truncate). All are pure.

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/template/value.h"

namespace cli::tmpl {

struct Function {
  std::string_view name;
  std::size_t least;
  /// SIZE_MAX: any number.
  std::size_t most;
  /// The type of each argument, one letter: s string, i int, . anything; the last one repeats.
  std::string_view types;
  /// Errors: InvalidArgument; the message says why only.
  base::Result<Value> (*call)(std::span<const Value> arguments);
  bool of_docker = false;  ///< not one of Go's
};

/// `and` and `or` are in the table for the parser; the executor short-circuits them.
[[nodiscard]] const Function* find_function(std::string_view name);

}  // namespace cli::tmpl
