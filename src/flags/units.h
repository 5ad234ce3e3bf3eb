#pragma once
/// Sizes as docker's people and API write them. Source: the grammar and output of docker/go-units.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace flags {

/// "64m", "1.5 GiB", "100", "32kb": powers of 1024, `b k m g t p` in either case with an optional
/// "b" or "ib"; a fraction of a byte is dropped. Errors: InvalidArgument with docker's words,
/// "invalid size: 'x'" or "invalid suffix: 'zb'".
base::Result<std::int64_t> parse_ram_bytes(std::string_view text);
/// The same grammar with powers of 1000.
base::Result<std::int64_t> parse_human_size(std::string_view text);

/// "1.09GB": powers of 1000, `digits` significant ones. Tables use 3, totals 4.
[[nodiscard]] std::string human_size(double bytes, int digits = 4);
/// "1.5GiB": powers of 1024, four significant digits.
[[nodiscard]] std::string binary_size(double bytes);

/// Go's strconv.ParseFloat without hexadecimal forms. Errors: InvalidArgument in its words.
base::Result<double> parse_float(std::string_view text);

}  // namespace flags
