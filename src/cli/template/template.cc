#include "cli/template/template.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "cli/template/functions.h"
#include "cli/template/parser.h"

namespace cli::tmpl {

using base::Result;

namespace {

using Kind = Value::Kind;
using Final = std::optional<Value>;  ///< the value that a pipeline's last stage gives to the next

enum class Flow : std::uint8_t { On, Break, Continue };

class Executor {
 public:
  Executor(const std::string& name, const Tree& tree, std::string& out, MissingKey missing_key,
           Functions functions)
      : name_{name},
        template_{name},
        tree_{tree},
        out_{out},
        missing_key_{missing_key},
        functions_{functions} {}

  Result<> run(const Value& data) {
    variables_.emplace_back("$", data);
    TRY(walk(data, tree_.root));
    return {};
  }

 private:
  static constexpr int kDeepest = 500;

  /// Where the evaluation stands, for messages: the node that was entered last, as in Go.
  using Place = std::variant<std::monostate, const Operand*, const Command*, const Pipeline*>;

  [[nodiscard]] base::Error fail(std::string_view message) const {
    if (const auto* word = std::get_if<const Operand*>(&at_)) {
      return fail((*word)->position, to_string(**word), message);
    }
    if (const auto* command = std::get_if<const Command*>(&at_)) {
      return fail((*command)->position, to_string(**command), message);
    }
    const Pipeline& pipeline = *std::get<const Pipeline*>(at_);  // every evaluation enters one first
    return fail(pipeline.position, to_string(pipeline), message);
  }
  /// An error at a node: `at` says where, `what` is the node as Go prints it.
  [[nodiscard]] base::Error fail(std::size_t at, std::string_view what, std::string_view message) const {
    const std::string_view before = std::string_view{tree_.text}.substr(0, at);
    const auto newline = before.rfind('\n');
    const std::size_t column = newline == std::string_view::npos ? at : at - newline - 1;
    const auto line = 1 + std::ranges::count(before, '\n');
    return base::invalid(fmt::format("template: {}:{}:{}: executing {} at <{}>: {}", name_, line, column,
                                     base::quoted(template_), what, message));
  }

  Result<Flow> walk(const Value& dot, const Nodes& nodes) {
    for (const auto& node : nodes) {
      const Flow flow = TRY(walk(dot, node));
      if (flow != Flow::On) return flow;
    }
    return Flow::On;
  }

  Result<Flow> walk(const Value& dot, const Node& node) {
    switch (node.kind) {
      case Node::Kind::Text: out_ += node.text; return Flow::On;
      case Node::Kind::Action: {
        const Value value = TRY(evaluate(dot, *node.pipeline));
        if (node.pipeline->variables.empty()) out_ += value.printed();
        return Flow::On;
      }
      case Node::Kind::If:
      case Node::Kind::With: {
        const std::size_t scope = variables_.size();
        const Value value = TRY(evaluate(dot, *node.pipeline));
        const Nodes& branch = value.truth() ? node.body : node.otherwise;
        const bool moves_dot = node.kind == Node::Kind::With && value.truth();
        const Flow flow = TRY(walk(moves_dot ? value : dot, branch));
        leave(scope);
        return flow;
      }
      case Node::Kind::Range: return range(dot, node);
      case Node::Kind::Template: return call(dot, node);
      case Node::Kind::Break: return Flow::Break;
      case Node::Kind::Continue: break;
    }
    return Flow::Continue;
  }

