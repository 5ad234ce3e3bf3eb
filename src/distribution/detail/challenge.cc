#include "distribution/detail/challenge.h"

#include "base/strings.h"

namespace distribution::detail {
namespace {

bool is_token_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view{"!#$%&'*+-.^_`|~/:="}.find(c) != std::string_view::npos;
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : rest_{text} {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  void skip_space() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t')) rest_.remove_prefix(1);
  }
  void skip_separators() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t' || rest_.front() == ',')) {
      rest_.remove_prefix(1);
    }
  }
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void drop() {
    if (!rest_.empty()) rest_.remove_prefix(1);
  }
  /// A name: without '='.
  std::string_view name() {
    std::size_t end = 0;
    while (end < rest_.size() && is_token_char(rest_[end]) && rest_[end] != '=') ++end;
    return advance(end);
  }
  std::string value() {
    if (!take('"')) {
      std::size_t end = 0;
      while (end < rest_.size() && is_token_char(rest_[end])) ++end;
      return std::string{advance(end)};
    }
    std::string text;
    while (!rest_.empty() && !take('"')) {
      if (take('\\') && rest_.empty()) break;
      text += rest_.front();
      rest_.remove_prefix(1);
    }
    return text;
  }

 private:
  std::string_view advance(std::size_t count) {
    const auto head = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return head;
  }
  std::string_view rest_;
};

}  // namespace

std::string_view Challenge::operator[](const std::string& name) const {
  const auto it = parameters.find(name);
  return it == parameters.end() ? std::string_view{} : std::string_view{it->second};
}

std::vector<Challenge> parse_challenges(std::string_view header) {
  std::vector<Challenge> challenges;
  Lexer lexer{header};
  for (lexer.skip_separators(); !lexer.at_end(); lexer.skip_separators()) {
    const auto name = lexer.name();
    lexer.skip_space();
    if (name.empty()) {
      lexer.drop();
    } else if (!lexer.take('=')) {
      challenges.push_back({base::to_lower(name), {}});
    } else {
      lexer.skip_space();
      auto value = lexer.value();
      if (!challenges.empty()) challenges.back().parameters[base::to_lower(name)] = std::move(value);
    }
  }
  return challenges;
}

}  // namespace distribution::detail
