#include "logs/detail/line_reader.h"

#include <cstdint>
#include <string>

#include "codec/json.h"

namespace logs::detail {
namespace {

std::optional<unsigned> hex4(std::string_view text) {
  if (text.size() < 4) return std::nullopt;
  unsigned value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const char c = text[i];
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return std::nullopt;
    value = value * 16 + static_cast<unsigned>(digit);
  }
  return value;
}

void append_utf8(std::string& out, unsigned code) {
  const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80U | ((code >> shift) & 0x3fU)); };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0U | (code >> 6U));
    tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0U | (code >> 12U));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xf0U | (code >> 18U));
    tail(12);
    tail(6);
    tail(0);
  }
}

/// Takes "uXXXX" (a surrogate pair is two of them) off `rest`.
bool take_unicode(std::string_view& rest, std::string& out) {
  const auto first = hex4(rest.substr(1));
  if (!first) return false;
  rest.remove_prefix(5);
  unsigned code = *first;
  if (code >= 0xd800 && code < 0xe000) {
    const auto second = rest.starts_with("\\u") ? hex4(rest.substr(2)) : std::nullopt;
    if (code < 0xdc00 && second && *second >= 0xdc00 && *second < 0xe000) {
      code = 0x10000U + ((code - 0xd800U) << 10U) + (*second - 0xdc00U);
      rest.remove_prefix(6);
    } else {
      code = 0xfffd;
    }
  }
  append_utf8(out, code);
  return true;
}

/// Takes a string's text and its closing quote off `rest`, which starts behind the opening one.
bool take_string(std::string_view& rest, std::string& out) {
  while (true) {
    const auto stop = rest.find_first_of("\"\\");
    if (stop == std::string_view::npos) return false;
    out.append(rest, 0, stop);
    const bool closed = rest[stop] == '"';
    rest.remove_prefix(stop + 1);
    if (closed) return true;
    if (rest.empty()) return false;
    static constexpr std::string_view kEscapes = "\"\\/bfnrt";
    static constexpr std::string_view kMeaning = "\"\\/\b\f\n\r\t";
    if (rest[0] == 'u') {
      if (!take_unicode(rest, out)) return false;
    } else {
      const auto index = kEscapes.find(rest[0]);
      if (index == std::string_view::npos) return false;
      out += kMeaning[index];
      rest.remove_prefix(1);
    }
  }
}

bool take(std::string_view& rest, std::string_view literal) {
  if (!rest.starts_with(literal)) return false;
  rest.remove_prefix(literal.size());
  return true;
}

bool take_stream(std::string_view& rest, Stream& stream) {
  if (take(rest, R"("stream":"stdout")")) {
    stream = Stream::Stdout;
    return true;
  }
  stream = Stream::Stderr;
  return take(rest, R"("stream":"stderr")");
}

bool take_attributes(std::string_view& rest, Entry& entry) {
  std::size_t used = 0;
  const auto attributes = codec::Json::parse_prefix(rest, used);
  if (!attributes || used == 0) return false;
  for (const auto& [key, value] : attributes->as_object()) entry.attributes[key] = value.as_string();
  return take(rest = rest.substr(used), ",");
}

/// "2026-11-20T21:27:03.123Z" with the day taken from the line before, which is mostly the same.
std::optional<base::Time> parse_time(std::string_view text) {
  constexpr std::size_t kDay = 10;
  thread_local std::string last_day;
  thread_local base::Time last_midnight;
  const auto two = [&](std::size_t at) {
    const int tens = text[at] - '0';
    const int ones = text[at + 1] - '0';
    return tens < 0 || tens > 9 || ones < 0 || ones > 9 ? -1 : tens * 10 + ones;
  };
  if (text.size() < 20 || text.back() != 'Z' || text[kDay] != 'T' || text[13] != ':' || text[16] != ':') {
    const auto any = base::parse_rfc3339(text);
    return any ? std::optional{*any} : std::nullopt;
  }
  if (text.substr(0, kDay) != last_day) {
    const auto midnight = base::parse_rfc3339(std::string{text.substr(0, kDay)} + "T00:00:00Z");
    if (!midnight) return std::nullopt;
    last_day = text.substr(0, kDay);
    last_midnight = *midnight;
  }
  const int hours = two(11);
  const int minutes = two(14);
  const int seconds = two(17);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 60) return std::nullopt;
  std::int64_t nanos = 0;
  if (text.size() > 20) {
    if (text[19] != '.' || text.size() > 31) return std::nullopt;
    std::int64_t scale = 100'000'000;
    for (const char c : text.substr(20, text.size() - 21)) {
      if (c < '0' || c > '9') return std::nullopt;
      nanos += (c - '0') * scale;
      scale /= 10;
    }
  }
  return last_midnight + std::chrono::hours{hours} + std::chrono::minutes{minutes} +
         std::chrono::seconds{seconds} + std::chrono::nanoseconds{nanos};
}

bool read_usual_line(std::string_view rest, Entry& entry) {
  if (!take(rest, R"({"log":")") || !take_string(rest, entry.line) || !take(rest, ",")) return false;
  if (!take_stream(rest, entry.stream) || !take(rest, ",")) return false;
  if (take(rest, R"("attrs":)") && !take_attributes(rest, entry)) return false;
  if (!take(rest, R"("time":")") || !rest.ends_with("\"}")) return false;
  const auto time = parse_time(rest.substr(0, rest.size() - 2));
  if (!time) return false;
  entry.time = *time;
  return true;
}

/// By the JSON parser: other orders of the members, spaces.
bool read_any_line(std::string_view line, Entry& entry) {
  const auto json = codec::Json::parse(line);
  if (!json || !(*json)["log"].is_string()) return false;
  const auto time = parse_time((*json)["time"].as_string());
  if (!time) return false;
  entry.line = (*json)["log"].as_string();
  entry.stream = (*json)["stream"].as_string() == "stderr" ? Stream::Stderr : Stream::Stdout;
  entry.time = *time;
  for (const auto& [key, value] : (*json)["attrs"].as_object()) entry.attributes[key] = value.as_string();
  return true;
}

}  // namespace

bool read_line(std::string_view line, Entry& entry) {
  entry.line.clear();
  entry.attributes.clear();
  if (read_usual_line(line, entry)) return true;
  entry.line.clear();
  entry.attributes.clear();
  return read_any_line(line, entry);
}

std::optional<base::Time> time_of_line(std::string_view line) {
  // The text of "log" can't hold this: its quotes are escaped there.
  static constexpr std::string_view kMark = R"(,"time":")";
  const auto mark = line.rfind(kMark);
  if (line.starts_with(R"({"log":")") && mark != std::string_view::npos && line.ends_with("\"}")) {
    const auto start = mark + kMark.size();
    if (auto time = parse_time(line.substr(start, line.size() - 2 - start))) return time;
  }
  Entry entry;
  return read_any_line(line, entry) ? std::optional{entry.time} : std::nullopt;
}

std::optional<Stream> stream_of_line(std::string_view line) {
  // The first one is the member: within the text every quote has a backslash before it.
  static constexpr std::string_view kMark = R"(","stream":"std)";
  const auto mark = line.find(kMark);
  if (line.starts_with(R"({"log":")") && mark != std::string_view::npos) {
    const std::string_view rest = line.substr(mark + kMark.size());
    if (rest.starts_with("out\"")) return Stream::Stdout;
    if (rest.starts_with("err\"")) return Stream::Stderr;
  }
  Entry entry;
  return read_any_line(line, entry) ? std::optional{entry.stream} : std::nullopt;
}

}  // namespace logs::detail
