#pragma once
/// Go's fmt over template values.

#include <span>
#include <string>
#include <string_view>

#include "cli/template/value.h"

namespace cli::tmpl {

/// Verbs v s q d x X o O b c U t e E f F g G T with flags, width, precision and `*`; what Go finds
/// wrong it writes into the text: "%!d(string=x)", "%!s(MISSING)".
[[nodiscard]] std::string format_as_go(std::string_view format, std::span<const Value> arguments);
/// fmt.Sprint: a space between operands of which neither is a string.
[[nodiscard]] std::string print_as_go(std::span<const Value> arguments);
/// fmt.Sprintln.
[[nodiscard]] std::string println_as_go(std::span<const Value> arguments);

}  // namespace cli::tmpl
