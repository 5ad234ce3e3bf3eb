#include "cli/command.h"

#include <algorithm>

namespace cli {

const CommandRow* find_row(std::string_view path) {
  const auto rows = command_rows();
  const auto at = std::ranges::find(rows, path, &CommandRow::path);
  return at == rows.end() ? nullptr : &*at;
}

void FlagBinder::operator()(std::string_view name, flags::Value value) {
  const auto at = std::ranges::find(row_.flags, name, &FlagRow::name);
  CAISSON_INVARIANT(at != row_.flags.end());
  flags::Info info{.name = at->name,
                   .shorthand = at->shorthand,
                   .help = at->help,
                   .type = at->type,
                   .deprecated = at->deprecated,
                   .hidden = at->hidden || at->windows || !at->deprecated.empty(),
                   .api = at->api};
  if (at->shows_empty_list) info.shown_default = "[]";
  set_.add(info, std::move(value));
}

}  // namespace cli
