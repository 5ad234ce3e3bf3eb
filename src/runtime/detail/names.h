#pragma once
/// Words of messages that clients know from runc.

#include <string>
#include <string_view>

#include "spec/runtime_config.h"

namespace runtime::detail {

/// What happens between the clone and the search for the program.
inline constexpr std::string_view kDuringInit = "error during container init";
/// `error mounting "/src" to rootfs at "/dst"`.
[[nodiscard]] std::string mount_intent(const spec::oci::Mount& mount);
/// As Go words an errno: "no such file or directory".
[[nodiscard]] std::string plain_errno_text(int errno_value);

}  // namespace runtime::detail
