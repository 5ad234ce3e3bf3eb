/// One container's supervisor. Started by caissond, not by people.
#include <string>
#include <string_view>

#include "base/log.h"
#include "logs/driver.h"
#include "shim/protocol.h"
#include "shim/supervise.h"
#include "sys/fd.h"

int main(int argc, char** argv) {
  const std::string_view verb = argc == 3 ? argv[1] : "";
  base::Result<> result = base::invalid(
      "usage: caisson-shim --dir <run directory>\n"
      "It looks after one container and is started by caissond, on descriptor 3 with a connection to it.");
  if (verb == "--dir") {
    const bool connected = sys::stat_fd(shim::kInheritedConnection).has_value();
    result = shim::supervise(argv[2], connected ? shim::kInheritedConnection : -1);
  } else if (verb == "--compress") {
    result = logs::compress_file(argv[2]);
  }
  if (result) return 0;
  base::log::error("{}", result.error().message());
  return 1;
}
