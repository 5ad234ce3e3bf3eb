#include "cli/template/printf.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "cli/template/literal.h"

namespace cli::tmpl {
namespace {

struct Spec {
  bool minus = false, plus = false, sharp = false, space = false, zero = false;
  std::size_t width = 0;
  int precision = -1;
};
constexpr std::size_t kWidest = 1'000'000;  // as Go: larger ones are refused

std::size_t length_in_characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

std::string padded(std::string text, const Spec& spec, bool numeric) {
  const std::size_t length = length_in_characters(text);
  if (length >= spec.width) return text;
  const std::string fill(spec.width - length, spec.zero && !spec.minus ? '0' : ' ');
  if (spec.minus) return text + fill;
  if (numeric && spec.zero && !text.empty() && (text[0] == '-' || text[0] == '+' || text[0] == ' ')) {
    return text.substr(0, 1) + fill + text.substr(1);
  }
  return fill + text;
}

std::string first_characters(std::string_view text, int count) {
  std::size_t end = 0;
  for (int i = 0; i < count && end < text.size(); ++i) {
    ++end;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) ++end;
  }
  return std::string{text.substr(0, end)};
}

bool is_number(Value::Kind kind) { return kind == Value::Kind::Int || kind == Value::Kind::Uint; }

std::string integer(const Value& value, char verb, const Spec& spec) {
  const bool negative = value.kind() == Value::Kind::Int && value.as_int() < 0;
  const std::uint64_t magnitude = value.kind() == Value::Kind::Uint ? value.as_uint()
                                  : negative ? 0 - static_cast<std::uint64_t>(value.as_int())
                                             : static_cast<std::uint64_t>(value.as_int());
  std::string digits;
  std::string_view prefix;
  switch (verb) {
    case 'x':
      digits = fmt::format("{:x}", magnitude);
      prefix = "0x";
      break;
    case 'X':
      digits = fmt::format("{:X}", magnitude);
      prefix = "0X";
      break;
    case 'o':
      digits = fmt::format("{:o}", magnitude);
      prefix = "0";
      break;
    case 'O': digits = fmt::format("0o{:o}", magnitude); break;
    case 'b':
      digits = fmt::format("{:b}", magnitude);
      prefix = "0b";
      break;
    default: digits = fmt::to_string(magnitude);
  }
  if (spec.precision > 0 && digits.size() < static_cast<std::size_t>(spec.precision)) {
    digits.insert(0, static_cast<std::size_t>(spec.precision) - digits.size(), '0');
  }
  if (spec.sharp) digits.insert(0, prefix);
  if (negative) {
    digits.insert(0, 1, '-');
  } else if (spec.plus) {
    digits.insert(0, 1, '+');
  } else if (spec.space) {
    digits.insert(0, 1, ' ');
  }
  return padded(std::move(digits), spec, spec.precision < 0);
}

std::string floating(double value, char verb, const Spec& spec) {
  std::string text;
  const int precision = spec.precision < 0 ? 6 : std::min(spec.precision, 1000);
  switch (verb) {
    case 'e': text = fmt::format("{:.{}e}", value, precision); break;
    case 'E': text = fmt::format("{:.{}E}", value, precision); break;
    case 'f':
    case 'F': text = fmt::format("{:.{}f}", value, precision); break;
    case 'G': text = spec.precision < 0 ? float_text(value) : fmt::format("{:.{}G}", value, precision); break;
    default: text = spec.precision < 0 ? float_text(value) : fmt::format("{:.{}g}", value, precision);
  }
  if (spec.plus && text[0] != '-' && text[0] != '+') text.insert(0, 1, '+');
  if (spec.space && text[0] != '-' && text[0] != '+') text.insert(0, 1, ' ');
  return padded(std::move(text), spec, true);
}

std::string text_verb(const std::string& text, char verb, const Spec& spec) {
  if (verb == 'x' || verb == 'X') {
    std::string out;
    for (const char c :
         text.substr(0, spec.precision < 0 ? std::string::npos : static_cast<std::size_t>(spec.precision))) {
      if (spec.space && !out.empty()) out += ' ';
      out += fmt::format(fmt::runtime(verb == 'x' ? "{:02x}" : "{:02X}"), static_cast<unsigned char>(c));
    }
    return padded(std::move(out), spec, false);
  }
  std::string out = spec.precision < 0 ? text : first_characters(text, spec.precision);
  if (verb == 'q')
    out = spec.sharp && out.find('`') == std::string::npos ? "`" + out + "`" : base::quoted(out);
  return padded(std::move(out), spec, false);
}

std::string bad_verb(char verb, const Value& value) {
  if (value.kind() == Value::Kind::Missing || value.kind() == Value::Kind::Nil) {
    return fmt::format("%!{}(<nil>)", verb);
  }
  std::string out = fmt::format("%!{}({}=", verb, value.type_name());
  value.format_to(out);
  return out + ")";
}

std::string one(const Value& value, char verb, const Spec& spec) {
  using Kind = Value::Kind;
  const Kind kind = value.kind();
  if (verb == 'T')
    return padded(kind == Kind::Nil || kind == Kind::Missing ? "<nil>" : value.type_name(), spec, false);
  if (kind == Kind::Nil || kind == Kind::Missing) {
    return verb == 'v' ? padded("<nil>", spec, false) : bad_verb(verb, value);
  }
  const auto in = [&](std::string_view verbs) { return verbs.find(verb) != std::string_view::npos; };
  switch (kind) {
    case Kind::Bool:
      if (in("tv")) return padded(value.as_bool() ? "true" : "false", spec, false);
      return bad_verb(verb, value);
    case Kind::Int:
    case Kind::Uint:
      if (in("vdxXoOb")) return integer(value, verb, spec);
      if (in("cqU")) {
        const auto code = static_cast<std::uint32_t>(is_number(kind) && kind == Kind::Int
                                                         ? static_cast<std::uint64_t>(value.as_int())
                                                         : value.as_uint());
        std::string character;
        append_utf8(character, code);
        if (verb == 'U') return padded(fmt::format("U+{:04X}", code), spec, false);
        return padded(verb == 'q' ? "'" + character + "'" : character, spec, false);
      }
      return bad_verb(verb, value);
    case Kind::Float:
      if (in("veEfFgG")) return floating(value.as_float(), verb, spec);
      return bad_verb(verb, value);
    case Kind::String:
      if (verb == 'v' && spec.sharp) return padded(base::quoted(value.as_string()), spec, false);
      if (in("vsxXq")) return text_verb(value.as_string(), verb, spec);
      return bad_verb(verb, value);
    case Kind::List: {
      std::string out = "[";
      for (const auto& item : value.as_list()) {
        if (out.size() > 1) out += ' ';
        out += one(item, verb, spec);
      }
      return out + "]";
    }
    case Kind::Map:
    case Kind::Struct: {
      const bool is_struct = kind == Kind::Struct;
      std::string out = is_struct ? "{" : "map[";
      const std::size_t start = out.size();
      for (const auto& [name, member] : value.as_members().items) {
        if (out.size() > start) out += ' ';
        if (!is_struct || spec.plus) {
          out += is_struct ? name : one(Value{name}, verb, spec);
          out += ':';
        }
        out += one(member, verb, spec);
      }
      return out + (is_struct ? "}" : "]");
    }
    default: break;
  }
  return value.printed();
}

}  // namespace

