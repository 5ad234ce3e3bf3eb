#include "engine/commit_changes.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "base/strings.h"
#include "codec/json.h"
#include "engine/config_merge.h"
#include "engine/signals.h"

namespace engine {
namespace {

using base::Result;
using spec::api::ContainerConfig;
using spec::api::StringList;

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

std::string value_of(const ContainerConfig& config, std::string_view name) {
  for (const std::string& entry : config.env.value_or(StringList{})) {
    if (const auto pair = base::cut(entry, "="); pair && pair->first == name) return std::string{pair->second};
  }
  return {};
}

/// Words of an instruction: blanks separate, quotes keep them together and go, a backslash takes the next character
/// as it is, $NAME is replaced outside of single quotes.
class Words {
 public:
  Words(const ContainerConfig& config, std::string_view text) : config_{config}, text_{text} {}

  Result<StringList> all() {
    StringList words;
    while (true) {
      while (!text_.empty() && is_blank(text_.front())) text_.remove_prefix(1);
      if (text_.empty()) return words;
      words.push_back(TRY(next(true)));
    }
  }
  /// Everything as one word.
  Result<std::string> whole() { return next(false); }

 private:
  Result<std::string> next(bool ends_at_blank) {
    std::string word;
    char quote = 0;
    while (!text_.empty()) {
      const char c = text_.front();
      if (quote == 0 && ends_at_blank && is_blank(c)) break;
      text_.remove_prefix(1);
      if (quote == 0 && (c == '"' || c == '\'')) {
        quote = c;
      } else if (c == quote) {
        quote = 0;
      } else if (c == '\\' && quote != '\'' && !text_.empty()) {
        word += text_.front();
        text_.remove_prefix(1);
      } else if (c == '$' && quote != '\'') {
        word += TRY(variable());
      } else {
        word += c;
      }
    }
    if (quote != 0) return base::invalid(fmt::format("unexpected end of statement while looking for matching {}-quote",
                                                     quote == '"' ? "double" : "single"));
    return word;
  }

  Result<std::string> variable() {
    if (text_.starts_with('{')) {
      const auto end = text_.find('}');
      if (end == std::string_view::npos) return base::invalid("syntax error: missing '}'");
      const std::string_view inside = text_.substr(1, end - 1);
      text_.remove_prefix(end + 1);
      const auto modifier = inside.find(':');
      std::string value = value_of(config_, inside.substr(0, modifier));
      if (modifier == std::string_view::npos) return value;
      const std::string_view rest = inside.substr(modifier + 1);
      if (rest.starts_with('-')) return value.empty() ? std::string{rest.substr(1)} : value;
      if (rest.starts_with('+')) return value.empty() ? std::string{} : std::string{rest.substr(1)};
      return base::invalid(fmt::format("unsupported modifier ({}) in substitution", rest.substr(0, 1)));
    }
    const auto length = static_cast<std::size_t>(std::ranges::find_if_not(text_, is_name) - text_.begin());
    const std::string_view name = text_.substr(0, length);
    text_.remove_prefix(length);
    return name.empty() ? std::string{"$"} : value_of(config_, name);
  }

