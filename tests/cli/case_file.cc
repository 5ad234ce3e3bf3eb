#include "case_file.h"

#include <string>

#include "base/strings.h"

namespace cli_cases {

base::Result<std::vector<Step>> parse_cases(const std::string& file, std::string_view text) {
  std::vector<Step> steps;
  int number = 0;
  for (std::string_view line : base::split(text, '\n')) {
    ++number;
    const auto bad = [&](const std::string& why) {
      return base::invalid(file + ":" + std::to_string(number) + ": " + why);
    };
    if (line.starts_with("$ ")) {
      steps.push_back({.line = number, .command = std::string{line.substr(2)}});
      continue;
    }
    if (line.starts_with("# ") || line == "#" || (line.empty() && steps.empty())) continue;
    if (steps.empty()) return bad("output before the first command");
    Step& step = steps.back();
    if (line.starts_with("! ")) {
      step.err.emplace_back(line.substr(2));
    } else if (line == "!") {
      step.err.emplace_back();
    } else if (line.starts_with("? ")) {
      const auto status = base::parse_int(line.substr(2));
      if (!status) return bad("\"? \" wants an exit status");
      step.status = static_cast<int>(*status);
    } else if (line.starts_with("< ")) {
      step.input.append(line.substr(2)).append("\n");
    } else if (line.starts_with('@')) {
      step.captures.emplace_back(line.substr(1));
      step.out.emplace_back("*");
    } else if (!line.empty()) {
      step.out.emplace_back(line);
    }
  }
  return steps;
}

bool matches(std::string_view pattern, std::string_view text) {
  const auto star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, star))) return false;
  const std::string_view rest = pattern.substr(star + 1);
  for (std::size_t at = star; at <= text.size(); ++at) {
    if (matches(rest, text.substr(at))) return true;
  }
  return false;
}

namespace {

bool matches_from(const std::vector<std::string>& patterns, std::size_t pattern,
                  const std::vector<std::string>& lines, std::size_t line) {
  if (pattern == patterns.size()) return line == lines.size();
  if (patterns[pattern] == "...") {
    for (std::size_t at = line; at <= lines.size(); ++at) {
      if (matches_from(patterns, pattern + 1, lines, at)) return true;
    }
    return false;
  }
  return line < lines.size() && matches(patterns[pattern], lines[line]) &&
         matches_from(patterns, pattern + 1, lines, line + 1);
}

}  // namespace

bool matches(const std::vector<std::string>& patterns, const std::vector<std::string>& lines) {
  return matches_from(patterns, 0, lines, 0);
}

}  // namespace cli_cases
