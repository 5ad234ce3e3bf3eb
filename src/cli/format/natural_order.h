#pragma once
/// The order of docker's listings: runs of digits count as numbers, so "web2" is before "web10".

#include <string_view>

namespace cli {

[[nodiscard]] bool natural_less(std::string_view a, std::string_view b);

}  // namespace cli
