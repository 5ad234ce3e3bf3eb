#include "engine/signals.h"

#include <csignal>
#include <string>
#include <utility>

#include "base/strings.h"

namespace engine {
namespace {

constexpr std::pair<std::string_view, int> kSignals[] = {
    {"ABRT", SIGABRT},     {"ALRM", SIGALRM}, {"BUS", SIGBUS},   {"CHLD", SIGCHLD}, {"CLD", SIGCHLD},
    {"CONT", SIGCONT},     {"FPE", SIGFPE},   {"HUP", SIGHUP},   {"ILL", SIGILL},   {"INT", SIGINT},
    {"IO", SIGIO},         {"IOT", SIGIOT},   {"KILL", SIGKILL}, {"PIPE", SIGPIPE}, {"POLL", SIGPOLL},
    {"PROF", SIGPROF},     {"PWR", SIGPWR},   {"QUIT", SIGQUIT}, {"SEGV", SIGSEGV}, {"STKFLT", 16},
    {"STOP", SIGSTOP},     {"SYS", SIGSYS},   {"TERM", SIGTERM}, {"TRAP", SIGTRAP}, {"TSTP", SIGTSTP},
    {"TTIN", SIGTTIN},     {"TTOU", SIGTTOU}, {"URG", SIGURG},   {"USR1", SIGUSR1}, {"USR2", SIGUSR2},
    {"VTALRM", SIGVTALRM}, {"WINCH", SIGWINCH}, {"XCPU", SIGXCPU}, {"XFSZ", SIGXFSZ}};

// What programs see as SIGRTMIN, after glibc has taken two for itself.
constexpr int kFirstRealTime = 34, kLastRealTime = 64;

std::string upper(std::string_view text) {
  std::string result;
  for (const char c : text) result += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return result;
}

int real_time(std::string_view name) {
  if (name == "RTMIN") return kFirstRealTime;
  if (name == "RTMAX") return kLastRealTime;
  const bool from_first = name.starts_with("RTMIN+");
  if (!from_first && !name.starts_with("RTMAX-")) return 0;
  const auto distance = base::parse_uint(name.substr(6));
  if (!distance || *distance > 30) return 0;
  const int step = static_cast<int>(*distance);
  return from_first ? kFirstRealTime + step : kLastRealTime - step;
}

}  // namespace

base::Result<int> parse_signal(std::string_view text) {
  if (const auto number = base::parse_int(text)) {
    if (*number > 0 && *number <= kLastRealTime) return static_cast<int>(*number);
    return base::invalid("invalid signal: " + std::string{text});
  }
  const std::string full = upper(text);
  const std::string_view name = full.starts_with("SIG") ? std::string_view{full}.substr(3) : full;
  for (const auto& [known, number] : kSignals) {
    if (known == name) return number;
  }
  if (const int number = real_time(name); number != 0) return number;
  return base::invalid("invalid signal: " + std::string{text});
}

}  // namespace engine
