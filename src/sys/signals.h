#pragma once
/// Signals of a program that waits for them instead of being interrupted. Source: sigwait(3).

#include <initializer_list>

#include "base/result.h"

namespace sys {

/// Blocks them for the calling thread and the threads that it starts from here on.
base::Result<> block_signals(std::initializer_list<int> signals);
/// Waits for one of them, which all threads block. Errors: Internal.
base::Result<int> wait_for_signal(std::initializer_list<int> signals);
/// A write to a peer that is gone is an error (EPIPE) and no signal. For the whole process.
void ignore_sigpipe();

}  // namespace sys
