#include "shim/protocol.h"

#include "base/strings.h"

namespace shim {

std::string files::exec_exit(std::string_view exec) { return "exec-" + std::string{exec} + ".json"; }

int exit_code_of_failure(const base::Error& error) {
  const std::string message = base::to_lower(error.message());
  const auto says = [&](std::string_view text) { return message.find(text) != std::string::npos; };
  if (says("executable file") && says("not found")) return 127;
  if (says("no such file or directory")) return 127;
  for (const std::string_view text : {"permission denied", "is a directory", "exec format error", "not a directory"}) {
    if (says(text)) return 126;
  }
  if (error.is(base::ErrorKind::NotFound)) return 127;
  if (error.is(base::ErrorKind::PermissionDenied)) return 126;
  return 128;
}

}  // namespace shim
