#include "cli/container/environment.h"

#include <cstdlib>

#include <fmt/format.h>

#include "base/strings.h"
#include "sys/file.h"

namespace cli {

using base::Result;

namespace {

constexpr std::string_view kSpace = " \t\v\f\r\n\x85\xa0";

const char* own_value(std::string_view name) { return std::getenv(std::string{name}.c_str()); }

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    const std::size_t length = first < 0x80    ? 1
                               : first >= 0xf8 ? 0
                               : first >= 0xf0 ? 4
                               : first >= 0xe0 ? 3
                               : first >= 0xc2 ? 2
                                               : 0;
    if (length == 0 || i + length > text.size()) return false;
    for (std::size_t k = 1; k < length; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xc0U) != 0x80U) return false;
    }
    i += length;
  }
  return true;
}

/// Go's %v of a byte slice.
std::string byte_values(std::string_view text) {
  std::string out = "[";
  for (const char c : text) {
    if (out.size() > 1) out += ' ';
    out += fmt::to_string(static_cast<unsigned>(static_cast<unsigned char>(c)));
  }
  return out + "]";
}

enum class Bare : bool {
  Dropped,   ///< a name without "=" is no line of this file
  FromHere,  ///< it takes this process's value, or is dropped
};

Result<> append_file(std::vector<std::string>& out, const std::string& path, Bare bare) {
  const std::string text = TRY(read_user_file(path));
  const auto bad = [&](std::string why) {
    return base::invalid(fmt::format("invalid env file ({}): {}", path, why));
  };
  std::string_view rest = text;
  if (rest.starts_with("\xef\xbb\xbf")) rest.remove_prefix(3);
  int number = 0;
  for (std::string_view line : base::split(rest, '\n')) {
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!is_utf8(line))
      return bad(fmt::format("invalid utf8 bytes at line {}: {}", number, byte_values(line)));
    const auto first = line.find_first_not_of(" \t\v\f\r");
    if (first == std::string_view::npos || line[first] == '#') continue;
    line.remove_prefix(first);
    const auto pair = base::cut(line, "=");
    const std::string_view name = pair ? pair->first : line;
    if (name.empty()) return bad(fmt::format("no variable name on line '{}'", line));
    if (name.find_first_of(" \t\v\f\r") != std::string_view::npos) {
      return bad(fmt::format("variable '{}' contains whitespaces", name));
    }
    if (pair) {
      out.emplace_back(line);
    } else if (bare == Bare::FromHere) {
      if (const char* value = own_value(name)) out.push_back(fmt::format("{}={}", name, value));
    }
  }
  return {};
}

}  // namespace

base::Error open_failure(const std::string& path, const base::Error& error, std::string_view call) {
  if (error.errno_value() == 0) return error;
  std::string reason = base::errno_text(error.errno_value());
  reason[0] = static_cast<char>(reason[0] | 0x20);  // as Go writes it
  return {error.kind(), error.errno_value(), fmt::format("{} {}: {}", call, path, reason)};
}

Result<std::string> read_user_file(const std::string& path) {
  auto text = sys::read_file(sys::kCwd, path);
  if (!text) return open_failure(path, text.error());
  return text;
}

Result<> add_env(std::vector<std::string>& env, std::string_view text) {
  const auto pair = base::cut(text, "=");
  const std::string_view name = pair ? pair->first : text;
  if (name.empty()) return base::invalid(fmt::format("invalid environment variable: {}", text));
  const char* value = pair ? nullptr : own_value(name);
  env.push_back(value != nullptr ? fmt::format("{}={}", name, value) : std::string{text});
  return {};
}

Result<> add_label(std::vector<std::string>& labels, std::string_view text) {
  const auto pair = base::cut(text, "=");
  if (base::trim(pair ? pair->first : text).empty()) {
    return base::invalid(fmt::format("invalid label '{}': empty name", text));
  }
  labels.emplace_back(text);
  return {};
}

Result<std::vector<std::string>> collect_env(const std::vector<std::string>& files,
                                             const std::vector<std::string>& env) {
  std::vector<std::string> out;
  for (const auto& file : files) TRY(append_file(out, file, Bare::FromHere));
  out.insert(out.end(), env.begin(), env.end());
  return out;
}

Result<spec::api::Labels> collect_labels(const std::vector<std::string>& files,
                                         const std::vector<std::string>& labels) {
  std::vector<std::string> lines;
  for (const auto& file : files) TRY(append_file(lines, file, Bare::Dropped));
  lines.insert(lines.end(), labels.begin(), labels.end());
  return to_map(lines);
}

spec::api::Labels to_map(const std::vector<std::string>& pairs) {
  spec::api::Labels out;
  for (const auto& text : pairs) {
    const auto pair = base::cut(text, "=");
    out[std::string{pair ? pair->first : text}] = pair ? pair->second : "";
  }
  return out;
}

}  // namespace cli
