#pragma once
/// linux.netDevices: interfaces of the runtime's network namespace that the container gets.
/// Source: OCI config-linux.md "Network Devices".

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "spec/runtime_linux.h"
#include "sys/fd.h"

namespace runtime::detail {

/// The names, as far as they can be judged beforehand. Errors: InvalidArgument.
base::Result<> check_net_devices(const std::map<std::string, spec::oci::NetDevice>& devices);

/// The interfaces in the container's namespace. Unless it is released, its end brings them back: with
/// a container that could not be made, the kernel would destroy them. Afterwards they are the
/// namespace's own, and nobody moves them.
class MovedDevices {
 public:
  MovedDevices() = default;
  MovedDevices(const MovedDevices&) = delete;
  MovedDevices& operator=(const MovedDevices&) = delete;
  ~MovedDevices() { bring_back(); }

  base::Result<> move_to(pid_t pid, const std::map<std::string, spec::oci::NetDevice>& devices);
  void release() { moved_.clear(); }
  void bring_back();

 private:
  struct Moved {
    std::string here;
    std::string there;
  };
  sys::UniqueFd own_;
  sys::UniqueFd container_;
  std::vector<Moved> moved_;
};

}  // namespace runtime::detail
