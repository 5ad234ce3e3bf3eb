#pragma once
/// One process as /proc shows it, and its columns as ps prints them. Source: proc_pid_stat(5), ps(1).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "ps/format.h"

namespace ps {

struct Process {
  int pid = 0, parent = 0, group = 0, session = 0;
  std::string comm;
  std::vector<std::string> arguments;  ///< empty for a zombie or a kernel thread
  char state = '?';
  std::uint32_t uid = 0, real_uid = 0, gid = 0;
  int tty = 0, terminal_group = -1;
  std::uint64_t flags = 0;
  std::uint64_t cpu_ticks = 0;    ///< user and system
  std::uint64_t start_ticks = 0;  ///< since boot
  std::int64_t priority = 0, nice = 0, threads = 0, processor = 0;
  std::uint64_t virtual_bytes = 0, resident_pages = 0, locked_kb = 0;
};

/// What a column needs beside the process.
struct Context {
  std::uint64_t ticks_per_second = 100, page_size = 4096;
  std::uint64_t memory_kb = 1;
  base::Time boot{}, now{};
  std::string passwd, group;  ///< texts of the host's files, for names
};
base::Result<Context> read_context();

/// Parses /proc/<pid>/stat; the other files are separate. Errors: InvalidArgument.
base::Result<Process> parse_stat(std::string_view text);
/// Errors: NotFound when it is gone.
base::Result<Process> read_process(int pid);

[[nodiscard]] std::string column_text(const Process& process, Field field, const Context& context);

}  // namespace ps
