#pragma once
/// Scripts that make a shell ask `__complete`. They know nothing of commands, so they fit every version.

#include <optional>
#include <string>
#include <string_view>

namespace cli {

/// `shell`: bash, zsh, fish, powershell; `program`: what the user types. nullopt: no such shell.
[[nodiscard]] std::optional<std::string> completion_script(std::string_view shell, std::string_view program,
                                                           bool descriptions);

}  // namespace cli
