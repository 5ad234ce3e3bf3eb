#include "cli/template/ast.h"

namespace cli::tmpl {

std::string to_string(const Operand& operand) {
  std::string out;
  switch (operand.kind) {
    case Operand::Kind::Dot: return ".";
    case Operand::Kind::Nil: return "nil";
    case Operand::Kind::Constant: return operand.text;
    case Operand::Kind::Field: break;
    case Operand::Kind::Variable:
    case Operand::Kind::Function: out = operand.name; break;
    case Operand::Kind::Pipeline: out = "(" + to_string(*operand.pipeline) + ")"; break;
  }
  for (const auto& field : operand.fields) out += "." + field;
  return out;
}

std::string to_string(const Command& command) {
  std::string out;
  for (const auto& word : command.words) {
    if (!out.empty()) out += ' ';
    out += to_string(word);
  }
  return out;
}

std::string to_string(const Pipeline& pipeline) {
  std::string out;
  for (const auto& variable : pipeline.variables) {
    if (!out.empty()) out += ", ";
    out += variable;
  }
  if (!out.empty()) out += pipeline.assigns ? " = " : " := ";
  const char* separator = "";
  for (const auto& command : pipeline.commands) {
    out += separator;
    out += to_string(command);
    separator = " | ";
  }
  return out;
}

}  // namespace cli::tmpl
