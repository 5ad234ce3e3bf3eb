#pragma once
/// JSON as docker's client writes it for people: a tab per level.

#include <string>

#include "codec/json.h"

namespace cli {

[[nodiscard]] std::string tabbed_json(const codec::Json& json);

}  // namespace cli
