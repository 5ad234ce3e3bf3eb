#include "cli/template/parser.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "cli/template/functions.h"
#include "cli/template/lexer.h"
#include "cli/template/literal.h"

namespace cli::tmpl {

using base::Result;

namespace {

/// Deeper trees than this are an attack on the stack, not a format.
constexpr int kDeepest = 200;

std::string shown(const Lexeme& token) {
  switch (token.token) {
    case Token::End: return "EOF";
    case Token::Error: return token.text;
    case Token::Keyword: return "<" + token.text + ">";
    case Token::Dot:
    case Token::Nil: return "<" + token.text + ">";
    default: break;
  }
  if (token.text.size() > 10) return base::quoted(std::string_view{token.text}.substr(0, 10)) + "...";
  return base::quoted(token.text);
}

class Parser {
 public:
  Parser(std::string_view name, std::string_view text) : name_{name}, tokens_{lex(text)} {
    tree_.text = text;
  }

  Result<Tree> run() {
    while (peek_word().token != Token::End) {
      if (peek_word().token == Token::LeftDelim && after_delim("define")) {
        TRY(definition());
        continue;
      }
      Node node{.kind = Node::Kind::Text, .position = 0};
      const Ending ending = TRY(text_or_action(node));
      if (ending != Ending::None) {
        return fail(fmt::format("unexpected {}", ending == Ending::End ? "{{end}}" : "{{else}}"));
      }
      tree_.root.push_back(std::move(node));
    }
    return std::move(tree_);
  }

 private:
  enum class Ending : std::uint8_t { None, End, Else };

  // Tokens. `at_` is the next one.
  const Lexeme& peek() {
    line_ = tokens_[at_].line;
    return tokens_[at_];
  }
  const Lexeme& next() {
    const Lexeme& token = peek();
    if (at_ + 1 < tokens_.size()) ++at_;
    return token;
  }
  const Lexeme& peek_word() {
    while (tokens_[at_].token == Token::Space) ++at_;
    return peek();
  }
  const Lexeme& next_word() {
    peek_word();
    return next();
  }
  [[nodiscard]] bool after_delim(std::string_view keyword) const {
    std::size_t at = at_ + 1;
    while (at < tokens_.size() && tokens_[at].token == Token::Space) ++at;
    return at < tokens_.size() && tokens_[at].token == Token::Keyword && tokens_[at].text == keyword;
  }

  [[nodiscard]] base::Error fail(std::string_view message) const {
    return base::invalid(fmt::format("template: {}:{}: {}", name_, line_, message));
  }
  [[nodiscard]] base::Error unexpected(const Lexeme& token, std::string_view context) const {
    if (token.token != Token::Error) return fail(fmt::format("unexpected {} in {}", shown(token), context));
    std::string extra;
    if (action_line_ != 0 && action_line_ != token.line) {
      const bool repeats = token.text.ends_with(" action");
      extra = fmt::format("{} started at {}:{}", repeats ? "" : " in action", name_, action_line_);
    }
    return fail(token.text + extra);
  }
  Result<> expect(Token wanted, std::string_view context) {
    const Lexeme& token = next_word();
    if (token.token != wanted) return unexpected(token, context);
    return {};
  }

  Result<Ending> text_or_action(Node& node) {
    const Lexeme& token = next_word();
    if (token.token == Token::Text) {
      node = {.kind = Node::Kind::Text, .position = token.position, .text = token.text};
      return Ending::None;
    }
    if (token.token != Token::LeftDelim) return unexpected(token, "input");
    action_line_ = token.line;
    auto ending = action(node);
    action_line_ = 0;
    return ending;
  }

  Result<Ending> action(Node& node) {
    const Lexeme& token = peek_word();
    node = {.kind = Node::Kind::Action, .position = token.position};
    if (token.token != Token::Keyword) {
      node.pipeline = TRY(pipeline("command", Token::RightDelim));
      return Ending::None;
    }
    next();
    if (token.text == "if") return control(node, Node::Kind::If, "if");
    if (token.text == "range") return control(node, Node::Kind::Range, "range");
    if (token.text == "with") return control(node, Node::Kind::With, "with");
    if (token.text == "end") {
      TRY(expect(Token::RightDelim, "end"));
      return Ending::End;
    }
    if (token.text == "else") {
      const Lexeme& word = peek_word();
      if (word.token == Token::Keyword && (word.text == "if" || word.text == "with")) return Ending::Else;
      TRY(expect(Token::RightDelim, "else"));
      return Ending::Else;
    }
    if (token.text == "break" || token.text == "continue") {
      node.kind = token.text == "break" ? Node::Kind::Break : Node::Kind::Continue;
      const std::string braces = fmt::format("{{{{{}}}}}", token.text);
      if (const Lexeme& close = next_word(); close.token != Token::RightDelim) {
        return unexpected(close, braces);
      }
      if (range_depth_ == 0) return fail(braces + " outside {{range}}");
      return Ending::None;
    }
    if (token.text == "template") return call(node, "template clause");
    if (token.text == "block") return block(node);
    return unexpected(token, "command");
  }

