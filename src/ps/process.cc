#include "ps/process.h"

#include <algorithm>
#include <ctime>

#include <unistd.h>

#include <fmt/format.h>

#include "base/strings.h"
#include "sys/file.h"

namespace ps {
namespace {

using std::chrono::seconds;

template <class Int>
Int number(std::string_view text) {
  return static_cast<Int>(base::parse_int(text).value_or(0));
}

std::string tty_name(int device) {
  if (device == 0) return "?";
  const unsigned bits = static_cast<unsigned>(device);
  const unsigned major = bits >> 8U & 0xfffU;
  const unsigned minor = (bits & 0xffU) | (bits >> 12U & 0xfff00U);
  if (major >= 136 && major <= 143) return fmt::format("pts/{}", minor + (major - 136) * 256);
  if (major == 4) return minor < 64 ? fmt::format("tty{}", minor) : fmt::format("ttyS{}", minor - 64);
  if (major == 5 && minor == 1) return "console";
  return "?";
}

/// The first field of the line whose third is `id`: passwd and group alike.
std::string name_of_id(std::string_view file, std::uint32_t id) {
  const std::string wanted = std::to_string(id);
  for (const std::string_view line : base::split(file, '\n')) {
    const auto fields = base::split(line, ':');
    if (fields.size() > 2 && fields[2] == wanted) return std::string{fields[0]};
  }
  return wanted;
}

std::string clock(std::uint64_t all_seconds) {
  const std::uint64_t days = all_seconds / 86400;
  const std::string text = fmt::format("{:02}:{:02}:{:02}", all_seconds / 3600 % 24, all_seconds / 60 % 60, all_seconds % 60);
  return days == 0 ? text : fmt::format("{}-{}", days, text);
}
std::string elapsed_clock(std::uint64_t all_seconds) {
  const std::string text = clock(all_seconds);
  return all_seconds < 3600 ? text.substr(3) : text;
}

struct tm local(base::Time time) {
  const auto now = static_cast<time_t>(std::chrono::duration_cast<seconds>(time.time_since_epoch()).count());
  struct tm parts {};
  ::localtime_r(&now, &parts);
  return parts;
}
constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::string_view kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

std::string long_date(base::Time time) {
  const struct tm t = local(time);
  return fmt::format("{} {} {:2} {:02}:{:02}:{:02} {}", kDays[t.tm_wday], kMonths[t.tm_mon], t.tm_mday, t.tm_hour,
                     t.tm_min, t.tm_sec, t.tm_year + 1900);
}

base::Time started(const Process& process, const Context& context) {
  const auto ns = process.start_ticks * (1'000'000'000ULL / context.ticks_per_second);
  return context.boot + std::chrono::nanoseconds{static_cast<std::int64_t>(ns)};
}
std::uint64_t elapsed(const Process& process, const Context& context) {
  const auto age = std::chrono::duration_cast<seconds>(context.now - started(process, context)).count();
  return age < 0 ? 0 : static_cast<std::uint64_t>(age);
}
std::uint64_t cpu_seconds(const Process& process, const Context& context) {
  return process.cpu_ticks / context.ticks_per_second;
}
double cpu_share(const Process& process, const Context& context) {
  const std::uint64_t age = elapsed(process, context);
  if (age == 0) return 0;
  return static_cast<double>(process.cpu_ticks) * 100.0 /
         static_cast<double>(context.ticks_per_second) / static_cast<double>(age);
}

/// STIME and START: the time of day within a day, then the date, then the year.
std::string start_text(const Process& process, const Context& context) {
  const base::Time start = started(process, context);
  const struct tm t = local(start);
  if (context.now - start < std::chrono::hours{24}) return fmt::format("{:02}:{:02}", t.tm_hour, t.tm_min);
  if (t.tm_year == local(context.now).tm_year) return fmt::format("{}{:02}", kMonths[t.tm_mon], t.tm_mday);
  return std::to_string(t.tm_year + 1900);
}

std::string state_text(const Process& process) {
  std::string text{process.state};
  if (process.nice < 0) text += '<';
  if (process.nice > 0) text += 'N';
  if (process.locked_kb > 0) text += 'L';
  if (process.session == process.pid) text += 's';
  if (process.threads > 1) text += 'l';
  if (process.terminal_group == process.group) text += '+';
  return text;
}

std::string command(const Process& process) {
  if (process.arguments.empty()) return "[" + process.comm + "]" + (process.state == 'Z' ? " <defunct>" : "");
  return base::join(process.arguments, " ");
}

std::string file_text(const std::string& path) {
  auto text = sys::read_file(sys::kCwd, path);
  return text ? *std::move(text) : std::string{};
}

}  // namespace

base::Result<Context> read_context() {
  Context context;
  context.ticks_per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  context.page_size = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  context.now = base::now();
  const std::string stat = TRY(sys::read_file(sys::kCwd, "/proc/stat"));
  if (const auto at = stat.find("\nbtime "); at != std::string::npos) {
    const auto text = std::string_view{stat}.substr(at + 7);
    context.boot = base::Time{seconds{number<std::int64_t>(text.substr(0, text.find('\n')))}};
  }
  const std::string meminfo = file_text("/proc/meminfo");
  for (const std::string_view line : base::split(meminfo, '\n')) {
    const auto words = base::split_words(line);
    if (words.size() > 1 && words[0] == "MemTotal:") context.memory_kb = number<std::uint64_t>(words[1]);
  }
  context.passwd = file_text("/etc/passwd");
  context.group = file_text("/etc/group");
  return context;
}

base::Result<Process> parse_stat(std::string_view text) {
  // The name may hold spaces and parentheses: it ends at the last one.
  const auto open = text.find(" (");
  const auto close = text.rfind(") ");
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
    return base::invalid("not a process's stat line");
  }
  const auto fields = base::split_words(base::trim(text.substr(close + 2)));
  if (fields.size() < 37) return base::invalid("a process's stat line is too short");
  const auto field = [&](std::size_t documented) { return fields[documented - 3]; };  // proc_pid_stat counts from 1
  Process process;
  process.pid = number<int>(text.substr(0, open));
  process.comm = text.substr(open + 2, close - open - 2);
  process.state = field(3).front();
  process.parent = number<int>(field(4));
  process.group = number<int>(field(5));
  process.session = number<int>(field(6));
  process.tty = number<int>(field(7));
  process.terminal_group = number<int>(field(8));
  process.flags = number<std::uint64_t>(field(9));
  process.cpu_ticks = number<std::uint64_t>(field(14)) + number<std::uint64_t>(field(15));
  process.priority = number<std::int64_t>(field(18));
  process.nice = number<std::int64_t>(field(19));
  process.threads = number<std::int64_t>(field(20));
  process.start_ticks = number<std::uint64_t>(field(22));
  process.virtual_bytes = number<std::uint64_t>(field(23));
  process.resident_pages = number<std::uint64_t>(field(24));
  process.processor = number<std::int64_t>(field(39));
  return process;
}

base::Result<Process> read_process(int pid) {
  const std::string folder = "/proc/" + std::to_string(pid);
  const auto dir = TRY(sys::open_dir(sys::kCwd, folder));
  Process process = TRY(parse_stat(TRY(sys::read_file(dir.get(), "stat"))));
  const std::string status = TRY(sys::read_file(dir.get(), "status"));
  for (const std::string_view line : base::split(status, '\n')) {
    const auto parts = base::cut(line, ":");
    if (!parts) continue;
    const auto ids = base::split_words(base::trim(parts->second), '\t');
    if (parts->first == "Uid" && ids.size() > 1) {
      process.real_uid = number<std::uint32_t>(ids[0]);
      process.uid = number<std::uint32_t>(ids[1]);
    } else if (parts->first == "Gid" && ids.size() > 1) {
      process.gid = number<std::uint32_t>(ids[1]);
    } else if (parts->first == "VmLck") {
      process.locked_kb = number<std::uint64_t>(base::split_words(base::trim(parts->second)).front());
    }
  }
  const std::string arguments = TRY(sys::read_file(dir.get(), "cmdline"));
  for (const std::string_view argument : base::split(arguments, '\0')) process.arguments.emplace_back(argument);
  if (!process.arguments.empty() && process.arguments.back().empty()) process.arguments.pop_back();
  return process;
}

std::string column_text(const Process& p, Field field, const Context& context) {
  const std::uint64_t page_kb = context.page_size / 1024;
  switch (field) {
    case Field::Pid: case Field::Lwp: return std::to_string(p.pid);
    case Field::ParentPid: return std::to_string(p.parent);
    case Field::User: case Field::EffectiveUser: return name_of_id(context.passwd, p.uid);
    case Field::RealUser: return name_of_id(context.passwd, p.real_uid);
    case Field::Uid: return std::to_string(p.uid);
    case Field::RealUid: return std::to_string(p.real_uid);
    case Field::Group: return name_of_id(context.group, p.gid);
    case Field::Gid: return std::to_string(p.gid);
    case Field::Comm: return p.comm + (p.state == 'Z' ? " <defunct>" : "");
    case Field::Args: return command(p);
    case Field::Cpu: return fmt::format("{:.1f}", cpu_share(p, context));
    case Field::CpuInteger: return fmt::format("{:.0f}", std::min(cpu_share(p, context), 99.0));
    case Field::MemoryShare:
      return fmt::format("{:.1f}", static_cast<double>(p.resident_pages * page_kb) * 100.0 /
                                       static_cast<double>(context.memory_kb));
    case Field::VirtualKb: return std::to_string(p.virtual_bytes / 1024);
    case Field::ResidentKb: return std::to_string(p.resident_pages * page_kb);
    case Field::SizePages: return std::to_string(p.virtual_bytes / context.page_size);
    case Field::Tty: return tty_name(p.tty);
    case Field::State: return std::string{p.state};
    case Field::StateLong: return state_text(p);
    case Field::StartTime: case Field::StartOfAux: return start_text(p, context);
    case Field::StartLong: return long_date(started(p, context));
    case Field::Elapsed: return elapsed_clock(elapsed(p, context));
    case Field::ElapsedSeconds: return std::to_string(elapsed(p, context));
    case Field::CpuTime: return clock(cpu_seconds(p, context));
    case Field::CpuTimeShort: {
      const std::uint64_t all = cpu_seconds(p, context);
      return fmt::format("{}:{:02}", all / 60, all % 60);
    }
    case Field::Threads: return std::to_string(p.threads);
    case Field::Priority: return std::to_string(60 + p.priority);
    case Field::Nice: return std::to_string(p.nice);
    case Field::Processor: return std::to_string(p.processor);
    case Field::ProcessGroup: return std::to_string(p.group);
    case Field::Session: return std::to_string(p.session);
    case Field::Flags: return fmt::format("{:o}", p.flags >> 6U & 7U);
    case Field::Wchan: case Field::Address: return "-";
  }
  return "-";
}

}  // namespace ps