  Result<Flow> range(const Value& dot, const Node& node) {
    const Pipeline& pipeline = *node.pipeline;
    const std::size_t scope = variables_.size();
    const Value over = TRY(evaluate(dot, pipeline));
    const std::size_t inside = variables_.size();
    bool any = false;
    bool stopped = false;
    const auto once = [&](const Value& key, const Value& element) -> Result<> {
      any = true;
      // One variable is the element, of two the first is the key.
      const auto& names = pipeline.variables;
      if (names.size() == 1) assign(pipeline, inside - 1, element);
      if (names.size() == 2) {
        assign(pipeline, inside - 2, key, 0);
        assign(pipeline, inside - 1, element, 1);
      }
      const Flow flow = TRY(walk(element, node.body));
      leave(inside);
      stopped = flow == Flow::Break;
      return {};
    };
    switch (over.kind()) {
      case Kind::Missing:
      case Kind::Nil: break;
      case Kind::List:
        for (std::size_t i = 0; i < over.as_list().size() && !stopped; ++i) {
          TRY(once(Value{static_cast<std::int64_t>(i)}, over.as_list()[i]));
        }
        break;
      case Kind::Map:
        for (const auto& [key, element] : over.as_members().items) {
          if (stopped) break;
          TRY(once(Value{key}, element));
        }
        break;
      case Kind::Int:
        for (std::int64_t i = 0; i < over.as_int() && !stopped; ++i) TRY(once(Value{i}, Value{i}));
        break;
      default: {
        std::string shown;
        over.format_to(shown);
        return fail("range can't iterate over " + shown);
      }
    }
    if (!any) {
      const Flow flow = TRY(walk(dot, node.otherwise));
      leave(scope);
      return flow;
    }
    leave(scope);
    return Flow::On;
  }

  /// Sets a range's variable: the one it declared, at `slot`, or with `=` one from outside.
  void assign(const Pipeline& pipeline, std::size_t slot, const Value& value, std::size_t which = 0) {
    if (!pipeline.assigns) {
      variables_[slot].second = value;
    } else {
      set_variable(pipeline.variables[which], value);
    }
  }

  bool set_variable(const std::string& name, const Value& value) {
    for (auto at = variables_.rbegin(); at != variables_.rend(); ++at) {
      if (at->first == name) {
        at->second = value;
        return true;
      }
    }
    return false;
  }

  void leave(std::size_t scope) {
    variables_.erase(variables_.begin() + static_cast<std::ptrdiff_t>(scope), variables_.end());
  }

  Result<Flow> call(const Value& dot, const Node& node) {
    // The last definition of a name counts.
    const auto& defined = tree_.defined;
    const auto at = std::find_if(defined.rbegin(), defined.rend(),
                                 [&](const auto& entry) { return entry.first == node.text; });
    const std::string what = "{{template " + base::quoted(node.text) +
                             (node.pipeline ? " " + to_string(*node.pipeline) : "") + "}}";
    if (at == defined.rend()) {
      return fail(node.position, what, fmt::format("template {} not defined", base::quoted(node.text)));
    }
    if (++depth_ > kDeepest) {
      return fail(node.position, what, fmt::format("exceeded maximum template depth ({})", kDeepest));
    }
    const Value inner = node.pipeline ? TRY(evaluate(dot, *node.pipeline)) : Value{};
    std::vector<std::pair<std::string, Value>> outer{{"$", inner}};
    std::swap(outer, variables_);
    const std::string name = std::exchange(template_, node.text);
    TRY(walk(inner, at->second));
    template_ = name;
    std::swap(outer, variables_);
    --depth_;
    return Flow::On;
  }

  Result<Value> evaluate(const Value& dot, const Pipeline& pipeline) {
    at_ = &pipeline;
    if (++depth_ > kDeepest) return fail("too deeply nested");
    Final value;
    for (const auto& command : pipeline.commands) value = TRY(evaluate(dot, command, value));
    --depth_;
    for (const auto& variable : pipeline.variables) {
      if (pipeline.assigns) {
        if (!set_variable(variable, *value)) return fail("undefined variable: " + variable);
      } else {
        variables_.emplace_back(variable, *value);
      }
    }
    return *value;
  }

