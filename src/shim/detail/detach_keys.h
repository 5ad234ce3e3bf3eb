#pragma once
/// The keys that make a client leave a terminal, as `--detach-keys` has them.
/// Source: docker attach --help: "a single character [a-Z] or ctrl-<value> where <value> is one of:
/// a-z, @, ^, [, , or _", joined by commas.

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace shim::detail {

/// The bytes that a terminal sends for `keys`; "" is docker's default, ctrl-p,ctrl-q.
/// Errors: InvalidArgument ("Unknown character: 'ctrl-1'").
base::Result<std::string> parse_detach_keys(std::string_view keys);

/// Watches a client's input for the sequence, whatever way it is cut into reads.
class DetachFilter {
 public:
  explicit DetachFilter(std::string sequence) : sequence_{std::move(sequence)} {}

  /// Appends to `out` what the process is to get of `input`. A started sequence is held back until it
  /// is complete or broken; if broken it is passed on. True when it is complete: the client leaves
  /// and the rest of `input` is dropped.
  bool feed(std::string_view input, std::string& out);

 private:
  std::string sequence_;
  std::size_t matched_ = 0;
};

}  // namespace shim::detail
