#pragma once
/// The tree of a parsed template. Nodes know where they stand, for error messages.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/template/value.h"

namespace cli::tmpl {

struct Pipeline;

/// One word of a command.
struct Operand {
  enum class Kind : std::uint8_t { Dot, Nil, Constant, Field, Variable, Function, Pipeline };
  Kind kind;
  std::size_t position;
  std::string name;  ///< Variable: "$x"; Function: its name
  std::string text;  ///< Constant: as written
  Value constant;
  std::unique_ptr<Pipeline> pipeline;
  std::vector<std::string> fields;  ///< .A.B, or what follows a variable, a function or a parenthesis
  std::size_t fields_position = 0;
};

struct Command {
  std::size_t position;
  std::vector<Operand> words;
};

struct Pipeline {
  std::size_t position;
  int line;
  bool assigns = false;  ///< `=` instead of `:=`
  std::vector<std::string> variables;
  std::vector<Command> commands;
};

struct Node;
using Nodes = std::vector<Node>;

struct Node {
  enum class Kind : std::uint8_t { Text, Action, If, Range, With, Template, Break, Continue };
  Kind kind;
  std::size_t position;
  std::string text;  ///< Text: the text; Template: its name
  std::optional<Pipeline> pipeline;
  Nodes body;
  Nodes otherwise;
};

struct Tree {
  std::string text;  ///< the whole source, to find lines
  Nodes root;
  std::vector<std::pair<std::string, Nodes>> defined;
};

/// The node as Go prints it in messages: "<.Name | len>".
[[nodiscard]] std::string to_string(const Operand& operand);
[[nodiscard]] std::string to_string(const Command& command);
[[nodiscard]] std::string to_string(const Pipeline& pipeline);

}  // namespace cli::tmpl
