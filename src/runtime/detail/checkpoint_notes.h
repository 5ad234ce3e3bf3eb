#pragma once
/// What a checkpoint needs to know and can't be seen from outside later.

#include <array>
#include <string>
#include <vector>

#include "runtime/container.h"
#include "runtime/state.h"
#include "spec/runtime_config.h"

namespace runtime::detail {

/// Of a container that is being made: bind mounts, joined namespaces, the pipes that it is given.
void note_for_checkpoint(State& state, const spec::oci::Spec& spec, const Stdio& stdio);

/// The numbers behind `stdio`: its own, or 0, 1, 2 where it has none.
[[nodiscard]] std::array<int, 3> numbers_of(const Stdio& stdio);

/// The file in an image directory that says what 0, 1 and 2 were. Source: runc.
inline constexpr std::string_view kDescriptorsFile = "descriptors.json";

}  // namespace runtime::detail
