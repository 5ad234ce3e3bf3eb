#pragma once
/// The process that the last steps fork (FinalStage::fork), as whoever runs the steps' maker learns of it.

#include <optional>
#include <string>

#include "base/result.h"
#include "runtime/detail/channel.h"
#include "spec/runtime_config.h"
#include "sys/fd.h"
#include "sys/process.h"

namespace runtime::detail {

struct Forked {
  sys::Process process;         ///< a child of the caller
  sys::UniqueFd master;         ///< of its terminal, if that came on the way
  std::optional<Packet> early;  ///< it may be faster than its parent and have reported something before
};

/// Reads the channel until there is one. A failed step comes as its error.
base::Result<Forked> await_fork(const Channel& channel, const std::string& program);

/// Gives process `pid` the policy that it could not inherit (scheduler_ends_at_fork), for which it waits.
/// `early` is used up.
base::Result<> schedule(const Channel& channel, pid_t pid, std::optional<Packet>& early,
                        const spec::oci::Process& process, const std::string& cpus);

}  // namespace runtime::detail
