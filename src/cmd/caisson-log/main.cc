/// Sends a container's output to journald, syslog, fluentd or GELF. Started by a container's shim, not by people.
#include <csignal>

#include "base/log.h"
#include "forward/run.h"
#include "logs/feed.h"
#include "sys/fd.h"
#include "sys/signals.h"

int main(int argc, char** /*argv*/) {
  if (argc != 1 || !sys::stat_fd(logs::feed::kDescriptor)) {
    base::log::error("usage: caisson-log, with a feed on descriptor {}; it is started by caisson-shim",
                     logs::feed::kDescriptor);
    return 1;
  }
  // As its shim: it ends when the feed has ended, not when a terminal or a session does.
  sys::ignore_signals({SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM});
  if (const auto done = forward::run(logs::feed::kDescriptor); !done) {
    base::log::error("{}", done.error().message());
    return 1;
  }
  return 0;
}
