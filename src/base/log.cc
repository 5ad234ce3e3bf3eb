#include "base/log.h"

#include <array>
#include <atomic>
#include <cerrno>

#include <unistd.h>

#include "base/strings.h"
#include "base/time.h"

namespace base::log {
namespace {

std::atomic<Level> g_level{Level::Info};
std::atomic<Format> g_format{Format::Text};
std::atomic<int> g_descriptor{STDERR_FILENO};
constexpr std::array<std::string_view, 5> kNames{"debug", "info", "warn", "error", "fatal"};

std::string_view level_name(Level level) {
  return level == Level::Warn ? "warning" : kNames[static_cast<std::size_t>(level)];
}

}  // namespace

void set_level(Level level) { g_level = level; }
void set_format(Format format) { g_format = format; }
void set_descriptor(int fd) { g_descriptor = fd; }
bool enabled(Level level) { return level >= g_level; }

Result<Level> parse_level(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (name == kNames[i]) return static_cast<Level>(i);
  }
  if (name == "warning") return Level::Warn;
  return invalid("unknown log level " + quoted(name) + ": want debug, info, warn, error or fatal");
}

void write(Level level, std::string_view message) {
  const std::string time = to_rfc3339(now(), Fraction::Nine);
  const std::string line =
      g_format.load() == Format::Json
          ? fmt::format("{{\"time\":\"{}\",\"level\":\"{}\",\"msg\":{}}}\n", time, level_name(level),
                        quoted(message))
          : fmt::format("time=\"{}\" level={} msg={}\n", time, level_name(level), quoted(message));
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t count = ::write(g_descriptor, rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;  // a log that can't be written is no reason to stop
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
}

}  // namespace base::log
