#include "cli/completion/complete.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/strings.h"
#include "cli/completion/values.h"
#include "cli/plugins/plugin.h"

namespace cli {

namespace {

using Words = std::vector<std::string>;

std::string first_line(std::string_view text) { return std::string{text.substr(0, text.find('\n'))}; }

void keep_those_with(Candidates& candidates, std::string_view prefix) {
  std::erase_if(candidates.items, [&](const Candidate& item) { return !item.text.starts_with(prefix); });
}

/// The flag whose value is missing at the end of `words`; nullptr if none is.
const FlagRow* waiting_flag(const CommandRow& row, const Words& words) {
  if (words.empty()) return nullptr;
  const std::string& last = words.back();
  if (last.size() < 2 || last[0] != '-' || last.find('=') != std::string::npos) return nullptr;
  const bool is_long = last.starts_with("--");
  for (const auto& flag : row.flags) {
    const bool named = is_long ? flag.name == last.substr(2) : flag.shorthand == last.back();
    if (named) return flag.type.empty() ? nullptr : &flag;
  }
  return nullptr;
}

Candidates flag_names(const CommandRow& row, std::string_view typed) {
  Candidates out;
  for (const auto& flag : row.flags) {
    if (flag.hidden || flag.windows || !flag.deprecated.empty()) continue;
    if (flag.shorthand != '\0' && !typed.starts_with("--")) {
      out.items.push_back({std::string{'-', flag.shorthand}, first_line(flag.help)});
    }
    out.items.push_back({"--" + std::string{flag.name}, first_line(flag.help)});
  }
  out.items.push_back({"--help", "Print usage"});
  keep_those_with(out, typed);
  return out;
}

Candidates flag_value(Cli& cli, const CommandRow& row, std::string_view flag, std::string_view typed) {
  const auto values = values_of_flag(row, flag);
  auto out = candidates_of(cli, values.kind, values.words);
  keep_those_with(out, typed);
  return out;
}

/// "--flag=val" as one word.
Candidates assigned_value(Cli& cli, const CommandRow& row, const std::string& typed) {
  const auto equals = typed.find('=');
  const std::string front = typed.substr(0, equals + 1);
  auto out = flag_value(cli, row, typed.substr(2, equals - 2), typed.substr(equals + 1));
  for (auto& item : out.items) item.text = front + item.text;
  return out;
}

Candidates of_command(Cli& cli, const CommandEntry& entry, const Words& words, const std::string& typed) {
  const CommandRow& row = *find_row(entry.path);
  const auto command = entry.make();
  flags::FlagSet flags;
  FlagBinder binder{row, flags};
  command->bind(binder);
  const auto parsed = flags.parse(std::span<const std::string>{words}, command->interspersed());
  const bool flags_are_over = parsed && (parsed->before_dash || (!parsed->arguments.empty() &&
                                                                 command->interspersed() == flags::Interspersed::No));
  if (!flags_are_over) {
    if (!parsed) {
      const FlagRow* flag = waiting_flag(row, words);
      // Anything else that is wrong, the command itself will say.
      if (flag == nullptr) return {.items = {}, .directive = kDefault};
      return flag_value(cli, row, flag->name, typed);
    }
    if (typed.starts_with("--") && typed.find('=') != std::string::npos) return assigned_value(cli, row, typed);
    if (typed.starts_with('-')) return flag_names(row, typed);
  }
  auto out = candidates_of(cli, kind_of_argument(row, parsed->arguments.size()), {});
  keep_those_with(out, typed);
  // A name that is there already is seldom meant again.
  std::erase_if(out.items, [&](const Candidate& item) {
    return std::ranges::find(parsed->arguments, item.text) != parsed->arguments.end();
  });
  return out;
}

/// The names at the top: commands, groups, plugins.
Candidates top_level(Cli& cli, std::string_view typed) {
  Candidates out;
  const auto add = [&](std::string_view name, std::string_view description) {
    const bool there = std::ranges::any_of(out.items, [&](const Candidate& item) { return item.text == name; });
    if (!there && name.starts_with(typed)) out.items.push_back({std::string{name}, first_line(description)});
  };
  for (const auto& entry : commands()) {
    const CommandRow& row = *find_row(entry.path);
    if (row.hidden) continue;
    if (const auto path = base::cut(entry.path, " ")) {
      if (const CommandRow* group = find_row(path->first); group != nullptr && !group->hidden) {
        add(path->first, group->summary);
      }
    } else {
      add(entry.path, row.summary);
    }
    for (const auto alias : base::split_words(row.aliases, ',')) {
      if (alias.find(' ') == std::string_view::npos) add(alias, row.summary);
    }
  }
  for (const auto& plugin : list_plugins(cli)) {
    if (plugin.error.empty()) add(plugin.name, plugin.short_description);
  }
  add("help", "Help about the command");
  std::ranges::sort(out.items, {}, &Candidate::text);
  return out;
}

Candidates of_group(std::string_view group, std::string_view typed) {
  Candidates out;
  for (const auto& entry : commands()) {
    const auto path = base::cut(entry.path, " ");
    const CommandRow& row = *find_row(entry.path);
    if (path && path->first == group && !row.hidden && path->second.starts_with(typed)) {
      out.items.push_back({std::string{path->second}, first_line(row.summary)});
    }
  }
  return out;
}

const CommandEntry* find_entry(std::string_view called) {
  for (const auto& entry : commands()) {
    const auto aliases = base::split_words(find_row(entry.path)->aliases, ',');
    if (entry.path == called || std::ranges::find(aliases, called) != aliases.end()) return &entry;
  }
  return nullptr;
}

bool is_group(std::string_view word) {
  return std::ranges::any_of(commands(), [&](const CommandEntry& entry) {
    const auto path = base::cut(entry.path, " ");
    return path && path->first == word;
  });
}

}  // namespace

Candidates complete(Cli& cli, const Words& words) {
  if (words.empty()) return {.items = {}, .directive = kError};
  const std::string& typed = words.back();
  const Words before(words.begin(), words.end() - 1);
  if (before.empty()) {
    const CommandRow& program = *find_row("");
    if (typed.starts_with("--") && typed.find('=') != std::string::npos) return assigned_value(cli, program, typed);
    return typed.starts_with('-') ? flag_names(program, typed) : top_level(cli, typed);
  }
  if (before[0].starts_with('-')) {
    const CommandRow& program = *find_row("");
    const FlagRow* flag = waiting_flag(program, before);
    if (flag == nullptr) return {.items = {}, .directive = kDefault};
    return flag_value(cli, program, flag->name, typed);
  }
  if (const auto* entry = find_entry(before[0])) {
    return of_command(cli, *entry, Words(before.begin() + 1, before.end()), typed);
  }
  if (!is_group(before[0])) return {.items = {}, .directive = kDefault};
  if (before.size() == 1) return of_group(before[0], typed);
  if (const auto* entry = find_entry(before[0] + " " + before[1])) {
    return of_command(cli, *entry, Words(before.begin() + 2, before.end()), typed);
  }
  return {.items = {}, .directive = kDefault};
}

std::string protocol_text(const Candidates& candidates, bool descriptions) {
  std::string out;
  for (const auto& item : candidates.items) {
    out += item.text;
    if (descriptions && !item.description.empty()) out.append("\t").append(item.description);
    out += '\n';
  }
  return out + fmt::format(":{}\n", static_cast<unsigned>(candidates.directive));
}

}  // namespace cli
