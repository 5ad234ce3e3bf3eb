#pragma once
/// Which versions of the API have which fields of an answer. The engine speaks the newest form (and keeps the fields that
/// only older versions had); here, once, each client gets the form of its version (docs/adr/005-api-versions.md).

#include <string_view>

#include "api/version.h"
#include "codec/json.h"

namespace api {

enum class Shape : std::uint8_t { ContainerSummary, Container, Event, ImageSummary, Image, Info, Network };

/// Takes out of one object what `version` does not have.
void adapt(codec::Json& object, Shape shape, Version version);
/// The same for each item of a list.
void adapt_all(codec::Json& list, Shape shape, Version version);

/// Adds what a sample of the statistics has from 1.52 on.
void adapt_stats(codec::Json& sample, Version version);
/// As adapt, for an image or its summary: older versions say its size twice.
void adapt_image(codec::Json& image, Shape shape, Version version);

/// What /system/df answers from API 1.52 on: totals, and the items if they were asked for. `size_of` names the member
/// that is summed up.
struct Usage {
  codec::Json items;
  std::int64_t active = 0, size = 0, reclaimable = 0;
};
[[nodiscard]] codec::Json usage_json(Usage usage, bool verbose);

}  // namespace api
