/// Command lines: every command's flags in pflag's grammar with the grammars of their values (CSV, sizes, ports,
/// mounts, …), and the body that `create` makes of them. Whatever is written there, it ends in a body or an error, and
/// the same text gives the same result twice.
///
/// Input: one word a line; the first names the command.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/strings.h"
#include "cli/command.h"
#include "cli/container/options.h"
#include "cli/csv.h"

namespace {

using Words = std::vector<std::string>;

/// Flags that read files which the input names.
bool reads_files(std::string_view text) {
  for (const std::string_view flag : {"env-file", "label-file", "seccomp", "cidfile"}) {
    if (text.find(flag) != std::string_view::npos) return true;
  }
  return false;
}

std::string created(const Words& words) {
  flags::FlagSet set;
  cli::FlagBinder binder{*cli::find_row("container create"), set};
  cli::ContainerOptions options;
  options.bind(binder);
  const auto parsed = set.parse(std::span<const std::string>{words}, flags::Interspersed::No);
  if (!parsed) return parsed.error().message();
  if (parsed->arguments.empty()) return {};
  const auto request = options.request(parsed->arguments);
  return request ? codec::to_json(*request).dump() : request.error().message();
}

std::string parsed_by(const cli::CommandEntry& entry, const Words& words) {
  flags::FlagSet set;
  cli::FlagBinder binder{*cli::find_row(entry.path), set};
  const auto command = entry.make();
  command->bind(binder);
  const auto parsed = set.parse(std::span<const std::string>{words}, command->interspersed());
  if (!parsed) return parsed.error().message();
  return base::join(parsed->arguments, " ") + base::join(parsed->notices, " ") + set.help(80);
}

std::string run(std::string_view name, const Words& words) {
  if (name == "create") return created(words);
  if (name == "csv") {
    const auto fields = cli::parse_csv(words.empty() ? std::string_view{} : words[0]);
    return fields ? base::join(*fields, "|") : fields.error().message();
  }
  for (const auto& entry : cli::commands()) {
    if (entry.path == name) return parsed_by(entry, words);
  }
  return {};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(bytes), size};
  if (reads_files(text)) return 0;
  const auto lines = base::split(text, '\n');
  const Words words(lines.begin() + 1, lines.end());
  const std::string first = run(lines[0], words);
  if (run(lines[0], words) != first) std::abort();
  return 0;
}
