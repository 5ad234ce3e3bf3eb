#include "cli/template/lexer.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/strings.h"

namespace cli::tmpl {
namespace {

constexpr std::string_view kOpen = "{{";
constexpr std::string_view kClose = "}}";
constexpr std::string_view kOpenComment = "/*";
constexpr std::string_view kCloseComment = "*/";
constexpr std::string_view kSpace = " \t\r\n";
constexpr std::array<std::string_view, 10> kKeywords{"block", "break", "continue", "define",   "else",
                                                     "end",   "if",    "range",    "template", "with"};

bool is_space(char c) { return kSpace.find(c) != std::string_view::npos; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
/// Letters, digits, '_' and every byte of a longer UTF-8 sequence (Go asks for letters there).
bool is_word(char c) {
  return is_digit(c) || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (static_cast<unsigned char>(c) & 0x80U) != 0;
}

/// Go's %#U of the code point at the front.
std::string code_point(std::string_view text) {
  if (text.empty()) return "U+FFFFFFFFFFFFFFFF";
  const auto first = static_cast<unsigned char>(text[0]);
  std::size_t length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  length = std::min(length, text.size());
  unsigned value = length == 1 ? first : first & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    value = value << 6U | (static_cast<unsigned char>(text[i]) & 0x3fU);
  }
  if (value < 0x20 || value == 0x7f) return fmt::format("U+{:04X}", value);
  return fmt::format("U+{:04X} '{}'", value, text.substr(0, length));
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_{text} {}

  std::vector<Lexeme> run() {
    bool trim_left = false;
    while (true) {
      const auto open = text_.find(kOpen, at_);
      std::string_view plain = text_.substr(at_, open == std::string_view::npos ? open : open - at_);
      const std::size_t start = at_;
      int line = line_;
      if (trim_left) {
        const auto first = std::min(plain.find_first_not_of(kSpace), plain.size());
        line += static_cast<int>(std::ranges::count(plain.substr(0, first), '\n'));
        plain.remove_prefix(first);
      }
      const bool trims = open != std::string_view::npos && trim_marker_after(open + kOpen.size());
      if (trims) plain = plain.substr(0, plain.find_last_not_of(kSpace) + 1);
      if (!plain.empty()) {
        out_.push_back(
            {Token::Text, static_cast<std::size_t>(plain.data() - text_.data()), line, std::string{plain}});
      }
      const std::size_t end = open == std::string_view::npos ? text_.size() : open;
      line_ += static_cast<int>(std::ranges::count(text_.substr(start, end - start), '\n'));
      at_ = end;
      if (open == std::string_view::npos) {
        emit(Token::End, 0);
        return std::move(out_);
      }
      if (!action(trims, trim_left)) return std::move(out_);
    }
  }

 private:
  [[nodiscard]] bool trim_marker_after(std::size_t at) const {
    return at + 1 < text_.size() && text_[at] == '-' && is_space(text_[at + 1]);
  }
  [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }

  void emit(Token token, std::size_t length) {
    out_.push_back({token, at_, line_, std::string{text_.substr(at_, length)}});
    line_ += static_cast<int>(std::ranges::count(text_.substr(at_, length), '\n'));
    at_ += length;
  }
  bool fail(std::string message) {
    out_.push_back({Token::Error, at_, line_, std::move(message)});
    return false;
  }

  bool comment(bool& trim_next) {
    const auto end = text_.find(kCloseComment, at_);
    if (end == std::string_view::npos) return fail("unclosed comment");
    std::size_t after = end + kCloseComment.size();
    trim_next = after + 1 < text_.size() && is_space(text_[after]) && text_[after + 1] == '-';
    if (trim_next) after += 2;
    if (!text_.substr(after).starts_with(kClose)) return fail("comment ends before closing delimiter");
    after += kClose.size();
    line_ += static_cast<int>(std::ranges::count(text_.substr(at_, after - at_), '\n'));
    at_ = after;
    return true;
  }

  /// From "{{" to behind "}}".
  bool action(bool trims, bool& trim_next) {
    const std::size_t marker = trims ? 2 : 0;
    if (text_.substr(at_ + kOpen.size() + marker).starts_with(kOpenComment)) {
      at_ += kOpen.size() + marker;
      return comment(trim_next);
    }
    emit(Token::LeftDelim, kOpen.size());
    at_ += marker;
    int depth = 0;
    while (true) {
      const bool trim_close = rest().size() > 1 && is_space(rest()[0]) && rest()[1] == '-' &&
                              rest().substr(2).starts_with(kClose);
      if (trim_close || rest().starts_with(kClose)) {
        if (depth > 0) return fail("unclosed left paren");
        if (trim_close) at_ += 2;
        emit(Token::RightDelim, kClose.size());
        trim_next = trim_close;
        return true;
      }
      if (rest().empty()) return fail("unclosed action");
      if (!inside(depth)) return false;
    }
  }

  bool inside(int& depth) {
    const char c = rest()[0];
    const char next = rest().size() > 1 ? rest()[1] : '\0';
    if (is_space(c)) {
      std::size_t length = std::min(rest().find_first_not_of(kSpace), rest().size());
      // The last space belongs to a trim marker.
      if (rest().substr(length).starts_with("-}}") && length > 1) --length;
      emit(Token::Space, length);
    } else if (c == '=') {
      emit(Token::Assign, 1);
    } else if (c == ':') {
      if (next != '=') return fail("expected :=");
      emit(Token::Declare, 2);
    } else if (c == '|') {
      emit(Token::Pipe, 1);
    } else if (c == '"') {
      return quote();
    } else if (c == '`') {
      const auto end = rest().find('`', 1);
      if (end == std::string_view::npos) return fail("unterminated raw quoted string");
      emit(Token::RawString, end + 1);
    } else if (c == '$') {
      return word(Token::Variable);
    } else if (c == '\'') {
      return character();
    } else if (c == '.' && !is_digit(next)) {
      return word(Token::Field);
    } else if (is_digit(c) || c == '.' || c == '+' || c == '-') {
      return number();
    } else if (is_word(c)) {
      return identifier();
    } else if (c == '(') {
      emit(Token::LeftParen, 1);
      ++depth;
    } else if (c == ')') {
      if (depth-- == 0) return fail("unexpected right paren");
      emit(Token::RightParen, 1);
    } else if (c > 0x20 && c < 0x7f) {
      emit(c == ',' ? Token::Comma : Token::Char, 1);
    } else {
      return fail("unrecognized character in action: " + code_point(rest()));
    }
    return true;
  }

  [[nodiscard]] bool at_terminator(std::size_t length) const {
    const auto after = rest().substr(length);
    return after.empty() || is_space(after[0]) || after.starts_with(kClose) ||
           std::string_view{".,|:()="}.find(after[0]) != std::string_view::npos;
  }

  /// A field after its dot or a variable after its dollar; either may be bare.
  bool word(Token token) {
    std::size_t length = 1;
    while (length < rest().size() && is_word(rest()[length])) ++length;
    if (length > 1 && !at_terminator(length))
      return fail("bad character " + code_point(rest().substr(length)));
    emit(length == 1 && token == Token::Field ? Token::Dot : token, length);
    return true;
  }

  bool identifier() {
    std::size_t length = 1;
    while (length < rest().size() && is_word(rest()[length])) ++length;
    if (!at_terminator(length)) return fail("bad character " + code_point(rest().substr(length)));
    const auto name = rest().substr(0, length);
    Token token = Token::Identifier;
    if (std::ranges::find(kKeywords, name) != kKeywords.end()) token = Token::Keyword;
    if (name == "true" || name == "false") token = Token::Bool;
    if (name == "nil") token = Token::Nil;
    emit(token, length);
    return true;
  }

  bool quote() {
    for (std::size_t i = 1; i < rest().size() && rest()[i] != '\n'; ++i) {
      if (rest()[i] == '\\') {
        ++i;
      } else if (rest()[i] == '"') {
        emit(Token::String, i + 1);
        return true;
      }
    }
    return fail("unterminated quoted string");
  }

  bool character() {
    for (std::size_t i = 1; i < rest().size() && rest()[i] != '\n'; ++i) {
      if (rest()[i] == '\\') {
        ++i;
      } else if (rest()[i] == '\'') {
        emit(Token::CharConstant, i + 1);
        return true;
      }
    }
    return fail("unterminated character constant");
  }

  bool number() {
    std::size_t length = rest()[0] == '+' || rest()[0] == '-' ? 1 : 0;
    const auto take = [&](std::string_view allowed) {
      while (length < rest().size() && allowed.find(rest()[length]) != std::string_view::npos) ++length;
    };
    std::string_view digits = "0123456789_";
    if (rest().substr(length).starts_with("0x") || rest().substr(length).starts_with("0X")) {
      digits = "0123456789abcdefABCDEF_";
      length += 2;
    } else if (rest().substr(length).starts_with("0b") || rest().substr(length).starts_with("0o")) {
      length += 2;
    }
    take(digits);
    if (length < rest().size() && rest()[length] == '.') {
      ++length;
      take(digits);
    }
    if (digits.size() == 11 && length < rest().size() && (rest()[length] | 0x20) == 'e') {
      ++length;
      if (length < rest().size() && (rest()[length] == '+' || rest()[length] == '-')) ++length;
      take(digits);
    }
    if (length < rest().size() && is_word(rest()[length])) {
      ++length;
      return fail("bad number syntax: " + base::quoted(rest().substr(0, length)));
    }
    emit(Token::Number, length);
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1;
  std::vector<Lexeme> out_;
};

}  // namespace

std::vector<Lexeme> lex(std::string_view text) { return Lexer{text}.run(); }

}  // namespace cli::tmpl
