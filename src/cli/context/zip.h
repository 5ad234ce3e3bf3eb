#pragma once
/// The regular files of a zip in memory: stored or deflated, without encryption. Source: PKWARE's APPNOTE.TXT,
/// sections 4.3.7, 4.3.12 and 4.3.16.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace cli {

[[nodiscard]] bool is_zip(std::string_view bytes);
/// Path → contents, in the order of the central directory. Errors: InvalidArgument: broken, encrypted, another
/// method, more than `limit` bytes of contents.
base::Result<std::vector<std::pair<std::string, std::string>>> read_zip(std::string_view bytes, std::size_t limit);

}  // namespace cli