  const ContainerConfig& config_;
  std::string_view text_;
};

/// ["a", "b"]; nothing when it is not that: then it is meant as text.
std::optional<StringList> json_list(std::string_view text) {
  if (!text.starts_with('[')) return std::nullopt;
  const auto json = codec::Json::parse(text);
  if (!json || !json->is_array()) return std::nullopt;
  StringList items;
  for (const auto& item : json->as_array()) {
    if (!item.is_string()) return std::nullopt;
    items.push_back(item.as_string());
  }
  return items;
}

StringList command_of(const ContainerConfig& config, std::string_view text) {
  if (auto list = json_list(text)) return *std::move(list);
  StringList command = config.shell.value_or(StringList{"/bin/sh", "-c"});
  command.emplace_back(text);
  return command;
}

/// "a=b c=d", or the old form "a everything else".
Result<std::vector<std::pair<std::string, std::string>>> pairs_of(const ContainerConfig& config, std::string_view text,
                                                                  std::string_view instruction) {
  std::vector<std::pair<std::string, std::string>> pairs;
  const auto first = text.substr(0, text.find_first_of(" \t"));
  if (first.find('=') == std::string_view::npos) {
    if (first.size() == text.size()) return base::invalid(fmt::format("{} must have two arguments", instruction));
    pairs.emplace_back(first, TRY(Words(config, base::trim(text.substr(first.size()))).whole()));
    return pairs;
  }
  for (const std::string& word : TRY(Words(config, text).all())) {
    const auto pair = base::cut(word, "=");
    if (!pair) {
      return base::invalid(fmt::format("Syntax error - can't find = in {}. Must be of the form: name=value",
                                       base::quoted(word)));
    }
    if (pair->first.empty()) return base::invalid(fmt::format("{} names can not be blank", instruction));
    pairs.emplace_back(pair->first, pair->second);
  }
  return pairs;
}

Result<> change_cmd(ContainerConfig& config, std::string_view text) {
  config.cmd = command_of(config, text);
  return {};
}

Result<> change_entrypoint(ContainerConfig& config, std::string_view text) {
  config.entrypoint = command_of(config, text);
  return {};
}

Result<> change_env(ContainerConfig& config, std::string_view text) {
  StringList env = config.env.value_or(StringList{});
  for (const auto& [name, value] : TRY(pairs_of(config, text, "ENV"))) {
    std::erase_if(env, [&, prefix = name + "="](const std::string& entry) { return entry.starts_with(prefix); });
    env.push_back(name + "=" + value);
  }
  config.env = std::move(env);
  return {};
}

Result<> change_label(ContainerConfig& config, std::string_view text) {
  auto labels = config.labels.value_or(spec::api::Labels{});
  for (auto& [name, value] : TRY(pairs_of(config, text, "LABEL"))) labels[name] = value;
  config.labels = std::move(labels);
  return {};
}

Result<> change_expose(ContainerConfig& config, std::string_view text) {
  auto ports = config.exposed_ports.value_or(spec::api::NameSet{});
  for (const std::string& word : TRY(Words(config, text).all())) {
    const auto slash = word.find('/');
    const std::string_view numbers = std::string_view{word}.substr(0, slash);
    const std::string protocol = slash == std::string::npos ? "tcp" : base::to_lower(word.substr(slash + 1));
    const auto dash = numbers.find('-');
    const auto first = base::parse_uint(numbers.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : base::parse_uint(numbers.substr(dash + 1));
    if (!first || !last || *last < *first || *last > 65535) {
      return base::invalid(fmt::format("invalid containerPort: {}", word));
    }
    if (protocol != "tcp" && protocol != "udp" && protocol != "sctp") {
      return base::invalid(fmt::format("invalid proto: {}", protocol));
    }
    for (auto port = *first; port <= *last; ++port) ports[fmt::format("{}/{}", port, protocol)];
  }
  config.exposed_ports = std::move(ports);
  return {};
}

Result<> change_volume(ContainerConfig& config, std::string_view text) {
  auto volumes = config.volumes.value_or(spec::api::NameSet{});
  const auto list = json_list(text);
  for (const std::string& path : list ? *list : TRY(Words(config, text).all())) {
    if (base::trim(path).empty()) return base::invalid("VOLUME specified can not be an empty string");
    volumes[path];
  }
  config.volumes = std::move(volumes);
  return {};
}

Result<> change_user(ContainerConfig& config, std::string_view text) {
  config.user = TRY(Words(config, text).whole());
  return {};
}

Result<> change_workdir(ContainerConfig& config, std::string_view text) {
  const auto path = Words(config, text).whole();
  if (!path) return base::Error{path.error()};
  const std::string whole = path->starts_with('/') ? *path : config.working_dir + "/" + *path;
  std::vector<std::string> parts;
  for (const std::string_view part : base::split_words(whole, '/')) {
    if (part == ".." && !parts.empty()) parts.pop_back();
    if (part != "." && part != "..") parts.emplace_back(part);
  }
  config.working_dir = "/" + base::join(parts, "/");
  return {};
}

Result<> change_stop_signal(ContainerConfig& config, std::string_view text) {
  std::string name = TRY(Words(config, text).whole());
  TRY(parse_signal(name));
  config.stop_signal = std::move(name);
  return {};
}

Result<> change_on_build(ContainerConfig& config, std::string_view text) {
  std::string trigger = base::to_lower(text.substr(0, text.find_first_of(" \t")));
  for (char& c : trigger) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  if (trigger == "ONBUILD") return base::invalid("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (trigger == "FROM" || trigger == "MAINTAINER") return base::invalid(trigger + " isn't allowed as an ONBUILD trigger");
  StringList triggers = config.on_build.value_or(StringList{});
  triggers.emplace_back(text);
  config.on_build = std::move(triggers);
  return {};
}

/// "1m30s" in nanoseconds.
Result<std::int64_t> duration(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, std::int64_t>, 7> kUnits{{{"ns", 1}, {"us", 1'000}, {"µs", 1'000},
      {"ms", 1'000'000}, {"s", 1'000'000'000}, {"m", 60'000'000'000}, {"h", 3'600'000'000'000}}};
  const auto bad = [&] { return base::invalid(fmt::format("time: invalid duration {}", base::quoted(text))); };
  std::string_view rest = text;
  if (rest == "0") return std::int64_t{0};
  if (rest.empty()) return bad();
  std::int64_t total = 0;
  while (!rest.empty()) {
    const auto digits = rest.find_first_not_of("0123456789");
    if (digits == 0 || digits == std::string_view::npos) return bad();
    const auto number = base::parse_int(rest.substr(0, digits));
    rest.remove_prefix(digits);
    const auto end = std::min(rest.find_first_of("0123456789"), rest.size());
    const auto unit = std::ranges::find(kUnits, rest.substr(0, end), [](const auto& known) { return known.first; });
    if (!number || *number > 1'000'000'000 || unit == kUnits.end()) return bad();
    if (__builtin_add_overflow(total, *number * unit->second, &total)) return bad();
    rest.remove_prefix(end);
  }
  return total;
}

Result<> change_healthcheck(ContainerConfig& config, std::string_view text) {
  spec::api::HealthConfig health;
  while (text.starts_with("--")) {
    const auto option = text.substr(2, text.find_first_of(" \t") - 2);
    text = base::trim(text.substr(std::min(text.size(), option.size() + 2)));
    const auto pair = base::cut(option, "=");
    if (!pair) return base::invalid(fmt::format("Missing a value on flag: {}", option));
    const auto [name, value] = *pair;
    if (name == "retries") {
      const auto retries = base::parse_int(value);
      if (!retries || *retries < 0) return base::invalid(fmt::format("--retries cannot be negative ({})", value));
      health.retries = *retries;
    } else if (name == "interval") {
      health.interval = TRY(duration(value));
    } else if (name == "timeout") {
      health.timeout = TRY(duration(value));
    } else if (name == "start-period") {
      health.start_period = TRY(duration(value));
    } else if (name == "start-interval") {
      health.start_interval = TRY(duration(value));
    } else {
      return base::invalid(fmt::format("Unknown flag: {}", name));
    }
  }
  const std::string kind = base::to_lower(text.substr(0, text.find_first_of(" \t")));
  const std::string_view rest = base::trim(text.substr(kind.size()));
  if (kind == "none") {
    if (!rest.empty()) return base::invalid("HEALTHCHECK NONE takes no arguments");
    health.test = StringList{"NONE"};
  } else if (kind == "cmd") {
    if (rest.empty()) return base::invalid("Missing command after HEALTHCHECK CMD");
    StringList test{"CMD"};
    if (const auto list = json_list(rest)) {
      test.insert(test.end(), list->begin(), list->end());
    } else {
      test = {"CMD-SHELL", std::string{rest}};
    }
    health.test = std::move(test);
  } else {
    return base::invalid(fmt::format("Unknown type {} in HEALTHCHECK (try CMD)", base::quoted(kind)));
  }
  config.healthcheck = std::move(health);
  return {};
}

struct Instruction {
  std::string_view name;
  Result<> (*change)(ContainerConfig& config, std::string_view text);
};
constexpr Instruction kInstructions[] = {
    {"cmd", change_cmd},         {"entrypoint", change_entrypoint}, {"env", change_env},
    {"expose", change_expose},   {"healthcheck", change_healthcheck}, {"label", change_label},
    {"onbuild", change_on_build}, {"stopsignal", change_stop_signal}, {"user", change_user},
    {"volume", change_volume},   {"workdir", change_workdir},
};
/// Instructions of a Dockerfile that are none of a commit.
constexpr std::string_view kOthers[] = {"add", "arg", "copy", "from", "maintainer", "run", "shell"};

}  // namespace

Result<> apply_changes(ContainerConfig& config, const std::vector<std::string>& changes) {
  for (const std::string& change : changes) {
    std::string_view rest = change;
    while (!rest.empty()) {
      const auto end = std::min(rest.find('\n'), rest.size());
      const std::string_view line = base::trim(rest.substr(0, end));
      rest.remove_prefix(std::min(rest.size(), end + 1));
      if (line.empty() || line.starts_with('#')) continue;
      const std::string_view word = line.substr(0, line.find_first_of(" \t"));
      const std::string name = base::to_lower(word);
      const auto known = std::ranges::find(kInstructions, std::string_view{name}, &Instruction::name);
      if (known == std::end(kInstructions)) {
        if (std::ranges::find(kOthers, std::string_view{name}) != std::end(kOthers)) {
          return base::invalid(name + " is not a valid change command");
        }
        return base::invalid(fmt::format("dockerfile parse error on line 1: unknown instruction: {}", word));
      }
      const std::string_view text = base::trim(line.substr(word.size()));
      if (text.empty()) return base::invalid(fmt::format("dockerfile parse error on line 1: {} requires at least one argument", word));
      TRY(known->change(config, text));
    }
  }
  return {};
}

}  // namespace engine
