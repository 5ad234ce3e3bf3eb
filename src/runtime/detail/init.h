#pragma once
/// The container's first process, from clone to execve. See channel.h for what it says meanwhile.

#include "runtime/detail/channel.h"
#include "runtime/detail/init_plan.h"

namespace runtime::detail {

/// Never returns: it becomes the program, or tells the parent why not and exits with 1.
[[noreturn]] void run_init(InitPlan& plan, Channel& channel);

}  // namespace runtime::detail
