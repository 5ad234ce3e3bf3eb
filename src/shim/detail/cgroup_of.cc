#include "shim/detail/cgroup_of.h"

namespace shim::detail {

base::Result<cgroup::Cgroup> cgroup_of(pid_t pid) {
  return cgroup::Cgroup::of_process(TRY(cgroup::Host::detect()), pid);
}

}  // namespace shim::detail
