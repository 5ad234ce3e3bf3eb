#include "runtime/detail/names.h"

#include <fmt/format.h>

#include "base/strings.h"

namespace runtime::detail {

std::string mount_intent(const spec::oci::Mount& mount) {
  return fmt::format("error mounting {} to rootfs at {}", base::quoted(mount.source), base::quoted(mount.destination));
}

std::string plain_errno_text(int errno_value) {
  std::string text = base::errno_text(errno_value);
  if (text.size() > 1 && text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'a') {
    text[0] = static_cast<char>(text[0] - 'A' + 'a');
  }
  return text;
}

}  // namespace runtime::detail
