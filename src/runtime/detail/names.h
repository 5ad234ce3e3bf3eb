#pragma once
/// Words of messages that clients know from runc.

#include <string>

#include "spec/runtime_config.h"

namespace runtime::detail {

/// `error mounting "/src" to rootfs at "/dst"`.
[[nodiscard]] std::string mount_intent(const spec::oci::Mount& mount);
/// As Go words an errno: "no such file or directory".
[[nodiscard]] std::string plain_errno_text(int errno_value);

}  // namespace runtime::detail
