#include "forward/sink.h"

namespace forward {

base::Result<std::unique_ptr<Sink>> Sink::open(const logs::Config& config) {
  if (config.driver == "journald") return open_journald(config);
  if (config.driver == "syslog") return open_syslog(config);
  if (config.driver == "fluentd") return open_fluentd(config);
  if (config.driver == "gelf") return open_gelf(config);
  return base::invalid("logger: no log driver named '" + config.driver + "' sends lines anywhere");
}

}  // namespace forward
