#pragma once
/// The whole client: from main()'s arguments to the exit status.

#include <span>

namespace cli {

/// The exit status is docker's: 125 for a malformed command line, 1 for a command that failed, what the
/// command says else.
int run_program(std::span<char* const> arguments);

}  // namespace cli
