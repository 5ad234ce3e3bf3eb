#include "cli/format/tabbed_json.h"

namespace cli {

std::string tabbed_json(const codec::Json& json) {
  // With one space per level only indentation begins a line with a space: a text has no line ends.
  std::string out;
  bool at_begin = true;
  for (const char c : json.dump_pretty(1)) {
    out += at_begin && c == ' ' ? '\t' : c;
    at_begin = c == '\n' || (at_begin && c == ' ');
  }
  return out;
}

}  // namespace cli
