#include "cli/template/functions.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include <fmt/format.h>

#include "base/strings.h"
#include "cli/template/literal.h"
#include "cli/template/printf.h"

namespace cli::tmpl {

using base::Result;

namespace {

using Kind = Value::Kind;
using Arguments = std::span<const Value>;

bool is_nil(const Value& value) { return value.kind() == Kind::Missing || value.kind() == Kind::Nil; }
bool is_integer(const Value& value) { return value.kind() == Kind::Int || value.kind() == Kind::Uint; }
bool is_basic(const Value& value) {
  const Kind kind = value.kind();
  return kind >= Kind::Bool && kind <= Kind::String;
}

/// Integers of either sign compare by value. nullopt: incompatible types.
std::optional<int> compare(const Value& a, const Value& b) {
  const auto order = [](const auto& x, const auto& y) { return x < y ? -1 : x == y ? 0 : 1; };
  if (is_integer(a) && is_integer(b)) {
    const bool a_negative = a.kind() == Kind::Int && a.as_int() < 0;
    const bool b_negative = b.kind() == Kind::Int && b.as_int() < 0;
    if (a_negative != b_negative) return a_negative ? -1 : 1;
    if (a_negative) return order(a.as_int(), b.as_int());
    const auto magnitude = [](const Value& v) {
      return v.kind() == Kind::Uint ? v.as_uint() : static_cast<std::uint64_t>(v.as_int());
    };
    return order(magnitude(a), magnitude(b));
  }
  if (a.kind() != b.kind()) return std::nullopt;
  switch (a.kind()) {
    case Kind::Bool: return order(a.as_bool(), b.as_bool());
    case Kind::Float: return order(a.as_float(), b.as_float());
    case Kind::String: return order(a.as_string(), b.as_string());
    default: return std::nullopt;
  }
}

const char* const kInvalid = "invalid type for comparison";
const char* const kNoComparison = "missing argument for comparison";

base::Error incompatible(const Value& a, const Value& b) {
  return base::invalid(
      fmt::format("incompatible types for comparison: {} and {}", a.type_name(), b.type_name()));
}

Result<bool> equal(const Value& a, const Value& b) {
  if (is_nil(a) || is_nil(b)) return is_nil(a) == is_nil(b);
  if (!is_basic(a) || !is_basic(b)) {
    if (a.kind() != b.kind()) return incompatible(a, b);
    std::string shown;
    a.format_to(shown);
    return base::invalid(fmt::format("non-comparable type {}: {}", shown, a.type_name()));
  }
  const auto order = compare(a, b);
  if (!order) return incompatible(a, b);
  return *order == 0;
}

Result<Value> eq(Arguments args) {
  if (args.size() == 1) return base::invalid(kNoComparison);
  for (const auto& other : args.subspan(1)) {
    if (TRY(equal(args[0], other))) return Value{true};
  }
  return Value{false};
}
Result<Value> ne(Arguments args) { return Value{!TRY(equal(args[0], args[1]))}; }

Result<int> ordered(Arguments args) {
  const auto sortable = [](const Value& v) { return is_basic(v) && v.kind() != Kind::Bool; };
  if (!sortable(args[0]) || !sortable(args[1])) return base::invalid(kInvalid);
  const auto order = compare(args[0], args[1]);
  if (!order) return incompatible(args[0], args[1]);
  return *order;
}
Result<Value> lt(Arguments args) { return Value{TRY(ordered(args)) < 0}; }
Result<Value> le(Arguments args) { return Value{TRY(ordered(args)) <= 0}; }
Result<Value> gt(Arguments args) { return Value{TRY(ordered(args)) > 0}; }
Result<Value> ge(Arguments args) { return Value{TRY(ordered(args)) >= 0}; }

Result<Value> logic_not(Arguments args) { return Value{!args[0].truth()}; }
Result<Value> logic_and(Arguments args) {
  for (const auto& value : args) {
    if (!value.truth()) return value;
  }
  return args.back();
}
Result<Value> logic_or(Arguments args) {
  for (const auto& value : args) {
    if (value.truth()) return value;
  }
  return args.back();
}

Result<Value> len(Arguments args) {
  switch (args[0].kind()) {
    case Kind::Missing: return base::invalid("len of nil pointer");
    case Kind::Nil: return base::invalid("len of nil pointer");
    case Kind::String: return Value{args[0].as_string().size()};
    case Kind::List: return Value{static_cast<std::int64_t>(args[0].as_list().size())};
    case Kind::Map: return Value{static_cast<std::int64_t>(args[0].as_members().items.size())};
    default: return base::invalid("len of type " + args[0].type_name());
  }
}

Result<std::size_t> index_of(const Value& index, std::size_t size, bool end_allowed) {
  if (is_nil(index)) return base::invalid("cannot index slice/array with nil");
  if (!is_integer(index)) {
    return base::invalid("cannot index slice/array with type " + index.type_name());
  }
  const std::int64_t at =
      index.kind() == Kind::Int
          ? index.as_int()
          : static_cast<std::int64_t>(std::min<std::uint64_t>(index.as_uint(), INT64_MAX));
  if (at < 0 || at > static_cast<std::int64_t>(size)) {
    return base::invalid(fmt::format("index out of range: {}", at));
  }
  if (!end_allowed && at == static_cast<std::int64_t>(size)) {
    return base::invalid("reflect: slice index out of range");
  }
  return static_cast<std::size_t>(at);
}

Result<Value> index(Arguments args) {
  Value item = args[0];
  for (const auto& key : args.subspan(1)) {
    switch (item.kind()) {
      case Kind::Missing:
      case Kind::Nil: return base::invalid("index of untyped nil");
      case Kind::List: {
        const std::size_t at = TRY(index_of(key, item.as_list().size(), false));
        item = Value{item.as_list()[at]};
        break;
      }
      case Kind::String: {
        const std::size_t at = TRY(index_of(key, item.as_string().size(), false));
        item = Value{static_cast<std::uint64_t>(static_cast<unsigned char>(item.as_string()[at]))};
        break;
      }
      case Kind::Map: {
        if (is_nil(key)) return base::invalid("value is nil; should be string");
        if (key.kind() != Kind::String) {
          return base::invalid(fmt::format("value has type {}; should be string", key.type_name()));
        }
        const auto& members = item.as_members();
        const Value* found = members.find(key.as_string());
        item = found != nullptr ? Value{*found}
               : members.zero   ? Value{*members.zero}
                                : Value::NilPointer{.typed = false};
        break;
      }
      default: return base::invalid("can't index item of type " + item.type_name());
    }
  }
  return item;
}

Result<Value> slice(Arguments args) {
  const Value& item = args[0];
  if (is_nil(item)) return base::invalid("slice of untyped nil");
  if (args.size() > 4) return base::invalid(fmt::format("too many slice indexes: {}", args.size() - 1));
  const bool is_text = item.kind() == Kind::String;
  if (!is_text && item.kind() != Kind::List) {
    return base::invalid("can't slice item of type " + item.type_name());
  }
  if (is_text && args.size() == 4) return base::invalid("cannot 3-index slice a string");
  const std::size_t size = is_text ? item.as_string().size() : item.as_list().size();
  const std::size_t from = args.size() > 1 ? TRY(index_of(args[1], size, true)) : 0;
  const std::size_t to = args.size() > 2 ? TRY(index_of(args[2], size, true)) : size;
  if (from > to) return base::invalid(fmt::format("invalid slice index: {} > {}", from, to));
  if (is_text) return Value{item.as_string().substr(from, to - from)};
  const auto& list = item.as_list();
  return Value{Value::List(list.begin() + static_cast<std::ptrdiff_t>(from),
                           list.begin() + static_cast<std::ptrdiff_t>(to))};
}

Result<Value> print(Arguments args) { return Value{print_as_go(args)}; }
Result<Value> printf_call(Arguments args) {
  return Value{format_as_go(args[0].as_string(), args.subspan(1))};
}
Result<Value> println(Arguments args) { return Value{println_as_go(args)}; }

/// The arguments as one text, as the escaping functions take them.
std::string joined(Arguments args) {
  if (args.size() == 1 && args[0].kind() == Kind::String) return args[0].as_string();
  return print_as_go(args);
}

Result<Value> html(Arguments args) {
  std::string out;
  for (const char c : joined(args)) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&#34;"; break;
      case '\'': out += "&#39;"; break;
      case '\0': out += "\xef\xbf\xbd"; break;
      default: out += c;
    }
  }
  return Value{out};
}

