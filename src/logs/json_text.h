#pragma once
/// Bytes of a log as text of a JSON string.

#include <string>
#include <string_view>

namespace logs {

/// Appends `text` escaped, without quotes; what is no UTF-8 becomes U+FFFD.
void append_json_text(std::string& out, std::string_view text);

}  // namespace logs
