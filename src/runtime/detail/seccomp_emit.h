#pragma once
/// Instructions for a table of ranges: the lower half of seccomp_compile.h.

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include <linux/filter.h>

#include "base/result.h"

namespace runtime::detail {

enum class Comparison : std::uint8_t { NotEqual, Less, LessOrEqual, Equal, GreaterOrEqual, Greater, MaskedEqual };

/// On one of the six arguments, as 64-bit unsigned numbers. MaskedEqual: (argument & value) == second.
struct Condition {
  std::uint32_t argument = 0;
  Comparison comparison = Comparison::Equal;
  std::uint64_t value = 0;
  std::uint64_t second = 0;

  bool operator==(const Condition&) const = default;
};

/// What to answer for a number. The first alternative whose conditions all hold wins.
struct Decision {
  struct Alternative {
    std::vector<Condition> conditions;
    std::uint32_t action = 0;
    bool operator==(const Alternative&) const = default;
  };
  std::optional<std::uint32_t> always;
  std::vector<Alternative> alternatives;
  std::uint32_t otherwise = 0;

  static Decision only(std::uint32_t action) { return {action, {}, 0}; }
  bool operator==(const Decision&) const = default;
};

class SeccompEmitter {
 public:
  /// `starts`: where each range begins, the first at 0; it ends before the next one.
  void architecture(std::uint32_t audit, const std::map<std::uint32_t, Decision>& starts);
  /// `otherwise` is for architectures that were not given. Errors: InvalidArgument (too long).
  base::Result<std::vector<::sock_filter>> finish(std::uint32_t otherwise) &&;

 private:
  struct Block {
    std::uint32_t audit;
    std::vector<::sock_filter> code;
  };
  std::vector<Block> blocks_;
};

}  // namespace runtime::detail