Result<Value> js(Arguments args) {
  std::string out;
  for (const char c : joined(args)) {
    constexpr std::string_view kEscaped = "\\'\"";
    if (kEscaped.find(c) != std::string_view::npos) {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == '<' || c == '>' || c == '&' || c == '=') {
      out += fmt::format("\\u{:04X}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return Value{out};
}

Result<Value> urlquery(Arguments args) {
  std::string out;
  for (const char c : joined(args)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view{"-_.~"}.find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return Value{out};
}

/// Docker's encoder leaves <, > and & as they are.
std::string without_html_escapes(const std::string& json) {
  std::string out;
  out.reserve(json.size());
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (json[i] != '\\') {
      out += json[i];
      continue;
    }
    const std::string_view escape = std::string_view{json}.substr(i, 6);
    const char plain = escape == "\\u003c"   ? '<'
                       : escape == "\\u003e" ? '>'
                       : escape == "\\u0026" ? '&'
                                             : '\0';
    if (plain != '\0') {
      out += plain;
      i += 5;
    } else {
      out += json[i];
      if (++i < json.size()) out += json[i];
    }
  }
  return out;
}

Result<Value> json(Arguments args) {
  std::string text = args[0].to_json().dump();
  // A line of a listing encodes itself, by Go's default.
  if (args[0].kind() == Kind::Object) return Value{text};
  return Value{without_html_escapes(text)};
}

Result<Value> join(Arguments args) {
  if (is_nil(args[0])) return Value{""};
  if (args[0].kind() != Kind::List) return base::invalid("expected slice, got " + args[0].type_name());
  std::string out;
  const char* separator = "";
  for (const auto& item : args[0].as_list()) {
    out += separator;
    item.format_to(out);
    separator = args[1].as_string().c_str();
  }
  return Value{out};
}

Result<Value> split(Arguments args) {
  const std::string& text = args[0].as_string();
  const std::string& separator = args[1].as_string();
  Value::List out;
  if (separator.empty()) {
    for (std::size_t i = 0; i < text.size();) {
      std::size_t end = i + 1;
      while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) ++end;
      out.emplace_back(text.substr(i, end - i));
      i = end;
    }
    return Value{out};
  }
  std::string_view rest = text;
  while (true) {
    const auto at = rest.find(separator);
    out.emplace_back(rest.substr(0, at));
    if (at == std::string_view::npos) return Value{out};
    rest.remove_prefix(at + separator.size());
  }
}

char upper_letter(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

/// Of ASCII and of the letters whose two cases lie a fixed distance apart: Latin-1, Greek, Cyrillic.
std::int64_t in_case(std::int64_t code, bool upper) {
  struct Range {
    std::int64_t first, last, distance;  ///< of the lower-case letters
  };
  constexpr std::array kRanges{Range{'a', 'z', 32},     Range{0xe0, 0xf6, 32},   Range{0xf8, 0xfe, 32},
                               Range{0x3b1, 0x3c1, 32}, Range{0x3c3, 0x3c9, 32}, Range{0x430, 0x44f, 32},
                               Range{0x450, 0x45f, 80}};
  for (const auto& range : kRanges) {
    const std::int64_t shift = upper ? 0 : range.distance;
    if (code >= range.first - shift && code <= range.last - shift) {
      return upper ? code - range.distance : code + range.distance;
    }
  }
  return code;
}

Value mapped(const std::string& text, bool upper) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i + 1;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) ++end;
    const std::int64_t code = first_code_point(std::string_view{text}.substr(i, end - i));
    const std::int64_t other = in_case(code, upper);
    if (other == code) {
      out += text.substr(i, end - i);
    } else {
      append_utf8(out, static_cast<std::uint32_t>(other));
    }
    i = end;
  }
  return Value{out};
}

