#include "shim/protocol.h"

#include <array>

namespace shim {

std::string files::exec_exit(std::string_view exec) { return "exec-" + std::string{exec} + ".json"; }

int exit_code_of_failure(const base::Error& error) {
  const auto says = [&](std::string_view text) { return error.message().find(text) != std::string::npos; };
  for (const std::string_view text : {"executable file not found", "no such file or directory"}) {
    if (says(text)) return 127;
  }
  for (const std::string_view text : {"permission denied", "is a directory", "exec format error", "not a directory"}) {
    if (says(text)) return 126;
  }
  if (error.is(base::ErrorKind::NotFound)) return 127;
  if (error.is(base::ErrorKind::PermissionDenied)) return 126;
  return 128;
}

}  // namespace shim
