#pragma once
/// GELF 1.1: lines as JSON, and large datagrams in chunks. Source: go2docs.graylog.org, "GELF".

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "forward/message.h"
#include "logs/remote_options.h"

namespace forward::detail {

/// The members of every line: host, and those whose names begin with an underscore.
[[nodiscard]] std::string gelf_constant(const std::string& host, const logs::Config& config);
/// `constant` as above.
[[nodiscard]] std::string gelf_text(const std::string& constant, const Message& message);

/// Errors: Internal (zlib).
base::Result<std::string> gelf_compress(std::string_view text, logs::GelfOptions::Compression kind, int level);
/// Datagrams of at most 1,420 bytes. Errors: InvalidArgument for what needs more than 128 of them.
base::Result<std::vector<std::string>> gelf_chunks(std::string_view datagram);

}  // namespace forward::detail
