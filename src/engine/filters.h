#pragma once
/// How docker's filters match: name → values, values of one name are alternatives, except that all
/// values of "label" must hold. Pure.

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/containers.h"

namespace engine {

/// Errors: InvalidArgument "invalid filter 'x'" for a name that `allowed` lacks.
base::Result<> check_filters(const Filters& filters, std::span<const std::string_view> allowed);

[[nodiscard]] bool has_filter(const Filters& filters, std::string_view name);
/// The values; empty when the filter is not there.
[[nodiscard]] const std::vector<std::string>& filter_values(const Filters& filters, std::string_view name);

/// True when the filter is absent or a value equals `text`.
[[nodiscard]] bool matches_exactly(const Filters& filters, std::string_view name, std::string_view text);
/// … or `text` begins with a value.
[[nodiscard]] bool matches_prefix(const Filters& filters, std::string_view name, std::string_view text);
/// … or a value, taken as an extended regular expression, is found in `text`. What is no regular
/// expression is compared as plain text.
[[nodiscard]] bool matches_pattern(const Filters& filters, std::string_view name, std::string_view text);
/// Whether `pattern`, an extended regular expression, is found in `text`.
[[nodiscard]] bool found_in(const std::string& pattern, std::string_view text);
/// Every value "key" or "key=value" is among `labels`.
[[nodiscard]] bool matches_labels(const Filters& filters, std::string_view name,
                                  const std::map<std::string, std::string>& labels);
/// What all prune verbs ask of labels: every "label" holds, and no "label!" does.
[[nodiscard]] bool is_prunable(const Filters& filters, const std::map<std::string, std::string>& labels);
/// The moment of "until", if given. Errors: InvalidArgument, also for more than one.
base::Result<std::optional<base::Time>> until_filter(const Filters& filters);
/// A filter that says yes or no: "1", "true", "0", "false". nullopt when absent.
/// Errors: InvalidArgument "invalid filter 'dangling=[x]'".
base::Result<std::optional<bool>> bool_filter(const Filters& filters, std::string_view name);

}  // namespace engine
