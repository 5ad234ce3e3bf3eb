#include "logs/json_text.h"

#include "logs/detail/line_writer.h"

namespace logs {

void append_json_text(std::string& out, std::string_view text) { detail::append_escaped(out, text); }

}  // namespace logs
