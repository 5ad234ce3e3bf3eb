#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "base/strings.h"
#include "cgroup/systemd.h"

namespace cgroup {

using base::Result;
using codec::Json;

namespace {

constexpr int kDeepest = 32;

struct Keyword {
  std::string_view name;
  char type;
};
constexpr Keyword kTypes[] = {{"boolean", 'b'}, {"byte", 'y'},   {"int16", 'n'},  {"uint16", 'q'},
                              {"int32", 'i'},   {"uint32", 'u'}, {"int64", 'x'},  {"uint64", 't'},
                              {"handle", 'h'},  {"double", 'd'}, {"string", 's'}, {"objectpath", 'o'},
                              {"signature", 'g'}};

/// What was written, before its type is settled: "[1, uint64 2]" is known only at its second number.
struct Node {
  enum class Kind : std::uint8_t { Boolean, Number, String, Bytes, Array, Tuple, Dictionary, Variant };
  Kind kind = Kind::Number;
  std::string text;
  std::string type;  ///< as written before it; empty: inferred
  std::vector<Node> children;  ///< a dictionary's: key, value, key, value, …
};

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_word(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '+' || c == '-'; }

/// The length of the first complete type of a signature, or 0.
std::size_t type_length(std::string_view signature, int depth = 0) {
  if (signature.empty() || depth > kDeepest) return 0;
  if (std::string_view{"bynqiuxthdsogv"}.find(signature[0]) != std::string_view::npos) return 1;
  if (signature[0] == 'a') {
    const std::size_t element = type_length(signature.substr(1), depth + 1);
    return element == 0 ? 0 : 1 + element;
  }
  const char close = signature[0] == '(' ? ')' : signature[0] == '{' ? '}' : '\0';
  if (close == '\0') return 0;
  std::size_t at = 1;
  std::size_t parts = 0;
  while (at < signature.size() && signature[at] != close) {
    const std::size_t part = type_length(signature.substr(at), depth + 1);
    if (part == 0) return 0;
    at += part;
    ++parts;
  }
  if (at >= signature.size() || parts == 0 || (close == '}' && parts != 2)) return 0;
  return at + 1;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_{text} {}

  Result<Node> whole() {
    Node node = TRY(value(0));
    skip();
    if (at_ != text_.size()) return wrong("something follows the value");
    return node;
  }

 private:
  base::Error wrong(std::string_view what) const {
    return base::invalid(fmt::format("not a GVariant text: {} at offset {}", what, at_));
  }
  void skip() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  bool take(char c) {
    skip();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  std::string_view word() {
    skip();
    const std::size_t start = at_;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    return text_.substr(start, at_ - start);
  }

  Result<Node> value(int depth) {
    if (depth > kDeepest) return wrong("too deep");
    skip();
    if (at_ >= text_.size()) return wrong("a value is missing");
    const char c = text_[at_];
    if (c == '@') return annotated(depth);
    if (c == '\'' || c == '"') return string(Node::Kind::String);
    if (c == 'b' && at_ + 1 < text_.size() && (text_[at_ + 1] == '\'' || text_[at_ + 1] == '"')) {
      ++at_;
      return string(Node::Kind::Bytes);
    }
    if (take('[')) return list(Node::Kind::Array, ']', depth);
    if (take('(')) return list(Node::Kind::Tuple, ')', depth);
    if (take('{')) return dictionary(depth);
    if (take('<')) {
      Node node{Node::Kind::Variant, {}, {}, {}};
      node.children.push_back(TRY(value(depth + 1)));
      if (!take('>')) return wrong("'>' is missing");
      return node;
    }
    return plain(depth);
  }

  Result<Node> annotated(int depth) {
    ++at_;
    const std::size_t length = type_length(text_.substr(at_));
    if (length == 0) return wrong("no type that D-Bus has follows '@'");
    const std::string type{text_.substr(at_, length)};
    at_ += length;
    if (at_ >= text_.size() || !is_space(text_[at_])) return wrong("a space must follow a type");
    Node node = TRY(value(depth + 1));
    if (!node.type.empty() && node.type != type) return wrong("two types for one value");
    node.type = type;
    return node;
  }

  Result<Node> plain(int depth) {
    const std::string_view found = word();
    if (found.empty()) return wrong("an unknown character");
    if (found == "true" || found == "false") return Node{Node::Kind::Boolean, std::string{found}, {}, {}};
    for (const auto& keyword : kTypes) {
      if (found != keyword.name) continue;
      Node node = TRY(value(depth + 1));
      if (!node.type.empty()) return wrong("two types for one value");
      node.type = keyword.type;
      return node;
    }
    return Node{Node::Kind::Number, std::string{found}, {}, {}};
  }

  Result<Node> list(Node::Kind kind, char close, int depth) {
    Node node{kind, {}, {}, {}};
    while (!take(close)) {
      if (!node.children.empty()) {
        if (!take(',')) return wrong("',' is missing");
        // "(1,)" is a tuple of one.
        if (kind == Node::Kind::Tuple && take(close)) break;
      }
      node.children.push_back(TRY(value(depth + 1)));
    }
    return node;
  }

  Result<Node> dictionary(int depth) {
    Node node{Node::Kind::Dictionary, {}, {}, {}};
    while (!take('}')) {
      if (!node.children.empty() && !take(',')) return wrong("',' is missing");
      node.children.push_back(TRY(value(depth + 1)));
      if (!take(':')) return wrong("':' is missing");
      node.children.push_back(TRY(value(depth + 1)));
    }
    return node;
  }

  Result<Node> string(Node::Kind kind) {
    Node node{kind, {}, {}, {}};
    const char quote = text_[at_++];
    while (true) {
      if (at_ >= text_.size()) return wrong("a string does not end");
      const char c = text_[at_++];
      if (c == quote) return node;
      if (c != '\\') {
        node.text += c;
        continue;
      }
      TRY(escape(node.text, kind == Node::Kind::Bytes));
    }
  }

  Result<> escape(std::string& out, bool bytes) {
    if (at_ >= text_.size()) return wrong("a string does not end");
    const char c = text_[at_++];
    constexpr std::string_view kNames = "abfnrtv";
    constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v";
    if (const auto found = kNames.find(c); found != std::string_view::npos) {
      out += kMeanings[found];
    } else if (bytes && c >= '0' && c <= '7') {
      unsigned value = static_cast<unsigned>(c - '0');
      for (int i = 0; i < 2 && at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '7'; ++i) {
        value = value * 8 + static_cast<unsigned>(text_[at_++] - '0');
      }
      out += static_cast<char>(value & 0xffU);
    } else if (!bytes && (c == 'u' || c == 'U')) {
      return unicode(out, c == 'u' ? 4 : 8);
    } else {
      out += c;
    }
    return {};
  }

  Result<> unicode(std::string& out, std::size_t digits) {
    const std::string_view text = text_.substr(std::min(at_, text_.size()), digits);
    std::uint32_t point = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), point, 16);
    if (text.size() != digits || read.ec != std::errc{} || read.ptr != text.data() + digits || point == 0 ||
        point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) {
      return wrong("no Unicode character");
    }
    at_ += digits;
    const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
    if (point < 0x80) {
      put(point);
    } else if (point < 0x800) {
      put(0xc0 | point >> 6), put(0x80 | (point & 63));
    } else if (point < 0x10000) {
      put(0xe0 | point >> 12), put(0x80 | (point >> 6 & 63)), put(0x80 | (point & 63));
    } else {
      put(0xf0 | point >> 18), put(0x80 | (point >> 12 & 63)), put(0x80 | (point >> 6 & 63)), put(0x80 | (point & 63));
    }
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

Result<std::string> type_of(const Node& node);

/// Of a list's items: the first that says its type decides, else the first.
Result<std::string> common_type(const std::vector<Node>& items, std::size_t first, std::size_t step) {
  for (std::size_t i = first; i < items.size(); i += step) {
    if (!items[i].type.empty()) return items[i].type;
  }
  if (items.size() <= first) return base::invalid("the type of an empty array must be written: \"@as []\"");
  for (std::size_t i = first; i < items.size(); i += step) {
    const bool fraction = items[i].kind == Node::Kind::Number && items[i].text.find('.') != std::string::npos;
    if (fraction) return std::string{"d"};
  }
  return type_of(items[first]);
}

Result<std::string> type_of(const Node& node) {
  if (!node.type.empty()) return node.type;
  switch (node.kind) {
    case Node::Kind::Boolean: return std::string{"b"};
    case Node::Kind::String: return std::string{"s"};
    case Node::Kind::Bytes: return std::string{"ay"};
    case Node::Kind::Variant: return std::string{"v"};
    case Node::Kind::Number: {
      const bool hexadecimal = node.text.find('x') != std::string::npos;
      const bool real = !hexadecimal && node.text.find_first_of(".eE") != std::string::npos;
      return std::string{real || node.text == "inf" || node.text == "-inf" || node.text == "nan" ? "d" : "i"};
    }
    case Node::Kind::Array: {
      const std::string element = TRY(common_type(node.children, 0, 1));
      return "a" + element;
    }
    case Node::Kind::Dictionary: {
      const std::string key = TRY(common_type(node.children, 0, 2));
      const std::string value = TRY(common_type(node.children, 1, 2));
      return fmt::format("a{{{}{}}}", key, value);
    }
    case Node::Kind::Tuple: break;
  }
  std::string type = "(";
  for (const auto& child : node.children) type += TRY(type_of(child));
  if (type.size() == 1) return base::invalid("D-Bus has no empty structure");
  return type + ")";
}

template <class T>
Result<Json> integer(std::string_view text) {
  std::string_view digits = text;
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  int base = 10;
  if (digits.starts_with("0x") || digits.starts_with("0X")) {
    base = 16;
    digits.remove_prefix(2);
  } else if (digits.size() > 1 && digits[0] == '0') {
    base = 8;
  }
  const std::string signed_digits = negative ? "-" + std::string{digits} : std::string{digits};
  T number{};
  const auto read = std::from_chars(signed_digits.data(), signed_digits.data() + signed_digits.size(), number, base);
  if (read.ec != std::errc{} || read.ptr != signed_digits.data() + signed_digits.size()) {
    return base::invalid(fmt::format("{} is no number, or does not fit its type", base::quoted(text)));
  }
  return Json{number};
}

Result<Json> real(const std::string& text) {
  double number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size() || !std::isfinite(number)) {
    return base::invalid(fmt::format("{} is no number", base::quoted(text)));
  }
  return Json{number};
}

Result<Json> number_as(const Node& node, char type) {
  switch (type) {
    case 'y': return integer<std::uint8_t>(node.text);
    case 'n': return integer<std::int16_t>(node.text);
    case 'q': return integer<std::uint16_t>(node.text);
    case 'i': return integer<std::int32_t>(node.text);
    case 'u': return integer<std::uint32_t>(node.text);
    case 'x': return integer<std::int64_t>(node.text);
    case 't': return integer<std::uint64_t>(node.text);
    case 'd': return real(node.text);
    default: return base::invalid(fmt::format("{} is no value of the type {}", base::quoted(node.text), type));
  }
}

Result<Json> value_as(const Node& node, const std::string& type) {
  const auto mismatch = [&] { return base::invalid("a value does not have the type " + type); };
  if (!node.type.empty() && node.type != type) return mismatch();
  if (type == "v" && node.kind == Node::Kind::Variant) {
    const std::string inner = TRY(type_of(node.children[0]));
    return Json::object({{"s", inner}, {"v", TRY(value_as(node.children[0], inner))}});
  }
  switch (node.kind) {
    case Node::Kind::Boolean: return type == "b" ? Result<Json>{Json{node.text == "true"}} : mismatch();
    case Node::Kind::Number: return type.size() == 1 ? number_as(node, type[0]) : mismatch();
    case Node::Kind::String:
      return type == "s" || type == "o" || type == "g" ? Result<Json>{Json{node.text}} : mismatch();
    case Node::Kind::Variant: return mismatch();
    default: break;
  }
  Json::Array items;
  if (node.kind == Node::Kind::Bytes) {
    if (type != "ay") return mismatch();
    for (const char c : node.text) items.emplace_back(static_cast<unsigned char>(c));
    return Json{std::move(items)};
  }
  if (node.kind == Node::Kind::Array) {
    if (type[0] != 'a' || type.starts_with("a{")) return mismatch();
    for (const auto& child : node.children) items.push_back(TRY(value_as(child, type.substr(1))));
    return Json{std::move(items)};
  }
  if (node.kind == Node::Kind::Dictionary) {
    if (!type.starts_with("a{")) return mismatch();
    const std::string value_type = type.substr(3, type.size() - 4);
    for (std::size_t i = 0; i + 1 < node.children.size(); i += 2) {
      Json::Array entry;
      entry.push_back(TRY(value_as(node.children[i], type.substr(2, 1))));
      entry.push_back(TRY(value_as(node.children[i + 1], value_type)));
      items.emplace_back(std::move(entry));
    }
    return Json{std::move(items)};
  }
  if (type[0] != '(') return mismatch();
  std::size_t at = 1;
  for (const auto& child : node.children) {
    const std::size_t length = type_length(std::string_view{type}.substr(at));
    if (length == 0) return mismatch();
    items.push_back(TRY(value_as(child, type.substr(at, length))));
    at += length;
  }
  if (at + 1 != type.size()) return mismatch();
  return Json{std::move(items)};
}

}  // namespace

Result<Json> parse_gvariant(std::string_view text, std::string& signature) {
  const Node node = TRY(Parser{text}.whole());
  signature = TRY(type_of(node));
  if (type_length(signature) != signature.size()) return base::invalid("D-Bus has no type " + signature);
  return value_as(node, signature);
}

}  // namespace cgroup
