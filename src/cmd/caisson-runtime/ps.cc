#include "cmd/caisson-runtime/commands.h"
#include "codec/json.h"
#include "ps/format.h"
#include "ps/process.h"
#include "ps/table.h"
#include "runtime/container.h"

namespace caisson_runtime {

using base::Result;

Result<int> run_ps(const Globals& globals, const Arguments& arguments) {
  const auto container = TRY(runtime::Container::load(globals.root, arguments.rest()[0]));
  const auto pids = TRY(container.processes());
  const std::string format = arguments.value_or("format", "table");
  if (format == "json") {
    codec::Json::Array items;
    for (const pid_t pid : pids) items.emplace_back(pid);
    TRY(print(codec::Json{std::move(items)}.dump() + "\n"));
    return 0;
  }
  if (format != "table") return base::invalid("invalid format option");
  std::string options;
  for (std::size_t i = 1; i < arguments.rest().size(); ++i) options.append(i > 1 ? " " : "").append(arguments.rest()[i]);
  const auto columns = TRY(ps::parse_arguments(options));
  const ps::Context context = TRY(ps::read_context());
  std::vector<std::vector<std::string>> rows;
  for (const pid_t pid : pids) {
    const auto process = ps::read_process(pid);
    if (!process) continue;  // it has just ended
    std::vector<std::string> row;
    for (const auto& column : columns) row.push_back(ps::column_text(*process, column.field, context));
    rows.push_back(std::move(row));
  }
  TRY(print(ps::table(columns, rows)));
  return 0;
}

}  // namespace caisson_runtime
