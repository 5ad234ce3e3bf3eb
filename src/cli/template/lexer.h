#pragma once
/// Go's text/template: the text as tokens. Pure. Source: the package's documentation, "Actions".

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cli::tmpl {

enum class Token : std::uint8_t {
  Error,  ///< `text` is the message; the last token
  End,
  Text,
  LeftDelim,
  RightDelim,
  Space,
  Assign,   ///< =
  Declare,  ///< :=
  Comma,
  Pipe,
  LeftParen,
  RightParen,
  Dot,
  Field,       ///< .Name
  Variable,    ///< $ or $name
  Identifier,  ///< a function
  Keyword,
  Bool,
  Nil,
  Number,
  CharConstant,
  String,     ///< "…" with its quotes
  RawString,  ///< `…` with its quotes
  Char,       ///< any other printable ASCII character
};

struct Lexeme {
  Token token;
  std::size_t position;  ///< byte offset in the template
  int line;              ///< from 1
  std::string text;
};

/// All tokens up to and with End or Error. Comments are dropped, the spaces that `{{-` and `-}}` trim
/// too.
[[nodiscard]] std::vector<Lexeme> lex(std::string_view text);

}  // namespace cli::tmpl
