#include "base/id.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include <sys/random.h>

#include "base/error.h"
#include "base/strings.h"

namespace base {

std::string random_hex(std::size_t digits) {
  std::array<std::uint8_t, 64> bytes{};
  CAISSON_INVARIANT(digits <= bytes.size() * 2);
  const std::size_t need = (digits + 1) / 2;
  // Up to 256 bytes come whole and uninterrupted once the pool is seeded: getrandom(2).
  CAISSON_INVARIANT(::getrandom(bytes.data(), need, 0) == static_cast<ssize_t>(need));
  return to_hex(std::span{bytes}.first(need)).substr(0, digits);
}

std::string random_id() {
  while (true) {
    std::string id = random_hex(64);
    const auto head = std::string_view{id}.substr(0, 12);
    if (!std::ranges::all_of(head, [](char c) { return c >= '0' && c <= '9'; })) return id;
  }
}

}  // namespace base
