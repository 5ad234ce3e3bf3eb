#include "ps/format.h"

#include <algorithm>
#include <optional>

#include "base/strings.h"

namespace ps {
namespace {

struct Known {
  std::string_view name;  // as in `-o name`
  Field field;
  std::string_view title;
};
constexpr Known kKnown[] = {
    {"pid", Field::Pid, "PID"},           {"tgid", Field::Pid, "TGID"},
    {"ppid", Field::ParentPid, "PPID"},   {"user", Field::EffectiveUser, "USER"},
    {"euser", Field::EffectiveUser, "EUSER"}, {"uname", Field::EffectiveUser, "USER"},
    {"ruser", Field::RealUser, "RUSER"},  {"uid", Field::Uid, "UID"},
    {"euid", Field::Uid, "EUID"},         {"ruid", Field::RealUid, "RUID"},
    {"group", Field::Group, "GROUP"},     {"egroup", Field::Group, "EGROUP"},
    {"gid", Field::Gid, "GID"},           {"egid", Field::Gid, "EGID"},
    {"comm", Field::Comm, "COMMAND"},     {"ucmd", Field::Comm, "CMD"},
    {"ucomm", Field::Comm, "COMMAND"},    {"args", Field::Args, "COMMAND"},
    {"cmd", Field::Args, "CMD"},          {"command", Field::Args, "COMMAND"},
    {"%cpu", Field::Cpu, "%CPU"},         {"pcpu", Field::Cpu, "%CPU"},
    {"c", Field::CpuInteger, "C"},        {"%mem", Field::MemoryShare, "%MEM"},
    {"pmem", Field::MemoryShare, "%MEM"}, {"vsz", Field::VirtualKb, "VSZ"},
    {"vsize", Field::VirtualKb, "VSZ"},   {"rss", Field::ResidentKb, "RSS"},
    {"rssize", Field::ResidentKb, "RSS"}, {"rsz", Field::ResidentKb, "RSZ"},
    {"sz", Field::SizePages, "SZ"},       {"tty", Field::Tty, "TT"},
    {"tt", Field::Tty, "TT"},             {"tname", Field::Tty, "TTY"},
    {"s", Field::State, "S"},             {"state", Field::State, "S"},
    {"stat", Field::StateLong, "STAT"},   {"stime", Field::StartTime, "STIME"},
    {"start_time", Field::StartTime, "START"}, {"bsdstart", Field::StartOfAux, "START"},
    {"lstart", Field::StartLong, "STARTED"}, {"etime", Field::Elapsed, "ELAPSED"},
    {"etimes", Field::ElapsedSeconds, "ELAPSED"}, {"time", Field::CpuTime, "TIME"},
    {"cputime", Field::CpuTime, "TIME"},  {"bsdtime", Field::CpuTimeShort, "TIME"},
    {"nlwp", Field::Threads, "NLWP"},     {"thcount", Field::Threads, "THCNT"},
    {"pri", Field::Priority, "PRI"},      {"ni", Field::Nice, "NI"},
    {"nice", Field::Nice, "NI"},          {"psr", Field::Processor, "PSR"},
    {"pgid", Field::ProcessGroup, "PGID"}, {"pgrp", Field::ProcessGroup, "PGRP"},
    {"sid", Field::Session, "SID"},       {"sess", Field::Session, "SESS"},
    {"session", Field::Session, "SESS"},  {"wchan", Field::Wchan, "WCHAN"},
    {"f", Field::Flags, "F"},             {"flags", Field::Flags, "F"},
    {"lwp", Field::Lwp, "LWP"},           {"tid", Field::Lwp, "TID"},
};

std::vector<Column> full() {  // -f
  return {{Field::User, "UID"}, {Field::Pid, "PID"}, {Field::ParentPid, "PPID"}, {Field::CpuInteger, "C"},
          {Field::StartTime, "STIME"}, {Field::Tty, "TTY"}, {Field::CpuTime, "TIME"}, {Field::Args, "CMD"}};
}
std::vector<Column> extra_full() {  // -F
  return {{Field::User, "UID"}, {Field::Pid, "PID"}, {Field::ParentPid, "PPID"}, {Field::CpuInteger, "C"},
          {Field::SizePages, "SZ"}, {Field::ResidentKb, "RSS"}, {Field::Processor, "PSR"},
          {Field::StartTime, "STIME"}, {Field::Tty, "TTY"}, {Field::CpuTime, "TIME"}, {Field::Args, "CMD"}};
}
std::vector<Column> brief() {
  return {{Field::Pid, "PID"}, {Field::Tty, "TTY"}, {Field::CpuTime, "TIME"}, {Field::Comm, "CMD"}};
}
std::vector<Column> brief_bsd() {
  return {{Field::Pid, "PID"}, {Field::Tty, "TTY"}, {Field::StateLong, "STAT"}, {Field::CpuTimeShort, "TIME"},
          {Field::Args, "COMMAND"}};
}
std::vector<Column> user_oriented() {  // u
  return {{Field::EffectiveUser, "USER"}, {Field::Pid, "PID"}, {Field::Cpu, "%CPU"}, {Field::MemoryShare, "%MEM"},
          {Field::VirtualKb, "VSZ"}, {Field::ResidentKb, "RSS"}, {Field::Tty, "TTY"}, {Field::StateLong, "STAT"},
          {Field::StartOfAux, "START"}, {Field::CpuTimeShort, "TIME"}, {Field::Args, "COMMAND"}};
}
std::vector<Column> long_unix() {  // -l
  return {{Field::Flags, "F"}, {Field::State, "S"}, {Field::Uid, "UID"}, {Field::Pid, "PID"},
          {Field::ParentPid, "PPID"}, {Field::CpuInteger, "C"}, {Field::Priority, "PRI"}, {Field::Nice, "NI"},
          {Field::Address, "ADDR"}, {Field::SizePages, "SZ"}, {Field::Wchan, "WCHAN"}, {Field::Tty, "TTY"},
          {Field::CpuTime, "TIME"}, {Field::Comm, "CMD"}};
}
std::vector<Column> long_bsd() {  // l
  return {{Field::Flags, "F"}, {Field::Uid, "UID"}, {Field::Pid, "PID"}, {Field::ParentPid, "PPID"},
          {Field::Priority, "PRI"}, {Field::Nice, "NI"}, {Field::VirtualKb, "VSZ"}, {Field::ResidentKb, "RSS"},
          {Field::Wchan, "WCHAN"}, {Field::StateLong, "STAT"}, {Field::Tty, "TTY"}, {Field::CpuTimeShort, "TIME"},
          {Field::Args, "COMMAND"}};
}
std::vector<Column> jobs() {  // -j
  return {{Field::Pid, "PID"}, {Field::ProcessGroup, "PGID"}, {Field::Session, "SID"}, {Field::Tty, "TTY"},
          {Field::CpuTime, "TIME"}, {Field::Comm, "CMD"}};
}

base::Result<> add_list(std::string_view list, std::vector<Column>& columns) {
  for (const std::string_view word : base::split_words(list, ',')) {
    const auto parts = base::cut(word, "=");
    const std::string_view name = parts ? parts->first : word;
    const auto* known = std::ranges::find(kKnown, name, &Known::name);
    if (known == std::end(kKnown)) {
      return base::invalid("error: unknown user-defined format specifier \"" + std::string{name} + "\"");
    }
    columns.push_back({known->field, std::string{parts ? parts->second : known->title}});
  }
  if (list.empty()) return base::invalid("error: list of format specifiers is missing");
  return {};
}

class Parser {
 public:
  explicit Parser(std::string_view arguments) : words_{base::split_words(arguments)} {}

