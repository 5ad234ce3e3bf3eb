#pragma once
/// The byte budget of images ("image-budget"), and the events of what is removed.

#include <cstdint>

#include "engine/event_bus.h"
#include "image/store.h"

namespace engine {

void publish_removed(EventBus& events, const image::Removed& removed);

/// After an image came: removes those that were used least lately, until the budget is kept. `fresh` stays. A
/// failure is logged: the image that came is there all the same. `budget` 0 is none.
void keep_image_budget(image::Store& store, const image::ImageUsers& users, EventBus& events, std::uint64_t budget,
                       const base::Digest& fresh);

}  // namespace engine
