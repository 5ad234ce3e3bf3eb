#include "cli/format/natural_order.h"

#include <algorithm>
#include <cstddef>

namespace cli {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Takes a run of digits from the front; `zeros` counts those that lead.
std::string_view take_number(std::string_view& text, std::size_t& zeros) {
  const auto end = std::min(text.find_first_not_of("0123456789"), text.size());
  std::string_view number = text.substr(0, end);
  text.remove_prefix(end);
  zeros = std::min(number.find_first_not_of('0'), number.size());
  return number.substr(zeros);
}

}  // namespace

bool natural_less(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    if (is_digit(a[0]) != is_digit(b[0])) return is_digit(a[0]);
    if (!is_digit(a[0])) {
      if (a[0] != b[0]) return static_cast<unsigned char>(a[0]) < static_cast<unsigned char>(b[0]);
      a.remove_prefix(1);
      b.remove_prefix(1);
      continue;
    }
    std::size_t zeros_of_a = 0;
    std::size_t zeros_of_b = 0;
    const auto left = take_number(a, zeros_of_a);
    const auto right = take_number(b, zeros_of_b);
    if (left.size() != right.size()) return left.size() < right.size();
    if (left != right) return left < right;
    if (zeros_of_a != zeros_of_b) return zeros_of_a < zeros_of_b;
  }
  return a.size() < b.size();
}

}  // namespace cli
