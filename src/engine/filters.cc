#include "engine/filters.h"

#include <algorithm>

#include <regex.h>

#include "base/strings.h"

namespace engine {
namespace {

// regcomp(3) of a pattern with nested counts takes memory without bound.
constexpr std::size_t kLongestPattern = 256;

bool is_plain(std::string_view pattern) {
  return pattern.find_first_of(R"(\^$.|?*+()[]{})") == std::string_view::npos;
}

}  // namespace

bool found_in(const std::string& pattern, std::string_view text) {
  if (is_plain(pattern) || pattern.size() > kLongestPattern) return text.find(pattern) != std::string_view::npos;
  regex_t compiled{};
  if (::regcomp(&compiled, pattern.c_str(), REG_EXTENDED | REG_NOSUB) != 0) return text == pattern;
  const bool found = ::regexec(&compiled, std::string{text}.c_str(), 0, nullptr, 0) == 0;
  ::regfree(&compiled);
  return found;
}

base::Result<> check_filters(const Filters& filters, std::span<const std::string_view> allowed) {
  for (const auto& [name, values] : filters) {
    if (std::ranges::find(allowed, name) == allowed.end()) {
      return base::invalid("invalid filter '" + name + "'");
    }
  }
  return {};
}

bool has_filter(const Filters& filters, std::string_view name) { return !filter_values(filters, name).empty(); }

const std::vector<std::string>& filter_values(const Filters& filters, std::string_view name) {
  static const std::vector<std::string> none;
  const auto found = filters.find(std::string{name});
  return found == filters.end() ? none : found->second;
}

bool matches_exactly(const Filters& filters, std::string_view name, std::string_view text) {
  const auto& values = filter_values(filters, name);
  return values.empty() || std::ranges::find(values, text) != values.end();
}

bool matches_prefix(const Filters& filters, std::string_view name, std::string_view text) {
  const auto& values = filter_values(filters, name);
  return values.empty() ||
         std::ranges::any_of(values, [&](const std::string& value) { return text.starts_with(value); });
}

bool matches_pattern(const Filters& filters, std::string_view name, std::string_view text) {
  const auto& values = filter_values(filters, name);
  return values.empty() ||
         std::ranges::any_of(values, [&](const std::string& value) { return found_in(value, text); });
}

bool matches_labels(const Filters& filters, std::string_view name,
                    const std::map<std::string, std::string>& labels) {
  return std::ranges::all_of(filter_values(filters, name), [&](const std::string& wanted) {
    const auto parts = base::cut(wanted, "=");
    const auto label = labels.find(std::string{parts ? parts->first : std::string_view{wanted}});
    return label != labels.end() && (!parts || label->second == parts->second);
  });
}

base::Result<std::optional<bool>> bool_filter(const Filters& filters, std::string_view name) {
  const auto& values = filter_values(filters, name);
  if (values.empty()) return std::optional<bool>{};
  const std::string& value = values.front();
  if (values.size() == 1 && (value == "1" || value == "true")) return std::optional{true};
  if (values.size() == 1 && (value == "0" || value == "false")) return std::optional{false};
  return base::invalid("invalid filter '" + std::string{name} + "=[" + base::join(values, " ") + "]'");
}

bool is_prunable(const Filters& filters, const std::map<std::string, std::string>& labels) {
  if (!matches_labels(filters, "label", labels)) return false;
  // One that must not be there is enough to keep it.
  return std::ranges::none_of(filter_values(filters, "label!"), [&](const std::string& unwanted) {
    return matches_labels({{"label", {unwanted}}}, "label", labels);
  });
}

base::Result<std::optional<base::Time>> until_filter(const Filters& filters) {
  const auto& values = filter_values(filters, "until");
  if (values.empty()) return std::optional<base::Time>{};
  if (values.size() > 1) return base::invalid("more than one until filter specified");
  return std::optional{TRY(base::parse_timestamp(values.front(), base::now()))};
}

}  // namespace engine
