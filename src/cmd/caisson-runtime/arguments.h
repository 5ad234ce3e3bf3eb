#pragma once
/// The command line as runc reads it (Go's flag package under urfave/cli): "--name value",
/// "--name=value" and the same with one dash; flags end at the first other argument or at "--". For
/// most commands flags may also stand behind the other arguments; "exec" and "ps" leave those alone.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace caisson_runtime {

struct Flag {
  std::string_view name;
  std::string_view short_name;  ///< may be empty
  bool takes_value = false;
  std::string_view help;
};

class Arguments {
 public:
  enum class Order : std::uint8_t { FlagsFirst, Any };
  /// Errors: InvalidArgument for an unknown flag or a missing value.
  static base::Result<Arguments> parse(std::span<const Flag> flags, std::span<const std::string> words,
                                       Order order = Order::FlagsFirst);

  /// Given, and not as "--name=false".
  [[nodiscard]] bool has(std::string_view name) const;
  /// The last one given.
  [[nodiscard]] std::optional<std::string> value(std::string_view name) const;
  [[nodiscard]] std::string value_or(std::string_view name, std::string_view otherwise) const;
  [[nodiscard]] std::vector<std::string> values(std::string_view name) const;
  /// Errors: InvalidArgument when it is no number.
  [[nodiscard]] base::Result<std::optional<std::int64_t>> number(std::string_view name) const;
  [[nodiscard]] const std::vector<std::string>& rest() const { return rest_; }

 private:
  std::vector<std::pair<std::string_view, std::string>> given_;
  std::vector<std::string> rest_;
};

}  // namespace caisson_runtime
