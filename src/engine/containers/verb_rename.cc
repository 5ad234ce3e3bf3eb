#include "engine/containers/verbs.h"
#include "engine/names.h"

namespace engine {

base::Result<> rename(Core& core, const ContainerPtr& container, const std::string& wanted) {
  if (wanted.empty()) return base::invalid("Neither old nor new names may be empty");
  const std::string name = TRY(check_name(wanted));
  const std::lock_guard verb{container->verbs};
  const auto record = container->record();
  if (record->name == name) {
    return base::invalid("Renaming a container with the same name as its current name");
  }
  if (container->removed()) return base::not_found("No such container: " + record->id);
  TRY(core.table.rename(*container, name));
  const auto renamed = container->update([&](Record& now) { now.name = name; });
  if (auto saved = save(core, *renamed); !saved) {
    // Back to what the row says.
    base::ignore(core.table.rename(*container, record->name), "the old name is still this container's");
    container->update([&](Record& now) { now.name = record->name; });
    return saved;
  }
  tell_neighbours(core, record->id, networks_of(core.network.endpoints_of(base::ContainerId{record->id})));
  publish(core, *renamed, "rename", {{"oldName", "/" + record->name}});
  return {};
}

}  // namespace engine
