#include "sys/companion.h"

#include <fmt/format.h>

#include "sys/file.h"

namespace sys {

using base::Result;

Result<std::string> find_companion(std::string_view program) {
  const std::string self = TRY(self_exe());
  const std::string beside = fmt::format("{}/{}", self.substr(0, self.rfind('/')), program);
  if (TRY(exists(kCwd, beside))) return beside;
  const std::string installed = fmt::format("{}/{}", CAISSON_LIBEXEC_DIR, program);
  if (TRY(exists(kCwd, installed))) return installed;
  return base::not_found(fmt::format("{} is missing: neither {} nor {} is there", program, beside, installed));
}

}  // namespace sys
