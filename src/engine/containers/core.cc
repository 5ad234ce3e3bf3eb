#include "engine/containers/core.h"

#include "base/log.h"
#include "sys/file.h"

namespace engine {

using state::Durability;

base::Result<> insert(Core& core, const Record& record) {
  const std::string row = to_row(record);
  return core.database.transaction(Durability::ProcessDeath, [&](state::Transaction& t) -> base::Result<> {
    TRY(t.execute("INSERT OR REPLACE INTO containers (id, name, created, json) VALUES (?, ?, ?, ?)",
                  {record.id, record.name, record.created, row}));
    return {};
  });
}

base::Result<> save(Core& core, const Record& record) {
  const std::string row = to_row(record);
  return core.database.transaction(Durability::ProcessDeath, [&](state::Transaction& t) -> base::Result<> {
    TRY(t.execute("UPDATE containers SET name = ?, json = ? WHERE id = ?", {record.name, row, record.id}));
    return {};
  });
}

base::Result<> erase(Core& core, const std::string& id) {
  return core.database.transaction(Durability::ProcessDeath, [&](state::Transaction& t) -> base::Result<> {
    TRY(t.execute("DELETE FROM containers WHERE id = ?", {id}));
    return {};
  });
}

void remove_files_later(Core& core, const std::string& id) {
  core.workers.post([run = core.run_dir(id), names = core.names_dir(id), data = core.data_dir(id)] {
    for (const std::string& dir : {run, names, data}) {
      if (const auto removed = sys::remove_tree(sys::kCwd, dir); !removed) {
        base::log::warn("{} stays until the next start: {}", dir, removed.error().message());
      }
    }
  });
}

void save_or_log(Core& core, const Record& record) {
  if (const auto saved = save(core, record); !saved) {
    base::log::error("container {}: its new state is not recorded: {}", record.id, saved.error().message());
  }
}

void publish(Core& core, const Record& record, std::string_view action, spec::api::Labels more) {
  spec::api::Labels attributes = record.config.labels.value_or(spec::api::Labels{});
  attributes["name"] = record.name;
  attributes["image"] = record.config.image;
  for (auto& [key, value] : more) attributes[key] = std::move(value);
  core.events.publish("container", action, record.id, std::move(attributes));
}

}  // namespace engine
