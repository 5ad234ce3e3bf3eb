#pragma once
/// Text of heads and chunks, as they go over the wire.

#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace http::detail {

/// "HTTP/1.1 200 OK\r\n" and the fields, without the empty line at the end. A line break within a
/// value becomes a space: a value never makes a field of its own.
void append_status_line(std::string& out, int status, std::string_view reason);
void append_fields(std::string& out, const Headers& headers);
void append_field(std::string& out, std::string_view name, std::string_view value);
/// "Date: Tue, 15 Nov 1994 08:12:31 GMT\r\n" of this second.
void append_date(std::string& out);
/// "1f\r\n"
void append_chunk_header(std::string& out, std::size_t size);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

/// Fills path and query from the target: origin form, absolute form ("http://host/path") or "*".
/// Errors: InvalidArgument.
base::Result<> read_target(Request& request);

}  // namespace http::detail