  Result<Value> evaluate(const Value& dot, const Command& command, const Final& final) {
    const Operand& first = command.words[0];
    const bool has_arguments = command.words.size() > 1 || final;
    switch (first.kind) {
      case Operand::Kind::Field: return fields(dot, first, dot, &command, final);
      case Operand::Kind::Variable:
        if (!first.fields.empty()) return fields(dot, first, variable(first.name), &command, final);
        break;
      case Operand::Kind::Pipeline:
        if (!first.fields.empty()) {
          const Value inner = TRY(evaluate(dot, *first.pipeline));
          return fields(dot, first, inner, &command, final);
        }
        break;
      case Operand::Kind::Function:
        if (!first.fields.empty()) {
          const Value result = TRY(function(dot, first, nullptr, {}));
          return fields(dot, first, result, &command, final);
        }
        return function(dot, first, &command, final);
      default: break;
    }
    const bool parenthesis = first.kind == Operand::Kind::Pipeline;
    if (!parenthesis) at_ = &first;
    if (has_arguments) {
      return fail("can't give argument to non-function " +
                  (parenthesis ? to_string(*first.pipeline) : to_string(first)));
    }
    if (first.kind == Operand::Kind::Nil) return fail("nil is not a command");
    return operand(dot, first);
  }

  /// A word as a value, with nothing passed to it.
  Result<Value> operand(const Value& dot, const Operand& word) {
    at_ = &word;
    switch (word.kind) {
      case Operand::Kind::Dot: return dot;
      case Operand::Kind::Nil: return Value{Value::NilPointer{.typed = false}};
      case Operand::Kind::Constant:
        if (word.constant.kind() == Kind::Uint) return fail(word.text + " overflows int");
        return word.constant;
      case Operand::Kind::Field: return fields(dot, word, dot, nullptr, {});
      case Operand::Kind::Variable:
        if (word.fields.empty()) return variable(word.name);
        return fields(dot, word, variable(word.name), nullptr, {});
      case Operand::Kind::Function: {
        const Value result = TRY(function(dot, word, nullptr, {}));
        if (word.fields.empty()) return result;
        return fields(dot, word, result, nullptr, {});
      }
      case Operand::Kind::Pipeline: break;
    }
    const Value inner = TRY(evaluate(dot, *word.pipeline));
    if (word.fields.empty()) return inner;
    return fields(dot, word, inner, nullptr, {});
  }

  [[nodiscard]] Value variable(const std::string& name) const {
    for (auto at = variables_.rbegin(); at != variables_.rend(); ++at) {
      if (at->first == name) return at->second;
    }
    return {};  // the parser has checked that it is declared
  }

  Result<std::vector<Value>> arguments_of(const Value& dot, const Command* command, const Final& final) {
    std::vector<Value> out;
    if (command != nullptr) {
      for (std::size_t i = 1; i < command->words.size(); ++i) {
        out.push_back(TRY(operand(dot, command->words[i])));
      }
    }
    if (final) out.push_back(*final);
    return out;
  }

  /// word.fields applied to `start`; only the last one gets the command's arguments.
  Result<Value> fields(const Value& dot, const Operand& word, const Value& start, const Command* command,
                       const Final& final) {
    // What follows a parenthesis or a function is evaluated after it, and so stands where that ended.
    if (word.kind == Operand::Kind::Field || word.kind == Operand::Kind::Variable) at_ = &word;
    Value value = start;
    bool in_interface = false;
    for (std::size_t i = 0; i < word.fields.size(); ++i) {
      const bool last = i + 1 == word.fields.size();
      const Place place = at_;
      const auto arguments = TRY(arguments_of(dot, last ? command : nullptr, last ? final : Final{}));
      at_ = place;
      const bool holds_interfaces = value.kind() == Kind::Map && !value.as_members().zero;
      value = TRY(field(value, word.fields[i], arguments, in_interface));
      in_interface = holds_interfaces;
    }
    return value;
  }