std::string format_as_go(std::string_view format, std::span<const Value> arguments) {
  std::string out;
  std::size_t used = 0;
  const auto take_int = [&](std::size_t& at, std::size_t& number) {
    const std::size_t start = at;
    while (at < format.size() && format[at] >= '0' && format[at] <= '9' && number <= kWidest) {
      number = number * 10 + static_cast<std::size_t>(format[at++] - '0');
    }
    return at > start;
  };
  for (std::size_t at = 0; at < format.size();) {
    if (format[at] != '%') {
      out += format[at++];
      continue;
    }
    ++at;
    Spec spec;
    for (; at < format.size(); ++at) {
      if (format[at] == '-') {
        spec.minus = true;
      } else if (format[at] == '+') {
        spec.plus = true;
      } else if (format[at] == '#') {
        spec.sharp = true;
      } else if (format[at] == ' ') {
        spec.space = true;
      } else if (format[at] == '0') {
        spec.zero = true;
      } else {
        break;
      }
    }
    const auto from_argument = [&](std::string_view complaint) -> std::int64_t {
      if (used < arguments.size() && arguments[used].kind() == Value::Kind::Int &&
          std::abs(arguments[used].as_int()) <= static_cast<std::int64_t>(kWidest)) {
        return arguments[used++].as_int();
      }
      if (used < arguments.size()) ++used;
      out += complaint;
      return 0;
    };
    if (at < format.size() && format[at] == '*') {
      ++at;
      const auto width = from_argument("%!(BADWIDTH)");
      spec.minus = spec.minus || width < 0;
      spec.width = static_cast<std::size_t>(std::abs(width));
    } else {
      take_int(at, spec.width);
    }
    if (at < format.size() && format[at] == '.') {
      ++at;
      std::size_t precision = 0;
      if (at < format.size() && format[at] == '*') {
        ++at;
        spec.precision = static_cast<int>(from_argument("%!(BADPREC)"));
      } else {
        take_int(at, precision);
        spec.precision = static_cast<int>(std::min(precision, kWidest));
      }
    }
    if (spec.width > kWidest) spec.width = 0;
    if (at >= format.size()) {
      out += "%!(NOVERB)";
      break;
    }
    const char verb = format[at++];
    if (verb == '%') {
      out += '%';
    } else if (used >= arguments.size()) {
      out += fmt::format("%!{}(MISSING)", verb);
    } else {
      out += one(arguments[used++], verb, spec);
    }
  }
  if (used < arguments.size()) {
    out += "%!(EXTRA ";
    for (std::size_t i = used; i < arguments.size(); ++i) {
      if (i > used) out += ", ";
      if (arguments[i].kind() == Value::Kind::Missing || arguments[i].kind() == Value::Kind::Nil) {
        out += "<nil>";
      } else {
        out += arguments[i].type_name() + "=";
        arguments[i].format_to(out);
      }
    }
    out += ')';
  }
  return out;
}

std::string print_as_go(std::span<const Value> arguments) {
  std::string out;
  bool after_string = true;
  for (const auto& value : arguments) {
    const bool is_string = value.kind() == Value::Kind::String;
    if (&value != arguments.data() && !is_string && !after_string) out += ' ';
    value.format_to(out);
    after_string = is_string;
  }
  return out;
}

std::string println_as_go(std::span<const Value> arguments) {
  std::string out;
  for (const auto& value : arguments) {
    if (&value != arguments.data()) out += ' ';
    value.format_to(out);
  }
  return out + '\n';
}

}  // namespace cli::tmpl
