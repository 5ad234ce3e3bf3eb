#pragma once
/// What several commands share.

#include <string>
#include <string_view>
#include <vector>

#include "base/function_ref.h"
#include "base/result.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "cli/format/listing.h"

namespace cli {

/// For flags::custom: "name=value". Errors: "bad format of filter (expected name=value)".
base::Result<> add_filter(client::Filters& filters, std::string_view text);

/// Does the same to each name, to several at once side by side, and reports in the order of the names: the
/// name on stdout when it is done, the error on stderr. The exit status: 1 if one failed.
base::Result<int> for_each_name(Cli& cli, const std::vector<std::string>& names,
                                base::FunctionRef<base::Result<>(client::Client&, const std::string&)> act);

/// Asks on the terminal. `question` ends without space. False for anything but yes.
[[nodiscard]] bool confirm(Cli& cli, std::string_view question);

/// The format given, else the user's own of `key` in config.json.
[[nodiscard]] std::string format_or_config(Cli& cli, const std::string& given, std::string_view key,
                                           bool quiet);

/// One flag --filter, --force, … of most prune commands.
struct PruneOptions {
  client::Filters filters;
  bool force = false;
  void bind(FlagBinder& flags);
};
/// The daemon's report of POST `path`; a terminal shows that it takes its time.
base::Result<codec::Json> prune(Cli& cli, client::Client& client, const char* path, const client::Filters& filters,
                               bool dry_run = false);
/// "Deleted Volumes:", a line for each and an empty one; nothing without any.
void print_deleted(Cli& cli, std::string_view heading, const codec::Json& names);
/// The lines of `image prune`'s report: "untagged: x:1", "deleted: sha256:…".
[[nodiscard]] codec::Json deleted_image_lines(const codec::Json& report);
/// "Total reclaimed space: 1.2MB"
void print_reclaimed(Cli& cli, std::int64_t bytes);

/// A stop's flags: --timeout with its old name, --signal.
struct StopFlags {
  std::optional<std::int64_t> timeout, time;
  std::string signal;
  void bind(FlagBinder& flags);
  /// Errors: both names of the timeout at once.
  [[nodiscard]] base::Result<std::optional<std::int64_t>> seconds() const;
};

}  // namespace cli
