#include "cli/output.h"

#include <cstdlib>

#include "base/strings.h"
#include "sys/fd.h"
#include "sys/pty.h"

namespace cli {

void Output::write(std::string_view text) {
  if (!text.empty() && !sys::write_all(fd_, text)) failed_ = true;
}

bool Output::is_terminal() const { return sys::is_terminal(fd_); }

std::size_t Output::columns() const {
  if (!is_terminal()) return 0;
  if (const char* wished = std::getenv("COLUMNS"); wished != nullptr) {
    if (const auto columns = base::parse_uint(wished); columns && *columns > 0) return *columns;
  }
  const auto size = sys::window_size(fd_);
  return size ? size->columns : 0;
}

}  // namespace cli
