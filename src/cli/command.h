#pragma once
/// Commands: what the table says of them (src/cli/data/*.tsv) and what they do (src/cli/commands/).

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "flags/flag_set.h"

namespace cli {

class Cli;

/// One flag as docker's reference has it.
struct FlagRow {
  std::string_view name;
  char shorthand;
  std::string_view type;  ///< the word in the help; empty for a bool
  std::string_view help;
  std::string_view api;  ///< the API version that has it
  bool windows;          ///< for daemons on Windows only
  bool hidden;
  std::string_view deprecated;  ///< what to do instead
  bool shows_empty_list;        ///< "(default [])"
};

struct ArgumentRule {
  /// `ExactlyTerse` complains without showing the usage.
  enum Kind : std::uint8_t { Any, None, Exactly, ExactlyTerse, AtLeast, AtMost, Between };
  Kind kind;
  std::size_t least, most;
};

struct CommandRow {
  std::string_view path;  ///< "container run"; "" for the program itself
  /// Other names, separated by commas: "run" or "container list,container ps,ps".
  std::string_view aliases;
  std::string_view usage;  ///< "[OPTIONS] IMAGE [COMMAND] [ARG...]"
  ArgumentRule::Kind rule_kind;
  std::size_t rule_least, rule_most;
  std::string_view summary;
  std::span<const FlagRow> flags;
  std::string_view description;  ///< what the command's own help says instead of the summary
  bool hidden;                   ///< not listed in a help page

  [[nodiscard]] ArgumentRule rule() const { return {rule_kind, rule_least, rule_most}; }
};

/// Every command of docker's reference, whether this program has it or not.
[[nodiscard]] std::span<const CommandRow> command_rows();
/// nullptr if the table has no such path.
[[nodiscard]] const CommandRow* find_row(std::string_view path);

/// Binds a command's flags to the variables of its options. The variable's contents are the default.
class FlagBinder {
 public:
  FlagBinder(const CommandRow& row, flags::FlagSet& set) : row_{row}, set_{set} {}

  /// A name that the row lacks is a broken invariant.
  void operator()(std::string_view name, flags::Value value);
  template <class T>
    requires(!std::is_same_v<std::remove_cv_t<T>, flags::Value>)
  void operator()(std::string_view name, T& target) {
    (*this)(name, flags::value(target));
  }
  [[nodiscard]] const CommandRow& row() const { return row_; }

 private:
  const CommandRow& row_;
  flags::FlagSet& set_;
};

/// What a command line says after the command's name.
struct Invocation {
  const CommandRow& row;
  std::string called;  ///< "caisson container ls" or "caisson ps": for messages
  const flags::FlagSet& flags;
  std::vector<std::string> arguments;
};

class Command {
 public:
  virtual ~Command() = default;
  virtual void bind(FlagBinder& /*flags*/) {}
  /// Whether flags may stand after the first argument.
  [[nodiscard]] virtual flags::Interspersed interspersed() const { return flags::Interspersed::Yes; }
  /// False for what works on the user's own files: a way to the daemon that can't be found is no error then.
  [[nodiscard]] virtual bool needs_daemon() const { return true; }
  /// The exit status. An Error is printed and means 1.
  virtual base::Result<int> run(Cli& cli, const Invocation& invocation) = 0;
};

struct CommandEntry {
  std::string_view path;
  std::unique_ptr<Command> (*make)();
};
/// What this program has, in the order of the help.
[[nodiscard]] std::span<const CommandEntry> commands();

}  // namespace cli
