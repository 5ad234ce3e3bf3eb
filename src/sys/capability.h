#pragma once
/// Capabilities as names and bit sets. Source: capabilities(7).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sys {

/// Bit n is capability number n.
using CapabilitySet = std::uint64_t;

/// "CAP_CHOWN" → 0; case counts. nullopt for a name that this program does not know.
[[nodiscard]] std::optional<unsigned> capability_number(std::string_view name);
[[nodiscard]] std::string_view capability_name(unsigned number);
/// The highest number that the running kernel knows.
[[nodiscard]] unsigned last_capability();
/// The names known to this program and to the kernel, by number.
std::vector<std::string> known_capabilities();

struct CapabilityState {
  CapabilitySet effective = 0;
  CapabilitySet permitted = 0;
  CapabilitySet inheritable = 0;
};
/// Of the calling thread. Source: capget(2).
base::Result<CapabilityState> current_capabilities();
base::Result<> set_capabilities(const CapabilityState& wanted);

}  // namespace sys
