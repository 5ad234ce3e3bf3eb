#pragma once
/// Names of Linux capabilities and docker's rules for --cap-add and --cap-drop.
/// Source: capabilities(7); linux/capability.h. Pure.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace engine::oci {

/// All names this program knows, by number: [0] is "CAP_CHOWN".
[[nodiscard]] std::span<const std::string_view> capability_names();
/// Docker's fourteen.
[[nodiscard]] std::span<const std::string_view> default_capabilities();
/// Names of a mask as /proc/self/status has it ("CapBnd").
[[nodiscard]] std::vector<std::string> capabilities_in(std::uint64_t mask);

struct CapabilityRequest {
  std::vector<std::string> add, drop;  ///< "net_admin", "CAP_NET_ADMIN", "ALL"
  bool privileged = false;
};
/// The container's capabilities, of which it gets at most the `available` ones.
/// Errors: InvalidArgument in docker's words, for names that don't exist and for capabilities asked
/// for by name that are not available.
base::Result<std::vector<std::string>> choose_capabilities(const CapabilityRequest& request,
                                                           std::span<const std::string> available);

}  // namespace engine::oci
