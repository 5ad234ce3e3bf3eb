#pragma once
/// What a flag's text is read into: a variable together with the type's grammar, its word in the
/// help and its error texts. Source: spf13/pflag's value types and docker's `opts` package.
///
/// A Value refers to the variable, which must outlive the FlagSet. The variable's present contents
/// are the flag's default.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace flags {

struct Value {
  void* target;
  /// Called once per occurrence. The error's message is the reason only.
  base::Result<> (*set)(void* target, std::string_view text);
  std::string_view type;                ///< the word after the name in the help; empty for a bool
  std::string initial;                  ///< the default in Go's notation
  bool initial_is_zero = true;          ///< then the help does not show it
  std::string_view without_value = {};  ///< what `--name` alone means; empty: it needs an argument
};

[[nodiscard]] Value value(bool& target);
[[nodiscard]] Value value(std::string& target);
[[nodiscard]] Value value(std::int64_t& target);
[[nodiscard]] Value value(std::uint64_t& target);
[[nodiscard]] Value value(std::int32_t& target);
[[nodiscard]] Value value(std::uint32_t& target);
[[nodiscard]] Value value(std::uint16_t& target);
[[nodiscard]] Value value(double& target);
/// Go's duration grammar, "1m30s".
[[nodiscard]] Value value(std::chrono::nanoseconds& target);
/// Every occurrence adds one item, as it stands.
[[nodiscard]] Value value(std::vector<std::string>& target);
/// "key=value" or "key" (an empty value); the last one of a key wins.
[[nodiscard]] Value value(std::map<std::string, std::string>& target);

/// "64m": see units.h.
[[nodiscard]] Value bytes(std::int64_t& target);
/// As bytes, and "-1" for no limit.
[[nodiscard]] Value bytes_or_unlimited(std::int64_t& target);
/// "1.5" CPUs in units of 10⁻⁹ CPU.
[[nodiscard]] Value nano_cpus(std::int64_t& target);
/// A list with commas inside one occurrence too: "a,b". CSV quoting.
[[nodiscard]] Value comma_list(std::vector<std::string>& target);
/// An IPv4 or IPv6 address in the notation given.
[[nodiscard]] Value ip(std::string& target);
/// Only "key=value".
[[nodiscard]] Value key_values(std::map<std::string, std::string>& target);

/// A grammar of the caller's: `set` gets the target itself.
///   flags.add(info, flags::custom<add_mount>(options.mounts, "mount"));
template <auto set, class T>
[[nodiscard]] Value custom(T& target, std::string_view type, std::string initial = {}) {
  const bool zero = initial.empty();
  return {&target,
          [](void* object, std::string_view text) -> base::Result<> {
            return set(*static_cast<T*>(object), text);
          },
          type,
          std::move(initial),
          zero,
          {}};
}

/// Not given is told apart from given.
template <class T>
[[nodiscard]] Value value(std::optional<T>& target) {
  T initial = target.value_or(T{});
  Value out = value(initial);
  out.target = &target;
  out.set = [](void* object, std::string_view text) -> base::Result<> {
    auto& optional = *static_cast<std::optional<T>*>(object);
    T parsed = optional.value_or(T{});
    TRY(value(parsed).set(&parsed, text));
    optional = std::move(parsed);
    return {};
  };
  return out;
}

/// Go's strconv.ParseBool. Errors: InvalidArgument in its words.
base::Result<bool> parse_bool(std::string_view text);

}  // namespace flags
