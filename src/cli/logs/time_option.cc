#include "cli/logs/time_option.h"

#include <fmt/format.h>

#include "base/strings.h"
#include "base/time.h"
#include "cli/stream/exit_status.h"

namespace cli {

base::Result<std::string> time_option(std::string_view name, const std::string& text) {
  if (text.empty()) return std::string{};
  const auto time = base::parse_timestamp(text, base::now());
  if (!time) {
    return base::invalid(fmt::format(
        "invalid value for \"{}\": failed to parse value as time or duration: {}", name, base::quoted(text)));
  }
  return api_time(*time);
}

}  // namespace cli
