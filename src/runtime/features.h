#pragma once
/// What this runtime and this host can do. Source: OCI runtime-spec 1.3, features.md.

#include "codec/json.h"

namespace runtime {

[[nodiscard]] codec::Json features();

}  // namespace runtime
