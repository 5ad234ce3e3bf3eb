#include "cli/help.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/strings.h"

namespace cli {

namespace {

/// As wide as docker lays them out, with and without a terminal.
std::size_t wrap_at(std::size_t columns) { return (columns == 0 ? 80 : columns) - 1; }

using Lines = std::map<std::string, std::string_view, std::less<>>;

std::string list(std::string_view title, const Lines& lines) {
  if (lines.empty()) return {};
  std::string out = fmt::format("\n{}:\n", title);
  std::size_t widest = 11;  // as cobra's smallest column
  for (const auto& [name, summary] : lines) widest = std::max(widest, name.size());
  for (const auto& [name, summary] : lines) out += fmt::format("  {:<{}} {}\n", name, widest, summary);
  return out;
}

std::string list_in_order(std::string_view title,
                          const std::vector<std::pair<std::string, std::string_view>>& lines) {
  if (lines.empty()) return {};
  std::string out = fmt::format("\n{}:\n", title);
  for (const auto& [name, summary] : lines) out += fmt::format("  {:<11} {}\n", name, summary);
  return out;
}

/// The top-level name of a command, or "" if it is only found in its group.
std::string_view top_level_name(const CommandRow& row) {
  if (row.path.find(' ') == std::string_view::npos) return row.path;
  for (const auto alias : base::split_words(row.aliases, ',')) {
    if (alias.find(' ') == std::string_view::npos) return alias;
  }
  return {};
}

/// What a command's own page says of it, with the program by its name.
std::string description(std::string_view program, const CommandRow& row) {
  constexpr std::string_view kProgram = "$PROGRAM";
  std::string out{row.description.empty() ? row.summary : row.description};
  for (auto at = out.find(kProgram); at != std::string::npos; at = out.find(kProgram, at)) {
    out.replace(at, kProgram.size(), program);
  }
  return out;
}

}  // namespace

std::string usage_line(std::string_view program, std::string_view called, const CommandRow& row) {
  const auto end = row.usage.find('\n');
  const std::string_view usage = row.usage.substr(0, end);
  std::string line = fmt::format("{} {}{}{}", program, called, usage.empty() ? "" : " ", usage);
  if (end != std::string_view::npos) {
    // The second form of `cp` is written out with the program's name.
    std::string second{row.usage.substr(end + 1)};
    if (second.starts_with("docker ")) second.replace(0, 6, program);
    line += "\n\t" + second;
  }
  return line;
}

std::string command_help(std::string_view program, std::string_view called, const CommandRow& row,
                         const flags::FlagSet& flags, std::size_t columns) {
  std::string out = fmt::format("Usage:  {}\n", usage_line(program, called, row));
  out += fmt::format("\n{}\n", description(program, row));
  if (!row.aliases.empty()) {
    out += fmt::format("\nAliases:\n  {} {}", program, row.path);
    for (const auto alias : base::split_words(row.aliases, ','))
      out += fmt::format(", {} {}", program, alias);
    out += '\n';
  }
  if (flags.has_visible()) out += "\nOptions:\n" + flags.help(wrap_at(columns));
  return out;
}

std::string group_help(std::string_view program, std::string_view group) {
  Lines lines;
  for (const auto& entry : commands()) {
    if (const auto path = base::cut(entry.path, " "); path && path->first == group) {
      const CommandRow& row = *find_row(entry.path);
      if (!row.hidden) lines.emplace(path->second, row.summary);
    }
  }
  const CommandRow* row = find_row(group);
  return fmt::format(
      "Usage:  {0} {1} COMMAND\n\n{2}\n{3}\nRun '{0} {1} COMMAND --help' for more information on a "
      "command.\n",
      program, group, row != nullptr ? description(program, *row) : "", list("Commands", lines));
}

std::string program_help(std::string_view program, const flags::FlagSet& flags, std::size_t columns,
                         const std::vector<Plugin>& plugins) {
  static constexpr std::array<std::string_view, 12> kCommon{
      "run", "exec", "ps", "build", "pull", "push", "images", "login", "logout", "search", "version", "info"};
  std::vector<std::pair<std::string, std::string_view>> common(kCommon.size());
  Lines groups;
  Lines others;
  const char* hide = std::getenv("DOCKER_HIDE_LEGACY_COMMANDS");
  const bool hides_legacy = hide != nullptr && *hide != '\0';
  for (const auto& entry : commands()) {
    const CommandRow& row = *find_row(entry.path);
    if (const auto path = base::cut(entry.path, " ")) {
      const CommandRow* group = find_row(path->first);
      if (group != nullptr && !group->hidden) groups.emplace(path->first, group->summary);
    }
    const std::string name{top_level_name(row)};
    if (name.empty() || row.hidden) continue;
    if (const auto at = std::ranges::find(kCommon, name); at != kCommon.end()) {
      common[static_cast<std::size_t>(at - kCommon.begin())] = {name, row.summary};
    } else {
      // Found in a group, too, or by way of a group's own command.
      const bool is_legacy = row.path != name || name == "inspect";
      if (!is_legacy || !hides_legacy) others.emplace(name, row.summary);
    }
  }
  Lines invalid;
  for (const auto& plugin : plugins) {
    if (plugin.error.empty()) {
      groups.emplace(plugin.name + "*", plugin.short_description);
    } else {
      invalid.emplace(plugin.name, plugin.error);
    }
  }
  std::erase_if(common, [](const auto& line) { return line.first.empty(); });
  std::string out =
      fmt::format("Usage:  {} [OPTIONS] COMMAND\n\nA self-sufficient runtime for containers\n", program);
  out += list_in_order("Common Commands", common);
  out += list("Management Commands", groups);
  out += list("Commands", others);
  out += list("Invalid Plugins", invalid);
  out += "\nGlobal Options:\n" + flags.help(wrap_at(columns));
  out += fmt::format("\nRun '{} COMMAND --help' for more information on a command.\n", program);
  return out;
}

}  // namespace cli
