#pragma once
/// The first process of a container's PID namespace, for programs that are not made to be one: starts the
/// program in a process group of its own (the terminal's foreground, where there is one), hands every
/// signal on to it, reaps whatever is orphaned, and ends as the program ended.
/// Sources: pid_namespaces(7), tcsetpgrp(3), sigwaitinfo(2), waitpid(2).
///
/// Uses nothing of the other modules: the program made of it (src/cmd/caisson-init) stands in each such
/// container, so it is small.

namespace sys {

/// `argv` is null-terminated, the program first. Returns the exit code for the caller's own end: the
/// program's, or 128 + the signal that ended it; 127 and 126 when it can't be started.
int run_as_init(char* const* argv);

}  // namespace sys
