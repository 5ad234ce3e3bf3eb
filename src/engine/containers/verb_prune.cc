#include "base/log.h"
#include "engine/containers/sizes.h"
#include "engine/containers/verbs.h"
#include "engine/filters.h"

#include <array>

namespace engine {

base::Result<PruneReport> prune(Core& core, const Filters& filters) {
  constexpr std::array<std::string_view, 3> names = {"until", "label", "label!"};
  TRY(check_filters(filters, names));
  const auto until = TRY(until_filter(filters));

  PruneReport report;
  for (const ContainerPtr& container : core.table.all()) {
    const auto record = container->record();
    if (record->state != State::Created && record->state != State::Exited && record->state != State::Dead) continue;
    if (until && record->created > *until) continue;
    if (!is_prunable(filters, record->config.labels.value_or(spec::api::Labels{}))) continue;
    const auto sizes = sizes_of(core, *record);
    if (const auto removed = remove(core, container, {}); !removed) {
      base::log::warn("prune: {}", removed.error().message());
      continue;
    }
    report.ids.push_back(record->id);
    if (sizes) report.bytes += static_cast<std::uint64_t>(sizes->writable);
  }
  core.events.publish("container", "prune", "", {{"reclaimed", std::to_string(report.bytes)}});
  return report;
}

}  // namespace engine
