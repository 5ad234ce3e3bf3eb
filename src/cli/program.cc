#include "cli/program.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/log.h"
#include "base/strings.h"
#include "base/version.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "cli/completion/complete.h"
#include "cli/help.h"
#include "cli/plugins/plugin.h"

namespace cli {

using base::Result;

namespace {

using Words = std::vector<std::string>;

constexpr int kBadCommandLine = 125;

void bind_global(FlagBinder& flags, GlobalOptions& options, bool& version) {
  flags("config", options.config);
  flags("context", options.context);
  flags("debug", options.debug);
  flags("host", options.hosts);
  flags("log-level", options.log_level);
  flags("tls", options.tls);
  flags("tlscacert", options.ca);
  flags("tlscert", options.certificate);
  flags("tlskey", options.key);
  flags("tlsverify", options.tls_verify);
  flags("version", version);
}

struct Found {
  const CommandEntry* entry = nullptr;
  const CommandRow* row = nullptr;
  std::string called;  ///< "container ls"
};

bool is_group(std::string_view word) {
  return std::ranges::any_of(commands(), [&](const CommandEntry& entry) {
    const auto path = base::cut(entry.path, " ");
    return path && path->first == word;
  });
}

std::optional<Found> find_command(const std::string& called) {
  for (const auto& entry : commands()) {
    const CommandRow* row = find_row(entry.path);
    CAISSON_INVARIANT(row != nullptr);
    const auto aliases = base::split_words(row->aliases, ',');
    if (entry.path == called || std::ranges::find(aliases, called) != aliases.end()) {
      // Of the names in a group the first one is shown: "container ls" for "container ps".
      const bool in_group = called.find(' ') != std::string::npos;
      return Found{&entry, row, in_group ? std::string{entry.path} : called};
    }
  }
  return std::nullopt;
}

std::string plural(std::size_t count) { return fmt::format("{} argument{}", count, count == 1 ? "" : "s"); }

/// Empty when the number of arguments is right.
std::string argument_complaint(const ArgumentRule& rule, std::size_t count) {
  switch (rule.kind) {
    case ArgumentRule::Any: break;
    case ArgumentRule::None:
      if (count != 0) return "accepts no arguments";
      break;
    case ArgumentRule::Exactly:
      if (count != rule.least) return "requires " + plural(rule.least);
      break;
    case ArgumentRule::ExactlyTerse:
      if (count != rule.least) return fmt::format("accepts {} arg(s), received {}", rule.least, count);
      break;
    case ArgumentRule::AtLeast:
      if (count < rule.least) return "requires at least " + plural(rule.least);
      break;
    case ArgumentRule::AtMost:
      if (count > rule.most) return "requires at most " + plural(rule.most);
      break;
    case ArgumentRule::Between:
      if (count < rule.least || count > rule.most) {
        return fmt::format("requires at least {} and at most {}", rule.least, plural(rule.most));
      }
      break;
  }
  return {};
}

class Program {
 public:
  /// `all`: the whole command line behind the program's name, for plugins.
  Program(std::string name, GlobalOptions options, Words all)
      : cli_{std::move(name), std::move(options)}, all_{std::move(all)} {}

  int run(const Words& words) {
    const std::string& first = words[0];
    if (first == "__complete" || first == "__completeNoDesc") {
      return completed(Words(words.begin() + 1, words.end()), first == "__complete");
    }
    if (first == "help" && words.size() > 1) return help(Words(words.begin() + 1, words.end()));
    if (is_group(first) && !find_command(first)) return group(first, words);
    const auto found = find_command(first);
    if (!found) {
      if (const auto status = plugin(first)) return *status;
      return unknown_command(first, "");
    }
    return command(*found, Words(words.begin() + 1, words.end()));
  }

  /// The help page of the program itself.
  void print_help(const flags::FlagSet& flags, Output& out) {
    out.write(program_help(cli_.program(), flags, out.columns(), list_plugins(cli_)));
  }

