#pragma once
/// Go's literals inside a template.

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/template/value.h"

namespace cli::tmpl {

/// "…" with its escapes, `…`, or the one character of '…'; nullopt when Go would refuse it.
[[nodiscard]] std::optional<std::string> unquote(std::string_view literal);
/// "42", "0x2a", "1_000", "1.5", "1e3"; an integer that only fits an unsigned one comes as Uint, which Go
/// refuses when it is used. Errors: InvalidArgument with Go's message.
base::Result<Value> parse_number(std::string_view text);
/// The code point of the first character.
[[nodiscard]] std::int64_t first_code_point(std::string_view text);
/// Appends one code point as UTF-8.
void append_utf8(std::string& out, std::uint32_t code);

}  // namespace cli::tmpl
