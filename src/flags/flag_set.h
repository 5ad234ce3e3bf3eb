#pragma once
/// The flags of one command: a command line in pflag's grammar, with its messages and its help.
///
///   flags::FlagSet flags;
///   flags.add({.name = "detach", .shorthand = 'd', .help = "Run container in background"}, run.detach);
///   flags.add({.name = "memory", .shorthand = 'm', .help = "Memory limit"}, flags::bytes(run.memory));
///   flags::Parsed parsed = TRY(flags.parse(arguments));
///
/// Grammar: `--name value`, `--name=value`, `-n value`, `-nvalue`, `-n=value`, `-it` (a cluster),
/// `--` ends the flags, "-" is an argument. A bool takes its value only by `=`.
/// Source: spf13/pflag 1.0 as docker's commands use it; why not a library: docs/adr/007-command-line.md.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "flags/value.h"

namespace flags {

/// What a flag is called and says. The views must outlive the FlagSet: string literals.
struct Info {
  std::string_view name;
  char shorthand = '\0';
  /// May hold line breaks. A `word` in back quotes is shown as the type and without the quotes.
  std::string_view help;
  std::string_view type;  ///< instead of the value's own word
  /// Instead of the value's own default; "" shows none.
  std::optional<std::string_view> shown_default;
  std::string_view without_value;         ///< instead of the value's own
  std::string_view deprecated;            ///< why; implies hidden, and a notice when it is used
  std::string_view shorthand_deprecated;  ///< as above for the one-letter form
  bool hidden = false;
  std::string_view api;  ///< the API version that has it, "1.41"; for the caller to check
};

struct Flag {
  Info info;
  Value value;
  bool changed = false;  ///< given on the command line
};

struct Parsed {
  std::vector<std::string> arguments;
  /// How many of them came before "--".
  std::optional<std::size_t> before_dash;
  /// --help or -h was met and is no flag of the set: nothing after it was read.
  bool help = false;
  /// To print on stderr: "Flag --x has been deprecated, …".
  std::vector<std::string> notices;
};

enum class Interspersed : bool {
  No,  ///< the first argument ends the flags: `run`, `exec`, `create`, the top-level command
  Yes,
};

/// Not copyable: refers to the variables of its values.
class FlagSet {
 public:
  FlagSet() = default;
  FlagSet(const FlagSet&) = delete;
  FlagSet& operator=(const FlagSet&) = delete;

  /// A second flag of one name or shorthand is a broken invariant.
  void add(const Info& info, Value value);
  template <class T>
    requires(!std::is_same_v<std::remove_cv_t<T>, Value>)
  void add(const Info& info, T& target) {
    add(info, value(target));
  }

  /// `arguments` without the program's name. Errors: InvalidArgument with pflag's message.
  base::Result<Parsed> parse(std::span<const std::string> arguments,
                             Interspersed interspersed = Interspersed::Yes);
  /// main()'s form.
  base::Result<Parsed> parse(std::span<char* const> arguments, Interspersed interspersed = Interspersed::Yes);

  /// As if it had been given on the command line. Errors: as parse.
  base::Result<> set(std::string_view name, std::string_view text);

  [[nodiscard]] bool changed(std::string_view name) const;
  [[nodiscard]] const Flag* find(std::string_view name) const;
  /// By name.
  [[nodiscard]] std::vector<const Flag*> sorted() const;
  /// False when the help would list none.
  [[nodiscard]] bool has_visible() const;

  /// The lines under "Options:", by name, aligned. Wrapped to `columns`; 0 does not wrap. Docker
  /// passes the terminal's width less one, and 79 without a terminal.
  [[nodiscard]] std::string help(std::size_t columns = 0) const;

 private:
  struct Cursor;
  Flag* find_long(std::string_view name);
  Flag* find_short(char shorthand);
  base::Result<> assign(Flag& flag, std::string_view text, std::vector<std::string>& notices);
  base::Result<> parse_long(std::string_view argument, Cursor& cursor, Parsed& out);
  base::Result<> parse_cluster(std::string_view letters, Cursor& cursor, Parsed& out);

  std::vector<Flag> flags_;
};

}  // namespace flags
