#pragma once
/// The service manager's D-Bus interface, as far as containers need it. Source: org.freedesktop.systemd1(5).

#include <memory>
#include <string>
#include <vector>

#include <systemd/sd-bus.h>

#include "base/result.h"
#include "cgroup/systemd_message.h"

namespace caisson_systemd {

struct CloseBus {
  void operator()(sd_bus* bus) const { sd_bus_flush_close_unref(bus); }
};
using Bus = std::unique_ptr<sd_bus, CloseBus>;

class Manager {
 public:
  /// Directly where the manager listens, else over the message bus. `user`: the calling user's manager. Errors:
  /// Unavailable, with every address that was tried.
  static base::Result<Manager> connect(bool user, cgroup::systemd_message::Greeting& greeting);

  [[nodiscard]] cgroup::systemd_message::Reply answer(const cgroup::systemd_message::Request& request);

 private:
  explicit Manager(Bus bus) : bus_{std::move(bus)} {}

  Bus bus_;
};

}  // namespace caisson_systemd
