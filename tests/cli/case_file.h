#pragma once
/// The text form of a command line case. Its grammar: README.md.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cli_cases {

struct Step {
  int line = 0;  ///< in the file
  std::string command;
  std::string input;
  std::vector<std::string> out, err;  ///< expected lines, with wildcards
  std::vector<std::string> captures;  ///< names; each takes one line of output, in order
  int status = 0;
};

/// Errors: InvalidArgument with file and line.
base::Result<std::vector<Step>> parse_cases(const std::string& file, std::string_view text);

/// Whether `text` is what `pattern` says: "*" is any text.
[[nodiscard]] bool matches(std::string_view pattern, std::string_view text);
/// The same for all lines: a pattern "..." is any number of lines.
[[nodiscard]] bool matches(const std::vector<std::string>& patterns, const std::vector<std::string>& lines);

}  // namespace cli_cases
