#pragma once
/// Which values an argument or a flag can have, by table, and where they come from.

#include <cstdint>
#include <string_view>

#include "cli/completion/complete.h"

namespace cli {

enum class ValueKind : std::uint8_t {
  Files,  ///< or something that nobody knows: the shell's own completion
  Nothing,
  Containers,
  Running,
  Stopped,
  Paused,
  Images,
  Networks,
  Volumes,
  Contexts,
  Objects,        ///< what `inspect` takes
  Words,          ///< a fixed list
  Filters,        ///< "status=", …
  CopyPath,       ///< a file, or "container:"
  ContainerMode,  ///< "host", "container:x"
};

/// Of the argument number `index` of a command.
[[nodiscard]] ValueKind kind_of_argument(const CommandRow& row, std::size_t index);

struct FlagValues {
  ValueKind kind = ValueKind::Files;
  std::string_view words;  ///< separated by spaces
};
[[nodiscard]] FlagValues values_of_flag(const CommandRow& row, std::string_view flag);

/// Asks the daemon where it has to. A daemon that does not answer gives an error's directive.
[[nodiscard]] Candidates candidates_of(Cli& cli, ValueKind kind, std::string_view words);

}  // namespace cli
