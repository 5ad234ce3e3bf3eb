#pragma once
/// Values as docker's tables show them.

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "spec/engine/container_state.h"

namespace cli {

/// "sha256:<hex>" and "<hex>" → 12 digits.
[[nodiscard]] std::string short_id(std::string_view id);
/// "3 minutes ago".
[[nodiscard]] std::string ago(std::int64_t unix_seconds);
/// "2026-11-20 22:38:46 +0000 UTC", in the local time zone.
[[nodiscard]] std::string local_time(std::int64_t unix_seconds);
/// As above with the fraction of a second that Go prints.
[[nodiscard]] std::string local_time(std::int64_t unix_seconds, std::int64_t nanoseconds);
/// "a=1,b=2"
[[nodiscard]] std::string label_list(const spec::api::Labels& labels);
/// "0.0.0.0:8080->80/tcp, 443-444/tcp": ranges of ports are joined.
[[nodiscard]] std::string port_list(std::vector<spec::api::PortSummary> ports);
/// "docker.io/library/busybox:1" → "busybox:1".
[[nodiscard]] std::string familiar(std::string_view name);

}  // namespace cli
