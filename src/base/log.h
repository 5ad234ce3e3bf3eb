#pragma once
/// The program's own log: one logfmt line per event, on stderr unless told otherwise, as dockerd writes it
/// (time="…" level=info msg="…"). Log **or** return an error, never both. No secret goes here.
/// Threads: any. A line is one write(2), so lines of several processes don't mix.

#include <cstdint>
#include <string_view>

#include <fmt/format.h>

#include "base/result.h"

namespace base::log {

enum class Level : std::uint8_t { Debug, Info, Warn, Error, Fatal };
enum class Format : std::uint8_t { Text, Json };

void set_level(Level level);
void set_format(Format format);
/// Where lines go instead of stderr. The caller keeps it open.
void set_descriptor(int fd);
/// "debug", "info", "warn", "error", "fatal". Errors: InvalidArgument.
Result<Level> parse_level(std::string_view name);
[[nodiscard]] bool enabled(Level level);

void write(Level level, std::string_view message);

template <class... Args>
void log(Level level, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(level)) write(level, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  log(Level::Debug, format, std::forward<Args>(args)...);
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  log(Level::Info, format, std::forward<Args>(args)...);
}
template <class... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
  log(Level::Warn, format, std::forward<Args>(args)...);
}
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  log(Level::Error, format, std::forward<Args>(args)...);
}

}  // namespace base::log