  Result<std::string> quoted_name(std::string_view context) {
    const Lexeme& token = next_word();
    if (token.token != Token::String && token.token != Token::RawString) return unexpected(token, context);
    const auto name = unquote(token.text);
    if (!name) return fail("invalid syntax");
    return *name;
  }

  Result<Ending> call(Node& node, std::string_view context) {
    node.kind = Node::Kind::Template;
    node.position = peek_word().position;
    node.text = TRY(quoted_name(context));
    if (peek_word().token == Token::RightDelim) {
      next();
    } else {
      node.pipeline = TRY(pipeline(context, Token::RightDelim));
    }
    return Ending::None;
  }

  Result<Nodes> template_body(std::string_view context) {
    std::vector<std::string> outer{"$"};
    std::swap(outer, variables_);
    const int depth = std::exchange(range_depth_, 0);
    Nodes body;
    const Ending ending = TRY(item_list(body));
    if (ending != Ending::End) return fail(fmt::format("unexpected {{{{else}}}} in {}", context));
    std::swap(outer, variables_);
    range_depth_ = depth;
    return body;
  }

  Result<Ending> block(Node& node) {
    node.kind = Node::Kind::Template;
    node.text = TRY(quoted_name("block clause"));
    node.pipeline = TRY(pipeline("block clause", Token::RightDelim));
    tree_.defined.emplace_back(node.text, TRY(template_body("block clause")));
    return Ending::None;
  }

  Result<> definition() {
    next_word();
    next_word();
    const std::string name = TRY(quoted_name("define clause"));
    TRY(expect(Token::RightDelim, "define clause"));
    tree_.defined.emplace_back(name, TRY(template_body("define clause")));
    return {};
  }

  Result<Ending> item_list(Nodes& out) {
    while (peek_word().token != Token::End) {
      Node node{.kind = Node::Kind::Text, .position = 0};
      const Ending ending = TRY(text_or_action(node));
      if (ending != Ending::None) return ending;
      out.push_back(std::move(node));
    }
    return fail("unexpected EOF");
  }

  Result<Ending> control(Node& node, Node::Kind kind, std::string_view context) {
    if (++depth_ > kDeepest) return fail("too deeply nested");
    const std::size_t scope = variables_.size();
    node.kind = kind;
    node.pipeline = TRY(pipeline(context, Token::RightDelim));
    if (kind == Node::Kind::Range) ++range_depth_;
    const Ending ending = TRY(item_list(node.body));
    if (kind == Node::Kind::Range) --range_depth_;
    if (ending == Ending::Else) {
      // `else if` and `else with` end with the outer `end`; text_or_action left their keyword.
      const Lexeme& word = peek_word();
      if (word.token == Token::Keyword && word.text == context && kind != Node::Kind::Range) {
        next();
        Node inner{.kind = kind, .position = word.position};
        TRY(control(inner, kind, context));
        node.otherwise.push_back(std::move(inner));
      } else {
        if (word.token == Token::Keyword && tokens_[at_ - 1].token != Token::RightDelim) {
          return unexpected(word, "else");
        }
        if (TRY(item_list(node.otherwise)) != Ending::End) return fail("expected end; found {{else}}");
      }
    }
    variables_.resize(scope);
    --depth_;
    return Ending::None;
  }

  /// `$x :=`, `$i, $x :=` at the front of a pipeline.
  Result<> declarations(Pipeline& out, std::string_view context) {
    while (peek_word().token == Token::Variable) {
      const std::size_t back = at_;
      const Lexeme& variable = next();
      const Lexeme& after = peek_word();
      if (after.token == Token::Assign || after.token == Token::Declare) {
        out.assigns = after.token == Token::Assign;
        next();
        out.variables.push_back(variable.text);
        variables_.push_back(variable.text);
        return {};
      }
      if (after.token != Token::Comma) {
        at_ = back;
        return {};
      }
      next();
      out.variables.push_back(variable.text);
      variables_.push_back(variable.text);
      if (context != "range" || out.variables.size() >= 2) {
        return fail(fmt::format("too many declarations in {}", context));
      }
      const Token follows = peek_word().token;
      if (follows != Token::Variable && follows != Token::RightDelim && follows != Token::RightParen) {
        return fail("range can only initialize variables");
      }
    }
    return {};
  }