  /// `in_interface`: Go sees the value through a map's interface{} and names that as its type.
  Result<Value> field(const Value& value, const std::string& name, const std::vector<Value>& arguments,
                      bool in_interface) {
    switch (value.kind()) {
      case Kind::Missing:
        if (missing_key_ == MissingKey::Error) {
          return fail(fmt::format("nil data; no entry for key {}", base::quoted(name)));
        }
        return Value{};
      case Kind::Nil: return fail(fmt::format("nil pointer evaluating {}.{}", value.type_name(), name));
      case Kind::Object: {
        auto found = value.as_object().field(name, arguments);
        if (!found) return fail(found.error().message());
        if (*found) return std::move(**found);
        break;
      }
      case Kind::Map: {
        if (!arguments.empty()) return fail(name + " is not a method but has arguments");
        if (const Value* found = value.as_members().find(name)) return Value{*found};
        if (missing_key_ == MissingKey::Error) {
          return fail(fmt::format("map has no entry for key {}", base::quoted(name)));
        }
        return Value{};
      }
      case Kind::Struct:
        if (const Value* found = value.as_members().find(name)) {
          if (!arguments.empty()) {
            return fail(name + " has arguments but cannot be invoked as function");
          }
          return Value{*found};
        }
        break;
      default: break;
    }
    return fail(fmt::format("can't evaluate field {} in type {}", name,
                            in_interface ? "interface {}" : value.type_name()));
  }

  Result<Value> function(const Value& dot, const Operand& word, const Command* command, const Final& final) {
    at_ = &word;
    const Function& callee = *find_function(word.name);  // the parser has checked the name
    const std::size_t count = (command != nullptr ? command->words.size() - 1 : 0) + (final ? 1 : 0);
    if (count < callee.least || count > callee.most) {
      const bool open = callee.most == SIZE_MAX;
      const auto message = fmt::format("wrong number of args for {}: want {}{} got {}", word.name,
                                       open ? "at least " : "", callee.least, count);
      return fail(message);
    }
    if (word.name == "and" || word.name == "or")
      return short_circuit(dot, word.name == "or", *command, final);
    std::vector<Value> arguments;
    for (std::size_t i = 0; i < count; ++i) {
      // A value that came down the pipe has no word of its own.
      const bool written = command != nullptr && i + 1 < command->words.size();
      const Operand* from = written ? &command->words[i + 1] : nullptr;
      arguments.push_back(from != nullptr ? TRY(operand(dot, *from)) : *final);
      TRY(check_type(from, arguments.back(), callee.types[std::min(i, callee.types.size() - 1)]));
    }
    if (functions_ == Functions::PassOn && callee.of_docker) return arguments[0];
    auto result = callee.call(arguments);
    if (!result) {
      if (command != nullptr) at_ = command;
      return fail(fmt::format("error calling {}: {}", word.name, result.error().message()));
    }
    return result;
  }

  Result<Value> short_circuit(const Value& dot, bool stop_at, const Command& command, const Final& final) {
    Value value;
    for (std::size_t i = 1; i < command.words.size(); ++i) {
      value = TRY(operand(dot, command.words[i]));
      if (value.truth() == stop_at) return value;
    }
    if (final) return *final;
    return value;
  }

  Result<> check_type(const Operand* from, const Value& value, char type) {
    if (type == '.') return {};
    const Kind wanted = type == 's' ? Kind::String : Kind::Int;
    if (value.kind() == wanted) return {};
    const std::string_view name = type == 's' ? "string" : "int";
    if (value.kind() == Kind::Missing) return fail(fmt::format("invalid value; expected {}", name));
    if (from != nullptr && from->kind == Operand::Kind::Constant) {
      const std::string_view wanted_literal = type == 's' ? "string" : "integer";
      return fail(fmt::format("expected {}; found {}", wanted_literal, to_string(*from)));
    }
    return fail(fmt::format("wrong type for value; expected {}; got {}", name, value.type_name()));
  }

  const std::string& name_;
  std::string template_;
  const Tree& tree_;
  std::string& out_;
  MissingKey missing_key_;
  Functions functions_;
  int depth_ = 0;
  Place at_;
  std::vector<std::pair<std::string, Value>> variables_;
};

}  // namespace

Result<Template> Template::parse(std::string_view name, std::string_view text) {
  return Template{std::string{name}, TRY(tmpl::parse(name, text))};
}

Result<> Template::execute(std::string& out, const Value& data, MissingKey missing_key,
                           Functions functions) const {
  return Executor{name_, tree_, out, missing_key, functions}.run(data);
}

}  // namespace cli::tmpl
