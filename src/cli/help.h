#pragma once
/// Docker's help pages.

#include <string>
#include <string_view>

#include "cli/command.h"
#include "cli/plugins/plugin.h"

namespace cli {

/// `columns` of the terminal, 0 without one.
[[nodiscard]] std::string command_help(std::string_view program, std::string_view called,
                                       const CommandRow& row, const flags::FlagSet& flags,
                                       std::size_t columns);
/// Of `container`, `image`, …
[[nodiscard]] std::string group_help(std::string_view program, std::string_view group);
/// Of the program.
[[nodiscard]] std::string program_help(std::string_view program, const flags::FlagSet& flags,
                                       std::size_t columns, const std::vector<Plugin>& plugins);

/// "caisson ps [OPTIONS]"
[[nodiscard]] std::string usage_line(std::string_view program, std::string_view called,
                                     const CommandRow& row);

}  // namespace cli
