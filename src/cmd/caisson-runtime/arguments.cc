#include "cmd/caisson-runtime/arguments.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/strings.h"

namespace caisson_runtime {

using base::Result;

namespace {

/// The dashes off; nothing when it is no flag at all.
std::optional<std::string_view> flag_text(std::string_view word) {
  if (word.size() < 2 || word[0] != '-') return std::nullopt;
  return word.substr(word[1] == '-' ? 2 : 1);
}

}  // namespace

Result<Arguments> Arguments::parse(std::span<const Flag> flags, std::span<const std::string> words, Order order) {
  Arguments out;
  for (std::size_t at = 0; at < words.size(); ++at) {
    const auto text = flag_text(words[at]);
    if (words[at] == "--" || (!text && order == Order::FlagsFirst)) {
      if (text) ++at;
      out.rest_.insert(out.rest_.end(), words.begin() + static_cast<std::ptrdiff_t>(at), words.end());
      break;
    }
    const auto pair = text ? base::cut(*text, "=") : std::nullopt;
    const std::string_view name = pair ? pair->first : text.value_or("");
    const auto flag = std::ranges::find_if(flags, [&](const Flag& one) {
      return one.name == name || (!one.short_name.empty() && one.short_name == name);
    });
    if (!text || (flag == flags.end() && !out.rest_.empty())) {
      out.rest_.push_back(words[at]);
      continue;
    }
    if (flag == flags.end()) return base::invalid(fmt::format("flag provided but not defined: -{}", name));
    if (pair) {
      out.given_.emplace_back(flag->name, pair->second);
    } else if (!flag->takes_value) {
      out.given_.emplace_back(flag->name, "true");
    } else if (at + 1 < words.size()) {
      out.given_.emplace_back(flag->name, words[++at]);
    } else {
      return base::invalid(fmt::format("flag needs an argument: -{}", name));
    }
  }
  return out;
}

std::optional<std::string> Arguments::value(std::string_view name) const {
  std::optional<std::string> found;
  for (const auto& [flag, text] : given_) {
    if (flag == name) found = text;
  }
  return found;
}

bool Arguments::has(std::string_view name) const {
  const auto found = value(name);
  return found && *found != "false" && *found != "0" && *found != "f";
}

std::string Arguments::value_or(std::string_view name, std::string_view otherwise) const {
  return value(name).value_or(std::string{otherwise});
}

std::vector<std::string> Arguments::values(std::string_view name) const {
  std::vector<std::string> out;
  for (const auto& [flag, text] : given_) {
    if (flag == name) out.push_back(text);
  }
  return out;
}

Result<std::optional<std::int64_t>> Arguments::number(std::string_view name) const {
  const auto text = value(name);
  if (!text) return std::optional<std::int64_t>{};
  const auto number = base::parse_int(*text);
  if (!number) return base::invalid(fmt::format("invalid value {} for flag -{}", base::quoted(*text), name));
  return number;
}

}  // namespace caisson_runtime