 private:
  /// nullopt: there is no plugin of this name.
  std::optional<int> plugin(const std::string& name) {
    const auto found = find_plugin(cli_, name);
    if (!found) return std::nullopt;
    const auto status = run_plugin(cli_, *found, all_);
    if (status) return *status;
    cli_.err().line("{}", status.error().message());
    return 1;
  }

  /// "docker container": two groups' lines say more, in docker too.
  [[nodiscard]] std::string group_usage(std::string_view group) const {
    return fmt::format("{} {}{}", cli_.program(), group, group == "volume" || group == "manifest" ? " COMMAND" : "");
  }

  int completed(const Words& words, bool descriptions) {
    const auto candidates = complete(cli_, words);
    cli_.out().write(protocol_text(candidates, descriptions));
    return 0;
  }

  int unknown_command(const std::string& called, const std::string& group) {
    const auto& program = cli_.program();
    std::string text = fmt::format("{0}: unknown command: {0} {1}\n\n", program, called);
    if (!group.empty()) text += fmt::format("Usage:  {}\n\n", group_usage(group));
    text +=
        fmt::format("Run '{}{}{} --help' for more information\n", program, group.empty() ? "" : " ", group);
    cli_.err().write(text);
    return 1;
  }

  int help(const Words& topic) {
    const std::string called = base::join(topic, " ");
    if (topic.size() == 1 && is_group(called)) {
      cli_.out().write(group_help(cli_.program(), called));
      return 0;
    }
    if (const auto found = find_command(called)) return command(*found, {"--help"});
    if (const auto status = plugin(topic[0])) return *status;
    cli_.err().line("unknown help topic: {}", called);
    return 1;
  }

  int group(const std::string& name, const Words& words) {
    if (words.size() == 1) {
      // One group stands after an empty line, in docker too.
      cli_.err().write((name == "manifest" ? "\n" : "") + group_help(cli_.program(), name));
      return 0;
    }
    const std::string& second = words[1];
    if (second == "--help" || second == "-h" || second == "help") {
      cli_.out().write(group_help(cli_.program(), name));
      return 0;
    }
    const std::string called = name + " " + second;
    if (second.starts_with('-')) {
      return bad_flags("unknown flag: " + second, group_usage(name), name);
    }
    const auto found = find_command(called);
    if (!found) return unknown_command(called, name);
    return command(*found, Words(words.begin() + 2, words.end()));
  }

  int bad_flags(std::string_view message, std::string_view usage, std::string_view called) {
    cli_.err().write(fmt::format("{}\n\nUsage:  {}\n\nRun '{} {} --help' for more information\n", message,
                                 usage, cli_.program(), called));
    return kBadCommandLine;
  }

  int command(const Found& found, const Words& words) {
    const CommandRow& row = *found.row;
    const auto instance = found.entry->make();
    flags::FlagSet flags;
    FlagBinder binder{row, flags};
    instance->bind(binder);
    const std::string usage = usage_line(cli_.program(), found.called, row);
    auto parsed = flags.parse(std::span<const std::string>{words}, instance->interspersed());
    if (!parsed) return bad_flags(parsed.error().message(), usage, found.called);
    for (const auto& notice : parsed->notices) cli_.err().line("{}", notice);
    if (parsed->help) {
      // Where -h means something else, docker lists --help.
      bool help = false;
      const bool takes_h = std::ranges::any_of(row.flags, [](const FlagRow& flag) { return flag.shorthand == 'h'; });
      if (takes_h) flags.add({.name = "help", .help = "Print usage"}, help);
      cli_.out().write(command_help(cli_.program(), found.called, row, flags, cli_.out().columns()));
      return 0;
    }
    const std::string called = cli_.program() + " " + found.called;
    if (const auto complaint = argument_complaint(row.rule(), parsed->arguments.size()); !complaint.empty()) {
      if (row.rule().kind == ArgumentRule::ExactlyTerse) {
        cli_.err().line("{}", complaint);
        return 1;
      }
      cli_.err().write(fmt::format("{}: '{}' {}\n\nUsage:  {}\n\n{} '{} --help' for more information\n",
                                   cli_.program(), called, complaint, usage,
                                   row.rule().kind == ArgumentRule::AtLeast ? "See" : "Run", called));
      return 1;
    }
    if (!for_this_daemon(row, flags)) return 1;
    if (instance->needs_daemon()) {
      if (const auto client = cli_.client(); !client) {
        cli_.err().line("Failed to initialize: {}", client.error().message());
        return 1;
      }
    }
    const Invocation invocation{row, called, flags, std::move(parsed->arguments)};
    const auto status = instance->run(cli_, invocation);
    if (!status) {
      cli_.err().line("{}", status.error().message());
      return 1;
    }
    return *status == 0 && cli_.out().failed() ? 1 : *status;
  }

