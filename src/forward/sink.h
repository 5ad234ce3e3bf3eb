#pragma once
/// Where lines are sent: one implementation for each log driver of that kind. Blocking, one thread.

#include <memory>
#include <span>

#include "base/result.h"
#include "forward/message.h"
#include "logs/driver.h"

namespace forward {

class Sink {
 public:
  virtual ~Sink() = default;

  /// By config.driver. Connects, so that a container whose receiver is not there does not start, as docker has
  /// it (but for fluentd-async). Errors: InvalidArgument (options), Unavailable ("dial tcp …: connect: …").
  static base::Result<std::unique_ptr<Sink>> open(const logs::Config& config);

  /// Sends the messages, connecting again first where that is needed. `done` is set to how many of them are
  /// out: the others may be sent again after an error.
  virtual base::Result<> send(std::span<const Message> messages, std::size_t& done) = 0;

  /// How lines are kept that can't be sent.
  struct Patience {
    std::size_t bytes = std::size_t{1} << 20U;  ///< in memory
    /// While nobody takes any: with Yes the container waits, with No lines are lost once `bytes` is full.
    bool holds_back = false;
    std::uint64_t retries = 0;  ///< of one message, then it is given up; 0: without end
    std::chrono::nanoseconds pause = std::chrono::seconds{1};  ///< before the next try
  };
  [[nodiscard]] virtual Patience patience() const { return {}; }
};

// One file each.
base::Result<std::unique_ptr<Sink>> open_journald(const logs::Config& config);
base::Result<std::unique_ptr<Sink>> open_syslog(const logs::Config& config);
base::Result<std::unique_ptr<Sink>> open_fluentd(const logs::Config& config);
base::Result<std::unique_ptr<Sink>> open_gelf(const logs::Config& config);

}  // namespace forward
