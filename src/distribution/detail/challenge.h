#pragma once
/// WWW-Authenticate headers. Source: RFC 9110, 11.2 and 11.6.1.

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace distribution::detail {

struct Challenge {
  std::string scheme;                             ///< lower case: "bearer", "basic"
  std::map<std::string, std::string> parameters;  ///< names in lower case

  [[nodiscard]] std::string_view operator[](const std::string& name) const;
};

/// One header may hold several challenges. What can't be read is left out, since a registry that
/// speaks a scheme of its own beside Bearer is usable.
[[nodiscard]] std::vector<Challenge> parse_challenges(std::string_view header);

}  // namespace distribution::detail