  /// Flags of daemons on Windows are refused.
  bool for_this_daemon(const CommandRow& row, const flags::FlagSet& flags) {
    bool fine = true;
    for (const auto& flag : row.flags) {
      if (!flag.windows || !flags.changed(flag.name)) continue;
      cli_.err().line(
          "\"--{}\" is only supported on a Docker daemon running on windows, but the Docker daemon is "
          "running on linux",
          flag.name);
      fine = false;
    }
    return fine;
  }

  Cli cli_;
  Words all_;
};

std::string program_name(std::string_view path) {
  const auto slash = path.rfind('/');
  const auto name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  return name == "docker" ? "docker" : "caisson";
}

}  // namespace

int run_program(std::span<char* const> arguments) {
  const std::string program = program_name(arguments.empty() ? "" : arguments[0]);
  auto options = GlobalOptions::from_environment();
  bool version = false;
  flags::FlagSet flags;
  FlagBinder binder{*find_row(""), flags};
  bind_global(binder, options, version);
  Output out{1};
  Output err{2};
  const auto parsed =
      flags.parse(arguments.subspan(std::min<std::size_t>(1, arguments.size())), flags::Interspersed::No);
  if (!parsed) {
    err.write(
        fmt::format("{}\n\nUsage:  {} [OPTIONS] COMMAND [ARG...]\n\nRun '{} --help' for more information\n",
                    parsed.error().message(), program, program));
    return kBadCommandLine;
  }
  const bool wants_help = parsed->help || (parsed->arguments.size() == 1 && parsed->arguments[0] == "help");
  if (version && !wants_help) {
    out.line("{} version {}, build {}", program == "docker" ? "Docker" : "Caisson", base::kVersion,
             "release");
    return 0;
  }
  if (const auto level = base::log::parse_level(options.log_level)) {
    base::log::set_level(options.debug ? base::log::Level::Debug : *level);
  } else {
    err.line("Unable to parse logging level: {}", options.log_level);
    return 1;
  }
  if (!options.context.empty() && !options.hosts.empty()) {
    err.line("conflicting options: cannot specify both --host and --context");
    return 1;
  }
  Words words = parsed->arguments;
  if (!words.empty() && words[0].starts_with("__complete") && words.size() > 2) {
    // The flags of the program that stand on the line which is being typed.
    const Words typed(words.begin() + 1, words.end() - 1);
    if (const auto inner = flags.parse(std::span<const std::string>{typed}, flags::Interspersed::No)) {
      Words rest{words[0]};
      rest.insert(rest.end(), inner->arguments.begin(), inner->arguments.end());
      rest.push_back(words.back());
      words = std::move(rest);
    }
  }
  options.tls_verify_given = flags.changed("tlsverify");
  options.certificate_given = flags.changed("tlscert");
  options.key_given = flags.changed("tlskey");
  Program whole{program, std::move(options), Words(arguments.begin() + (arguments.empty() ? 0 : 1), arguments.end())};
  if (wants_help || words.empty()) {
    whole.print_help(flags, wants_help ? out : err);
    return 0;
  }
  return whole.run(words);
}

}  // namespace cli