Result<Value> lower(Arguments args) { return mapped(args[0].as_string(), false); }
Result<Value> upper(Arguments args) { return mapped(args[0].as_string(), true); }
Result<Value> title(Arguments args) {
  std::string text = args[0].as_string();
  bool start = true;
  for (char& c : text) {
    if (start) c = upper_letter(c);
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                        c == '_' || c == '\'' || (static_cast<unsigned char>(c) & 0x80U) != 0;
    start = !letter;
  }
  return Value{text};
}

Result<Value> pad(Arguments args) {
  if (args[0].as_string().empty()) return Value{""};
  constexpr std::int64_t kMost = 100'000;
  for (const auto& count : args.subspan(1)) {
    if (count.as_int() < 0 || count.as_int() > kMost) return base::invalid("strings: negative Repeat count");
  }
  return Value{std::string(static_cast<std::size_t>(args[1].as_int()), ' ') + args[0].as_string() +
               std::string(static_cast<std::size_t>(args[2].as_int()), ' ')};
}

Result<Value> truncate(Arguments args) {
  const std::int64_t most = args[1].as_int();
  if (most < 0) return base::invalid(fmt::format("slice bounds out of range [:{}]", most));
  return Value{args[0].as_string().substr(0, static_cast<std::size_t>(most))};
}

constexpr std::size_t kAny = SIZE_MAX;
constexpr std::array kFunctions{
    Function{"and", 1, kAny, ".", logic_and},
    Function{"eq", 1, kAny, ".", eq},
    Function{"ge", 2, 2, ".", ge},
    Function{"gt", 2, 2, ".", gt},
    Function{"html", 0, kAny, ".", html},
    Function{"index", 1, kAny, ".", index},
    Function{"join", 2, 2, ".s", join, true},
    Function{"js", 0, kAny, ".", js},
    Function{"json", 1, 1, ".", json, true},
    Function{"le", 2, 2, ".", le},
    Function{"len", 1, 1, ".", len},
    Function{"lower", 1, 1, "s", lower, true},
    Function{"lt", 2, 2, ".", lt},
    Function{"ne", 2, 2, ".", ne},
    Function{"not", 1, 1, ".", logic_not},
    Function{"or", 1, kAny, ".", logic_or},
    Function{"pad", 3, 3, "sii", pad},
    Function{"print", 0, kAny, ".", print},
    Function{"printf", 1, kAny, "s.", printf_call},
    Function{"println", 0, kAny, ".", println},
    Function{"slice", 1, kAny, ".", slice},
    Function{"split", 2, 2, "ss", split, true},
    Function{"title", 1, 1, "s", title, true},
    Function{"truncate", 2, 2, "si", truncate, true},
    Function{"upper", 1, 1, "s", upper, true},
    Function{"urlquery", 0, kAny, ".", urlquery},
};

}  // namespace

const Function* find_function(std::string_view name) {
  const auto at = std::ranges::find(kFunctions, name, &Function::name);
  return at == kFunctions.end() ? nullptr : &*at;
}

}  // namespace cli::tmpl