  base::Result<std::vector<Column>> run() {
    // As ps: what makes no sense with a dash is read once more as if there were none.
    auto columns = columns_of_words();
    if (columns || !bad_letter_) return columns;
    lenient_ = true;
    next_ = 0;
    preset_.reset();
    custom_.clear();
    auto again = columns_of_words();
    return again ? std::move(again) : std::move(columns);
  }

 private:
  base::Result<std::vector<Column>> columns_of_words() {
    while (next_ < words_.size()) {
      const std::string_view word = words_[next_++];
      if (word.starts_with("--")) {
        TRY(long_option(word.substr(2)));
      } else if (word.starts_with('-') && word.size() > 1) {
        TRY(lenient_ ? bsd_options(word.substr(1)) : unix_options(word.substr(1)));
      } else {
        TRY(bsd_options(word));
      }
    }
    if (!custom_.empty()) return custom_;
    return preset_ ? *preset_ : bsd_ ? brief_bsd() : brief();
  }

  base::Result<> long_option(std::string_view option) {
    if (const auto parts = base::cut(option, "="); parts && parts->first == "format") {
      return add_list(parts->second, custom_);
    }
    if (option == "format") return add_list(argument({}), custom_);
    if (option == "no-headers" || option == "no-heading") {
      return base::invalid("error: headers are needed to find the PID column");
    }
    return base::invalid("error: unknown gnu long option");
  }

  base::Result<> unix_options(std::string_view letters) {
    for (std::size_t i = 0; i < letters.size(); ++i) {
      switch (letters[i]) {
        case 'e': case 'A': case 'a': case 'd': case 'w': case 'N': case 'H': case 'c': case 'y': break;
        case 'f': preset_ = full(); break;
        case 'F': preset_ = extra_full(); break;
        case 'l': preset_ = long_unix(); break;
        case 'j': preset_ = jobs(); break;
        case 'o': case 'O': return add_list(argument(letters.substr(i + 1)), custom_);
        default:
          bad_letter_ = true;
          return base::invalid("error: unsupported SysV option");
      }
    }
    return {};
  }

  base::Result<> bsd_options(std::string_view letters) {
    bsd_ = true;
    for (std::size_t i = 0; i < letters.size(); ++i) {
      switch (letters[i]) {
        case 'a': case 'x': case 'w': case 'e': case 'f': case 'g': case 'r': case 'S': case 'n': break;
        case 'u': preset_ = user_oriented(); break;
        case 'l': preset_ = long_bsd(); break;
        case 'j': preset_ = jobs(); break;
        case 'o': return add_list(argument(letters.substr(i + 1)), custom_);
        default: return base::invalid("error: unsupported option (BSD syntax)");
      }
    }
    return {};
  }

  /// What stands right behind the option's letter, else the next word.
  std::string_view argument(std::string_view attached) {
    if (!attached.empty()) return attached;
    return next_ < words_.size() ? words_[next_++] : std::string_view{};
  }

  std::vector<std::string_view> words_;
  std::size_t next_ = 0;
  bool bsd_ = false;
  bool bad_letter_ = false;  ///< no option with a dash
  bool lenient_ = false;     ///< dashes mean nothing
  std::optional<std::vector<Column>> preset_;
  std::vector<Column> custom_;
};

}  // namespace

base::Result<std::vector<Column>> parse_arguments(std::string_view arguments) {
  auto columns = TRY(Parser{arguments.empty() ? "-ef" : arguments}.run());
  if (std::ranges::find(columns, "PID", &Column::title) == columns.end()) {
    return base::invalid("Couldn't find PID field in ps output");
  }
  return columns;
}

}  // namespace ps
