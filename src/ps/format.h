#pragma once
/// The arguments of `docker top` and `runc ps`: the part of ps(1)'s option grammar that chooses columns. No ps is run;
/// which processes are shown is not the arguments' business, they are the container's.
/// Source: ps(1) of procps. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ps {

enum class Field {
  Pid, ParentPid, User, Uid, EffectiveUser, RealUser, RealUid, Group, Gid, Comm, Args, Cpu, CpuInteger,
  MemoryShare, VirtualKb, ResidentKb, Tty, State, StateLong, StartTime, StartLong, StartOfAux, Elapsed,
  ElapsedSeconds, CpuTime, CpuTimeShort, Threads, Priority, Nice, Processor, SizePages, ProcessGroup,
  Session, Wchan, Flags, Lwp, Address,
};

struct Column {
  Field field;
  std::string title;
};

/// "" is "-ef". Errors: InvalidArgument in ps's words ("error: unknown user-defined format specifier
/// \"x\""), and where no column is titled PID, which docker insists on.
base::Result<std::vector<Column>> parse_arguments(std::string_view arguments);

}  // namespace ps
