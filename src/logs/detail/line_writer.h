#pragma once
/// One line of docker's json-file:
///
///   {"log":"text\n","stream":"stdout","attrs":{"k":"v"},"time":"2026-11-20T21:27:03.123456789Z"}
///
/// Escaping is that of docker's encoder, byte for byte: <, > and &, U+2028 and U+2029 and all control
/// characters but \n and \r become \u00xx, and each byte that is no UTF-8 becomes \ufffd.

#include <map>
#include <string>
#include <string_view>

#include "base/time.h"
#include "logs/driver.h"

namespace logs::detail {

/// Escapes `text` onto `out`, without quotes. Sixteen bytes at a time where nothing is to be escaped.
void append_escaped(std::string& out, std::string_view text);

/// What follows the text: the rest of the object and its newline. Made once for all lines of a read.
[[nodiscard]] std::string line_suffix(Stream stream, std::string_view attributes_json, base::Time time);

/// {"k":"v"} with keys in order; "" for none.
[[nodiscard]] std::string attributes_json(const std::map<std::string, std::string>& attributes);

}  // namespace logs::detail
