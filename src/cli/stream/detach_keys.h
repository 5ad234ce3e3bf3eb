#pragma once
/// The key sequence that leaves a container running: "ctrl-p,ctrl-q". Source: docker's --detach-keys.

#include <string>
#include <string_view>

#include "base/result.h"

namespace cli {

/// "a", "ctrl-a" … "ctrl-z", "ctrl-@", "ctrl-[", "ctrl-\\", "ctrl-]", "ctrl-^", "ctrl-_", joined by commas.
/// Errors: InvalidArgument, "Unknown character: 'x'".
base::Result<std::string> parse_detach_keys(std::string_view text);

/// Takes the sequence out of what is typed. Keys that may begin it are held back until they are known
/// not to.
class DetachFilter {
 public:
  explicit DetachFilter(std::string keys) : keys_{std::move(keys)} {}

  /// Appends what goes to the container. True once the whole sequence was typed: what follows it is
  /// dropped.
  bool feed(std::string_view typed, std::string& out);

 private:
  std::string keys_;
  std::size_t matched_ = 0;
};

}  // namespace cli
