#include "engine/containers/verbs.h"
#include "ps/process.h"

namespace engine {

base::Result<> resize(Core& core, const ContainerPtr& container, unsigned rows, unsigned columns) {
  const auto record = container->record();
  TRY(advance(record->state, Step::Resize, record->id));
  const auto run = TRY(running(container));
  TRY(run->client().resize({.rows = static_cast<std::uint16_t>(rows), .columns = static_cast<std::uint16_t>(columns)}));
  publish(core, *record, "resize", {{"height", std::to_string(rows)}, {"width", std::to_string(columns)}});
  return {};
}

base::Result<spec::api::TopResponse> top(Core& core, const ContainerPtr& container, const std::string& ps_args) {
  const auto columns = TRY(ps::parse_arguments(ps_args));
  const auto record = container->record();
  TRY(advance(record->state, Step::Top, record->id));
  const auto run = TRY(running(container));
  const std::vector<int> pids = TRY(run->client().processes());
  const ps::Context context = TRY(ps::read_context());

  spec::api::TopResponse answer;
  for (const ps::Column& column : columns) answer.titles.push_back(column.title);
  for (const int pid : pids) {
    const auto process = ps::read_process(pid);
    if (!process) continue;  // it ended meanwhile
    spec::api::StringList row;
    for (const ps::Column& column : columns) row.push_back(ps::column_text(*process, column.field, context));
    answer.processes.push_back(std::move(row));
  }
  publish(core, *record, "top");
  return answer;
}

}  // namespace engine
