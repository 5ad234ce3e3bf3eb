#pragma once
/// What a service tells the manager that started it. Source: sd_notify(3), the protocol of NOTIFY_SOCKET.

#include <string>
#include <string_view>

#include "base/result.h"

namespace sys {

class ServiceManager {
 public:
  /// Takes NOTIFY_SOCKET out of the environment, so that no child speaks in this service's name. Before any thread.
  static ServiceManager from_environment();

  /// "READY=1", "STOPPING=1", "STATUS=…"; nothing if no manager listens. Errors: those of sendto(2).
  [[nodiscard]] base::Result<> tell(std::string_view state) const;
  /// RELOADING=1, with the time that Type=notify-reload wants to see.
  [[nodiscard]] base::Result<> tell_reloading() const;

 private:
  std::string address_;  ///< a path, or "@" and an abstract name
};

}  // namespace sys