  Result<Pipeline> pipeline(std::string_view context, Token end) {
    const Lexeme& first = peek_word();
    Pipeline out{.position = first.position, .line = first.line};
    TRY(declarations(out, context));
    while (true) {
      const Lexeme& token = peek_word();
      if (token.token == end) {
        next();
        break;
      }
      if (!starts_operand(token.token)) return unexpected(next(), context);
      out.commands.push_back(TRY(command()));
    }
    if (out.commands.empty()) return fail(fmt::format("missing value for {}", context));
    for (std::size_t i = 1; i < out.commands.size(); ++i) {
      const auto kind = out.commands[i].words[0].kind;
      if (kind == Operand::Kind::Constant || kind == Operand::Kind::Dot || kind == Operand::Kind::Nil) {
        return fail(fmt::format("non executable command in pipeline stage {}", i + 1));
      }
    }
    return out;
  }

  static bool starts_operand(Token token) {
    switch (token) {
      case Token::Bool:
      case Token::CharConstant:
      case Token::Dot:
      case Token::Field:
      case Token::Identifier:
      case Token::Number:
      case Token::Nil:
      case Token::RawString:
      case Token::String:
      case Token::Variable:
      case Token::LeftParen: return true;
      default: return false;
    }
  }

  Result<Command> command() {
    Command out{.position = peek_word().position};
    while (true) {
      if (starts_operand(peek_word().token)) out.words.push_back(TRY(operand()));
      const Lexeme& token = peek();
      if (token.token == Token::Space) continue;
      if (token.token == Token::Pipe) {
        next();
        break;
      }
      if (token.token == Token::RightDelim || token.token == Token::RightParen) break;
      // After a space another operand is fine.
      if (starts_operand(token.token) && at_ > 0 && tokens_[at_ - 1].token == Token::Space) continue;
      return unexpected(next(), "operand");
    }
    if (out.words.empty()) return fail("empty command");
    return out;
  }

  Result<Operand> operand() {
    Operand out = TRY(term());
    if (peek().token != Token::Field) return out;
    const auto kind = out.kind;
    out.fields_position = peek().position;
    if (kind == Operand::Kind::Constant || kind == Operand::Kind::Nil || kind == Operand::Kind::Dot) {
      return fail(fmt::format("unexpected . after term {}", base::quoted(to_string(out))));
    }
    while (peek().token == Token::Field) out.fields.push_back(next().text.substr(1));
    if (kind == Operand::Kind::Field || kind == Operand::Kind::Variable) out.position = out.fields_position;
    return out;
  }

  Result<Operand> term() {
    const Lexeme& token = next();
    Operand out{.kind = Operand::Kind::Constant, .position = token.position, .text = token.text};
    switch (token.token) {
      case Token::Dot: out.kind = Operand::Kind::Dot; break;
      case Token::Nil: out.kind = Operand::Kind::Nil; break;
      case Token::Bool: out.constant = token.text == "true"; break;
      case Token::Field:
        out.kind = Operand::Kind::Field;
        out.fields.push_back(token.text.substr(1));
        break;
      case Token::Variable:
        if (std::ranges::find(variables_, token.text) == variables_.end()) {
          return fail("undefined variable " + base::quoted(token.text));
        }
        out.kind = Operand::Kind::Variable;
        out.name = token.text;
        break;
      case Token::Identifier:
        if (find_function(token.text) == nullptr) {
          return fail(fmt::format("function {} not defined", base::quoted(token.text)));
        }
        out.kind = Operand::Kind::Function;
        out.name = token.text;
        break;
      case Token::Number:
        if (auto number = parse_number(token.text)) {
          out.constant = *number;
        } else {
          return fail(number.error().message());
        }
        break;
      case Token::LeftParen:
        if (++depth_ > kDeepest) return fail("too deeply nested");
        out.kind = Operand::Kind::Pipeline;
        out.pipeline = std::make_unique<Pipeline>(TRY(pipeline("parenthesized pipeline", Token::RightParen)));
        --depth_;
        break;
      default: {
        const auto text = unquote(token.text);
        if (!text) {
          if (token.token == Token::CharConstant) return fail("malformed character constant: " + token.text);
          return fail("invalid syntax");
        }
        if (token.token == Token::CharConstant) {
          out.constant = first_code_point(*text);
        } else {
          out.constant = *text;
        }
      }
    }
    return out;
  }

  std::string name_;
  std::vector<Lexeme> tokens_;
  std::size_t at_ = 0;
  int line_ = 1;
  int action_line_ = 0;
  int range_depth_ = 0;
  int depth_ = 0;
  std::vector<std::string> variables_{"$"};
  Tree tree_;
};

}  // namespace

Result<Tree> parse(std::string_view name, std::string_view text) { return Parser{name, text}.run(); }

}  // namespace cli::tmpl
