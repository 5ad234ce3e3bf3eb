#pragma once
/// What a shell asks for while the user types: `caisson __complete WORDS…`, in the protocol of docker's client, so
/// that docker's completion scripts work with this program too. One candidate a line, with a tab and its
/// description; then ":" and a sum of Directive.

#include <cstdint>
#include <string>
#include <vector>

#include "cli/cli.h"
#include "cli/command.h"

namespace cli {

enum Directive : std::uint8_t { kDefault = 0, kError = 1, kNoSpace = 2, kNoFiles = 4 };

struct Candidate {
  std::string text, description;
};
struct Candidates {
  std::vector<Candidate> items;
  std::uint8_t directive = kNoFiles;
};

/// `words`: what stands behind the program's name; the last one is being typed and may be empty.
[[nodiscard]] Candidates complete(Cli& cli, const std::vector<std::string>& words);

/// The protocol's text.
[[nodiscard]] std::string protocol_text(const Candidates& candidates, bool descriptions);

}  // namespace cli
