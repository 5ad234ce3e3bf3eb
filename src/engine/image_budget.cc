#include "engine/image_budget.h"

#include "base/log.h"

namespace engine {

void publish_removed(EventBus& events, const image::Removed& removed) {
  const auto publish = [&](std::string_view action) {
    events.publish("image", action, removed.id.str(), {{"name", removed.id.str()}});
  };
  for (const auto& item : removed.items) {
    if (!item.untagged.empty()) publish("untag");
    if (item.deleted == removed.id.str()) publish("delete");
  }
}

void keep_image_budget(image::Store& store, const image::ImageUsers& users, EventBus& events, std::uint64_t budget,
                       const base::Digest& fresh) {
  if (budget == 0) return;
  const auto evicted = store.evict(budget, fresh, users);
  if (!evicted) {
    base::log::warn("image-budget: {}", evicted.error().message());
    return;
  }
  for (const auto& removed : evicted->removed) publish_removed(events, removed);
}

}  // namespace engine
