#include "flags/flag_set.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"

namespace flags {

using base::Result;

/// The arguments that are left.
struct FlagSet::Cursor {
  std::span<const std::string> rest;
  [[nodiscard]] bool empty() const { return rest.empty(); }
  std::string_view take() {
    const std::string_view first = rest.front();
    rest = rest.subspan(1);
    return first;
  }
};

namespace {

/// Go's %q of one byte, which it takes for a code point.
std::string quoted_letter(char letter) {
  const auto code = static_cast<unsigned char>(letter);
  if (code < 0x20 || code == 0x7f) return fmt::format("'\\x{:02x}'", code);
  if (code < 0x80)
    return letter == '\'' || letter == '\\' ? fmt::format("'\\{}'", letter) : fmt::format("'{}'", letter);
  return fmt::format("'{}{}'", static_cast<char>(0xc0U | code >> 6U),
                     static_cast<char>(0x80U | (code & 0x3fU)));
}

std::string_view without_value(const Flag& flag) {
  return flag.info.without_value.empty() ? flag.value.without_value : flag.info.without_value;
}

}  // namespace

void FlagSet::add(const Info& info, Value value) {
  CAISSON_INVARIANT(find_long(info.name) == nullptr);
  CAISSON_INVARIANT(info.shorthand == '\0' || find_short(info.shorthand) == nullptr);
  flags_.push_back({info, std::move(value)});
  if (!info.deprecated.empty()) flags_.back().info.hidden = true;
}

Flag* FlagSet::find_long(std::string_view name) {
  const auto at = std::ranges::find(flags_, name, [](const Flag& flag) { return flag.info.name; });
  return at == flags_.end() ? nullptr : &*at;
}

Flag* FlagSet::find_short(char shorthand) {
  const auto at = std::ranges::find(flags_, shorthand, [](const Flag& flag) { return flag.info.shorthand; });
  return at == flags_.end() ? nullptr : &*at;
}

const Flag* FlagSet::find(std::string_view name) const {
  return const_cast<FlagSet*>(this)->find_long(name);  // one look-up serves both
}

bool FlagSet::changed(std::string_view name) const {
  const Flag* flag = find(name);
  return flag != nullptr && flag->changed;
}

Result<> FlagSet::assign(Flag& flag, std::string_view text, std::vector<std::string>& notices) {
  const auto& info = flag.info;
  if (auto done = flag.value.set(flag.value.target, text); !done) {
    const std::string name = info.shorthand != '\0' && info.shorthand_deprecated.empty()
                                 ? fmt::format("-{}, --{}", info.shorthand, info.name)
                                 : fmt::format("--{}", info.name);
    return std::move(done).context(
        fmt::format("invalid argument {} for {} flag", base::quoted(text), base::quoted(name)));
  }
  flag.changed = true;
  if (!info.deprecated.empty()) {
    notices.push_back(fmt::format("Flag --{} has been deprecated, {}", info.name, info.deprecated));
  }
  return {};
}

Result<> FlagSet::set(std::string_view name, std::string_view text) {
  Flag* flag = find_long(name);
  if (flag == nullptr) return base::invalid(fmt::format("no such flag -{}", name));
  std::vector<std::string> notices;
  return assign(*flag, text, notices);
}

Result<> FlagSet::parse_long(std::string_view argument, Cursor& cursor, Parsed& out) {
  const std::string_view body = argument.substr(2);
  if (body.starts_with('-') || body.starts_with('=')) {
    return base::invalid(fmt::format("bad flag syntax: {}", argument));
  }
  const auto assignment = base::cut(body, "=");
  const std::string_view name = assignment ? assignment->first : body;
  Flag* flag = find_long(name);
  if (flag == nullptr) {
    out.help = name == "help";
    if (out.help) return {};
    return base::invalid(fmt::format("unknown flag: --{}", name));
  }
  if (assignment) return assign(*flag, assignment->second, out.notices);
  if (const auto text = without_value(*flag); !text.empty()) return assign(*flag, text, out.notices);
  if (cursor.empty()) return base::invalid(fmt::format("flag needs an argument: {}", argument));
  return assign(*flag, cursor.take(), out.notices);
}

Result<> FlagSet::parse_cluster(std::string_view letters, Cursor& cursor, Parsed& out) {
  while (!letters.empty()) {
    const char letter = letters.front();
    Flag* flag = find_short(letter);
    if (flag == nullptr) {
      out.help = letter == 'h';
      if (out.help) return {};
      return base::invalid(fmt::format("unknown shorthand flag: {} in -{}", quoted_letter(letter), letters));
    }
    if (!flag->info.shorthand_deprecated.empty()) {
      out.notices.push_back(
          fmt::format("Flag shorthand -{} has been deprecated, {}", letter, flag->info.shorthand_deprecated));
    }
    const std::string_view rest = letters.substr(1);
    if (rest.size() > 1 && rest.front() == '=') return assign(*flag, rest.substr(1), out.notices);
    if (const auto text = without_value(*flag); !text.empty()) {
      TRY(assign(*flag, text, out.notices));
      letters = rest;
      continue;
    }
    if (!rest.empty()) return assign(*flag, rest, out.notices);
    if (cursor.empty()) {
      return base::invalid(fmt::format("flag needs an argument: {} in -{}", quoted_letter(letter), letters));
    }
    return assign(*flag, cursor.take(), out.notices);
  }
  return {};
}

Result<Parsed> FlagSet::parse(std::span<const std::string> arguments, Interspersed interspersed) {
  Parsed out;
  Cursor cursor{arguments};
  const auto take_the_rest = [&] {
    out.arguments.insert(out.arguments.end(), cursor.rest.begin(), cursor.rest.end());
    cursor.rest = {};
  };
  while (!cursor.empty() && !out.help) {
    const std::string_view argument = cursor.take();
    if (argument == "--") {
      out.before_dash = out.arguments.size();
      take_the_rest();
    } else if (argument.starts_with("--")) {
      TRY(parse_long(argument, cursor, out));
    } else if (argument.size() > 1 && argument.front() == '-') {
      TRY(parse_cluster(argument.substr(1), cursor, out));
    } else {
      out.arguments.emplace_back(argument);
      if (interspersed == Interspersed::No) take_the_rest();
    }
  }
  return out;
}

Result<Parsed> FlagSet::parse(std::span<char* const> arguments, Interspersed interspersed) {
  const std::vector<std::string> copy(arguments.begin(), arguments.end());
  return parse(std::span<const std::string>{copy}, interspersed);
}

}  // namespace flags
