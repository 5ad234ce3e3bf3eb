#include "cli/command.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "base/strings.h"
#include "cli/help.h"

namespace cli {
namespace {

TEST(Commands, EachBindsEveryFlagOfItsRow) {
  for (const auto& entry : commands()) {
    const CommandRow* row = find_row(entry.path);
    ASSERT_NE(row, nullptr) << entry.path;
    flags::FlagSet flags;
    FlagBinder binder{*row, flags};
    const auto command = entry.make();
    command->bind(binder);
    for (const auto& flag : row->flags) {
      EXPECT_NE(flags.find(flag.name), nullptr) << entry.path << " --" << flag.name;
    }
  }
}

TEST(Commands, NoNameStandsForTwo) {
  std::set<std::string> seen;
  for (const auto& entry : commands()) {
    EXPECT_TRUE(seen.insert(std::string{entry.path}).second) << entry.path;
    for (const auto alias : base::split_words(find_row(entry.path)->aliases, ',')) {
      EXPECT_TRUE(seen.insert(std::string{alias}).second) << alias;
    }
  }
}

/// What this program leaves to others, or does not do yet: README.md says why.
constexpr std::array<std::string_view, 9> kNotOurs{"builder", "config", "image build", "node", "plugin",
                                                   "secret",  "service", "stack",      "swarm"};
TEST(Commands, NoneOfTheReferenceIsMissing) {
  const auto begins_with_one_of = [](std::string_view path, auto names) {
    return std::ranges::any_of(names, [&](std::string_view name) {
      return path == name || (path.starts_with(name) && path[name.size()] == ' ');
    });
  };
  for (const auto& row : command_rows()) {
    const bool is_group = std::ranges::any_of(command_rows(), [&](const CommandRow& other) {
      return other.path.size() > row.path.size() && other.path.starts_with(row.path) && other.path[row.path.size()] == ' ';
    });
    if (row.path.empty() || is_group || begins_with_one_of(row.path, kNotOurs)) continue;
    EXPECT_NE(std::ranges::find(commands(), row.path, &CommandEntry::path), commands().end()) << row.path;
  }
}

TEST(Help, IsLaidOutAsDockerDoes) {
  const CommandRow& row = *find_row("container kill");
  flags::FlagSet flags;
  FlagBinder binder{row, flags};
  std::string signal;
  binder("signal", signal);
  EXPECT_EQ(command_help("caisson", "kill", row, flags, 0),
            "Usage:  caisson kill [OPTIONS] CONTAINER [CONTAINER...]\n"
            "\n"
            "Kill one or more running containers\n"
            "\n"
            "Aliases:\n"
            "  caisson container kill, caisson kill\n"
            "\n"
            "Options:\n"
            "  -s, --signal string   Signal to send to the container\n");
}

}  // namespace
}  // namespace cli
